//! Places in a list that whoever reads the list may not know.
//!
//! A page can end at a repository that the caller may not see. The next one has to begin there, and its name is not
//! for them: it is sealed with the registry's key, and means nothing to others.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What a sealed place begins with, and no name does.
const MARK: &str = "~";

/// A key that seals.
#[derive(Clone)]
pub(super) struct Seal([u8; 32]);

impl Seal {
    /// Makes the key out of a secret.
    pub(super) fn of(secret: &[u8]) -> Self {
        Self(Sha256::new().chain_update(b"slipway place v1\0").chain_update(secret).finalize().into())
    }

    /// Returns the text as nobody else can read it.
    pub(super) fn close(&self, text: &str) -> Option<String> {
        let mut sealed = text.as_bytes().to_vec();
        let nonce = self.key()?.seal_in_place_append_tag(Aad::empty(), &mut sealed).ok()?;
        let whole = [nonce.as_ref().as_slice(), &sealed].concat();
        Some(format!("{MARK}{}", BASE64_URL_SAFE_NO_PAD.encode(whole)))
    }

    /// Returns the text that was sealed, if it was sealed with this key.
    pub(super) fn open(&self, sealed: &str) -> Option<String> {
        let mut whole = BASE64_URL_SAFE_NO_PAD.decode(sealed.strip_prefix(MARK)?).ok()?;
        let (nonce, text) = whole.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = self.key()?.open_in_place(nonce, Aad::empty(), text).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }

    fn key(&self) -> Option<RandomizedNonceKey> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.0).ok()
    }
}

/// Returns whether a text may be a sealed place.
pub(super) fn is_sealed(text: &str) -> bool {
    text.starts_with(MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_read_with_the_same_key_alone() {
        let (one, other) = (Seal::of(b"one"), Seal::of(b"other"));
        let sealed = one.close("team/secret").unwrap();
        assert!(is_sealed(&sealed) && !sealed.contains("secret"), "{sealed}");
        assert_ne!(one.close("team/secret").unwrap(), sealed, "nobody sees that two are the same");
        assert_eq!(one.open(&sealed).as_deref(), Some("team/secret"));
        for bad in [other.close("team/secret").unwrap().as_str(), "~", "~AAAA", "team/secret", &sealed[..20]]
        {
            assert_eq!(one.open(bad), None, "{bad}");
        }
    }
}
