//! Digests: the names that contents have by themselves.

mod hasher;

use std::sync::Arc;

pub use hasher::{HashStateInvalid, Hasher};

use crate::text::{excerpt, text_type};

/// A hash algorithm that the image specification registers and Slipway computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `sha256`, what every client uses unless told otherwise.
    Sha256,
    /// `sha512`.
    Sha512,
}

/// The algorithm is none of those that are supported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("digest algorithm {algorithm:?} is not supported, use sha256 or sha512")]
pub struct AlgorithmUnsupported {
    /// The refused algorithm, shortened if it is long.
    pub algorithm: String,
}

impl Algorithm {
    /// Every supported algorithm.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// Parses `sha256` or `sha512`.
    pub fn parse(text: &str) -> Result<Self, AlgorithmUnsupported> {
        let named = Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text);
        named.ok_or_else(|| AlgorithmUnsupported { algorithm: excerpt(text) })
    }

    /// Returns the name as it stands before the colon of a digest.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// Returns how many hexadecimal digits a digest of this algorithm has.
    pub const fn hex_len(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha512 => 128,
        }
    }
}

text_type!(Algorithm, AlgorithmUnsupported);

/// A digest such as `sha256:9f86d0...`, in its only accepted spelling; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(Arc<str>);

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestInvalid {
    /// There is nothing to tell the algorithm from the hash.
    #[error("digest {digest:?} has no colon")]
    NoColon {
        /// The refused digest, shortened if it is long.
        digest: String,
    },
    /// The part before the colon is not a supported algorithm.
    #[error(transparent)]
    Algorithm(#[from] AlgorithmUnsupported),
    /// The part after the colon is too short or too long.
    #[error("{algorithm} digest has {len} characters after the colon instead of {}", algorithm.hex_len())]
    Length {
        /// The algorithm that sets the length.
        algorithm: Algorithm,
        /// The length found, in bytes.
        len: usize,
    },
    /// The part after the colon holds something else than `0-9` and `a-f`.
    #[error("digest {digest:?} is not lower-case hexadecimal")]
    NotLowerHex {
        /// The refused digest, shortened if it is long.
        digest: String,
    },
}

impl Digest {
    /// Returns the digest of `bytes`.
    pub fn of(algorithm: Algorithm, bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Parses `<algorithm>:<lower-case hex>`; there is exactly one accepted text for each hash.
    pub fn parse(text: &str) -> Result<Self, DigestInvalid> {
        let Some((algorithm, hex)) = text.split_once(':') else {
            return Err(DigestInvalid::NoColon { digest: excerpt(text) });
        };
        let algorithm = Algorithm::parse(algorithm)?;
        if hex.len() != algorithm.hex_len() {
            return Err(DigestInvalid::Length { algorithm, len: hex.len() });
        }
        if !hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(DigestInvalid::NotLowerHex { digest: excerpt(text) });
        }
        Ok(Self(text.into()))
    }

    /// Returns the digest as it stands in URLs, headers and manifests.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the algorithm, the part before the colon.
    pub fn algorithm(&self) -> Algorithm {
        let is_sha256 = self.0.starts_with(Algorithm::Sha256.as_str());
        if is_sha256 { Algorithm::Sha256 } else { Algorithm::Sha512 }
    }

    /// Returns the hash in lower-case hexadecimal, the part after the colon.
    pub fn hex(&self) -> &str {
        &self.0[self.algorithm().as_str().len() + 1..]
    }

    fn from_hash(algorithm: Algorithm, hash: &[u8]) -> Self {
        Self(format!("{algorithm}:{}", hex::encode(hash)).into())
    }
}

text_type!(Digest, DigestInvalid);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA256_OF_ABC: &str = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digest_of_abc_is_the_published_one() {
        let digest = Digest::of(Algorithm::Sha256, b"abc");
        assert_eq!(digest.as_str(), SHA256_OF_ABC);
        assert_eq!(digest.hex(), &SHA256_OF_ABC[7..]);
        assert_eq!(digest.algorithm(), Algorithm::Sha256);
        let sha512 = Digest::of(Algorithm::Sha512, b"abc");
        assert!(sha512.as_str().starts_with("sha512:ddaf35a193617abacc417349ae204131"));
        assert!(sha512.hex().ends_with("2a9ac94fa54ca49f"));
    }

    #[test]
    fn every_refusal_names_its_reason() {
        let upper = SHA256_OF_ABC.replace("ba", "BA");
        let no_hex = SHA256_OF_ABC.replace("ba", "zz");
        let long = format!("{SHA256_OF_ABC}0");
        let not_ascii = format!("sha256:{}", "é".repeat(32));
        let sha512_too_short = format!("sha512:{}", &SHA256_OF_ABC[7..]);
        for (bad, reason) in [
            ("", r#"digest "" has no colon"#),
            ("sha256", r#"digest "sha256" has no colon"#),
            (":", r#"digest algorithm "" is not supported, use sha256 or sha512"#),
            ("md5:00", r#"digest algorithm "md5" is not supported, use sha256 or sha512"#),
            ("SHA256:00", r#"digest algorithm "SHA256" is not supported, use sha256 or sha512"#),
            ("sha256:", "sha256 digest has 0 characters after the colon instead of 64"),
            ("sha256:abc", "sha256 digest has 3 characters after the colon instead of 64"),
            (&long, "sha256 digest has 65 characters after the colon instead of 64"),
            (&sha512_too_short, "sha512 digest has 64 characters after the colon instead of 128"),
            (&upper, &format!("digest {upper:?} is not lower-case hexadecimal")),
            (&no_hex, &format!("digest {no_hex:?} is not lower-case hexadecimal")),
            (&not_ascii, &format!("digest {not_ascii:?} is not lower-case hexadecimal")),
        ] {
            assert_eq!(Digest::parse(bad).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn serde_carries_digest_and_algorithm_as_checked_text() {
        let digest = Digest::parse(SHA256_OF_ABC).unwrap();
        let json = format!("{SHA256_OF_ABC:?}");
        assert_eq!(serde_json::to_string(&digest).unwrap(), json);
        assert_eq!(serde_json::from_str::<Digest>(&json).unwrap(), digest);
        assert!(serde_json::from_str::<Digest>(r#""sha256:abc""#).is_err());
        assert_eq!(serde_json::to_string(&Algorithm::Sha512).unwrap(), r#""sha512""#);
        assert_eq!(serde_json::from_str::<Algorithm>(r#""sha512""#).unwrap(), Algorithm::Sha512);
    }

    proptest! {
        #[test]
        fn every_computed_digest_parses_to_itself(bytes in any::<Vec<u8>>()) {
            for algorithm in Algorithm::ALL {
                let digest = Digest::of(algorithm, &bytes);
                prop_assert_eq!(digest.hex().len(), algorithm.hex_len());
                prop_assert_eq!(Digest::parse(digest.as_str()), Ok(digest));
            }
        }

        #[test]
        fn any_text_is_answered(algorithm in "(sha256|sha512|md5)?", rest in any::<String>()) {
            let _ = Digest::parse(&format!("{algorithm}:{rest}"));
        }
    }
}
