//! Passwords: argon2id, as OWASP advises, and the same work for users that do not exist.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use crate::Error;
use crate::access::{AccessError, Secret};

/// The shortest password that is accepted (ASVS 6.2.1).
const PASSWORD_MIN_CHARS: usize = 8;

/// The longest (6.2.9 asks for at least 64).
const PASSWORD_MAX_BYTES: usize = 512;

/// Each takes 19 MiB and a processor, so that few at once are the quickest.
static AT_ONCE: Semaphore = Semaphore::const_new(4);

/// What is verified when there is nothing to verify: the hash of a password that nobody knows.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
    let random = getrandom::u64().map(|bits| bits.to_string()).unwrap_or_default();
    hash_now(random.as_bytes()).ok()
});

/// Returns the password's hash in PHC form.
pub(crate) async fn hash(password: &Secret) -> Result<String, AccessError> {
    let password = password.clone();
    in_background(move || hash_now(password.expose_secret().as_bytes())).await?
}

/// Returns whether the password has this hash. Without a hash it has not, after the same work.
pub(crate) async fn verify(password: &Secret, phc: Option<String>) -> Result<bool, AccessError> {
    let password = password.clone();
    in_background(move || {
        let (phc, is_somebodys) = match phc {
            Some(phc) => (Some(phc), true),
            None => (NOBODYS.clone(), false),
        };
        let hash = phc.as_deref().and_then(|phc| PasswordHash::new(phc).ok());
        let is_right = hash.is_some_and(|hash| {
            Argon2::default().verify_password(password.expose_secret().as_bytes(), &hash).is_ok()
        });
        is_right && is_somebodys
    })
    .await
}

/// Refuses a password that is too easy to guess.
pub(crate) fn check_strength(password: &Secret, user: &str) -> Result<(), AccessError> {
    let text = password.expose_secret();
    let refuse = |why: &str| Err(AccessError::Invalid(format!("the password {why}")));
    if text.chars().count() < PASSWORD_MIN_CHARS {
        return refuse(&format!("has less than {PASSWORD_MIN_CHARS} characters"));
    }
    if text.len() > PASSWORD_MAX_BYTES {
        return refuse(&format!("has more than {PASSWORD_MAX_BYTES} bytes"));
    }
    // Guesses that a throttled attacker gets to are refused: what everybody uses, and the user's own name.
    if zxcvbn::zxcvbn(text, &[user, "slipway", "registry"]).score() < zxcvbn::Score::Two {
        return refuse("is too easy to guess");
    }
    Ok(())
}

fn hash_now(password: &[u8]) -> Result<String, AccessError> {
    let hash = Argon2::default().hash_password(password);
    let hash = hash.map_err(|error| Error::Damaged(format!("argon2: {error}")))?;
    Ok(hash.to_string())
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AccessError> {
    let broken = |what: String| AccessError::Registry(Error::Damaged(what));
    let _permit = AT_ONCE.acquire().await.map_err(|error| broken(error.to_string()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| broken(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_against_its_own_hash_only() {
        let phc = hash(&"correct horse".into()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        assert!(verify(&"correct horse".into(), Some(phc.clone())).await.unwrap());
        assert!(!verify(&"correct horsf".into(), Some(phc)).await.unwrap());
        assert!(!verify(&"correct horse".into(), None).await.unwrap());
        assert!(!verify(&"correct horse".into(), Some("nonsense".to_owned())).await.unwrap());
    }

    #[test]
    fn easy_passwords_are_refused() {
        for bad in ["", "short", "password1", "12345678", "qwertyuiop", "margaret", &"x".repeat(600)] {
            assert!(check_strength(&bad.into(), "margaret").is_err(), "{bad:?}");
        }
        for good in ["correct horse battery", "J7-fkq!x2Rm"] {
            assert!(check_strength(&good.into(), "margaret").is_ok(), "{good:?}");
        }
        assert!(check_strength(&"u5%kPq".repeat(16).as_str().into(), "margaret").is_ok());
    }
}
