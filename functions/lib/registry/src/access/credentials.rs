//! Stored credentials as clients show them: `slipway_pat_…`, `slipway_bot_…`, `slipway_ref_…`.
//!
//! A public part that finds the record, 256 random bits, and a checksum, so that a scanner for leaked secrets knows one
//! from a text that only looks like one: `slipway_(pat|bot|ref)_[0-9a-f]{88}`, the last 8 being the CRC-32 of all before.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ports::Random;
use crate::records::TokenKind;

const ID_CHARS: usize = 16;
const SECRET_CHARS: usize = 64;
const CHECKSUM_CHARS: usize = 8;

/// What nobody may see: it is never shown by `Debug`.
pub type Secret = SecretString;

/// A credential that has the form of a stored one.
#[derive(Clone)]
pub struct Credential {
    id: String,
    text: Secret,
}

/// The text is no stored credential: it may be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoCredential;

impl Credential {
    /// Makes a new one of this kind.
    pub(crate) fn fresh(kind: &TokenKind, random: &dyn Random) -> Self {
        let word = match kind {
            TokenKind::Personal => "pat",
            TokenKind::Robot(_) => "bot",
            TokenKind::Refresh { .. } => "ref",
        };
        let id = format!("{:032x}", random.bits())[..ID_CHARS].to_owned();
        let body = format!("slipway_{word}_{id}{:032x}{:032x}", random.bits(), random.bits());
        let text = format!("{body}{:08x}", crc32fast::hash(body.as_bytes()));
        Self { id, text: text.into() }
    }

    /// Returns whether it is a login that a client keeps.
    pub(crate) fn is_login(&self) -> bool {
        self.text.expose_secret().starts_with("slipway_ref_")
    }

    /// Returns the public part.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the whole, to be shown once.
    pub fn reveal(&self) -> &str {
        self.text.expose_secret()
    }

    /// Returns what is stored of it. 256 random bits need no slow hash.
    pub(crate) fn sha256(&self) -> String {
        hex_sha256(self.text.expose_secret().as_bytes())
    }

    /// Returns whether this is the credential that `sha256` was stored of.
    pub(crate) fn is(&self, sha256: &str) -> bool {
        self.sha256().as_bytes().ct_eq(sha256.as_bytes()).into()
    }
}

impl FromStr for Credential {
    type Err = NoCredential;

    fn from_str(text: &str) -> Result<Self, NoCredential> {
        let rest = text.strip_prefix("slipway_").ok_or(NoCredential)?;
        let body =
            ["pat_", "bot_", "ref_"].iter().find_map(|word| rest.strip_prefix(word)).ok_or(NoCredential)?;
        let is_hex = body.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if body.len() != ID_CHARS + SECRET_CHARS + CHECKSUM_CHARS || !is_hex {
            return Err(NoCredential);
        }
        let (checked, checksum) = text.split_at(text.len() - CHECKSUM_CHARS);
        if format!("{:08x}", crc32fast::hash(checked.as_bytes())) != checksum {
            return Err(NoCredential);
        }
        Ok(Self { id: body[..ID_CHARS].to_owned(), text: text.into() })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credential({})", self.id)
    }
}

/// Returns the SHA-256 in hex.
pub(crate) fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::SystemRandom;

    #[test]
    fn a_fresh_credential_is_read_back_and_recognised() {
        let fresh = Credential::fresh(&TokenKind::Personal, &SystemRandom);
        let shown: Credential = fresh.reveal().parse().unwrap();
        assert_eq!(shown.id(), fresh.id());
        assert!(shown.is(&fresh.sha256()));
        assert_eq!(fresh.reveal().len(), "slipway_pat_".len() + 88);
        assert!(!format!("{fresh:?}").contains(&fresh.reveal()[30..60]));
    }

    #[test]
    fn what_was_mistyped_is_no_credential() {
        let fresh = Credential::fresh(&TokenKind::Personal, &SystemRandom).reveal().to_owned();
        for at in ["slipway_".len(), 20, 60, fresh.len() - 1] {
            let mut mistyped = fresh.clone().into_bytes();
            mistyped[at] = if mistyped[at] == b'0' { b'1' } else { b'0' };
            let mistyped = String::from_utf8(mistyped).unwrap();
            assert!(mistyped.parse::<Credential>().is_err(), "{at}");
        }
        for bad in [
            "",
            "slipway_pat_",
            &fresh[1..],
            &fresh[..fresh.len() - 1],
            &fresh.to_uppercase(),
            &format!("{fresh}0"),
        ] {
            assert!(bad.parse::<Credential>().is_err(), "{bad:?}");
        }
    }
}
