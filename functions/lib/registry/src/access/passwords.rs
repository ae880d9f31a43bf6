//! Passwords: argon2id, as OWASP advises, and the same work for users that do not exist.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHasher, Version};
use secrecy::ExposeSecret;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::Error;
use crate::access::{AccessError, Secret};

/// The shortest password that is accepted (ASVS 6.2.1).
const PASSWORD_MIN_CHARS: usize = 8;

/// The longest (6.2.9 asks for at least 64).
const PASSWORD_MAX_BYTES: usize = 512;

/// Each takes 19 MiB and a processor, so that few at once are the quickest.
static AT_ONCE: Semaphore = Semaphore::const_new(2);

/// What they work in, one for each at once. It is kept: an allocator that gets 19 MiB back from ever other threads does
/// not give them to the next one.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// What is verified when there is nothing to verify: the hash of no password, as much work as any other.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0Lg$RxdKJ2vvhbRv56uuehc/OgAiUggzbUlFZr5Oy6L3cgU";

/// The right to use a processor for a password.
pub(crate) struct Turn(#[expect(dead_code, reason = "it counts while it is held")] SemaphorePermit<'static>);

/// Waits until a processor is free. Whoever holds a turn must not wait for a second one.
pub(crate) async fn turn() -> Result<Turn, AccessError> {
    let permit = AT_ONCE.acquire().await;
    Ok(Turn(permit.map_err(|error| Error::Damaged(error.to_string()))?))
}

/// Returns the password's hash in PHC form.
pub(crate) async fn hash(password: &Secret) -> Result<String, AccessError> {
    let password = password.clone();
    let turn = turn().await?;
    in_background(&turn, move || hash_now(password.expose_secret().as_bytes())).await?
}

/// Returns whether the password has this hash. Without a hash it has not, after the same work.
pub(crate) async fn verify(turn: &Turn, password: &Secret, phc: Option<String>) -> Result<bool, AccessError> {
    let password = password.clone();
    in_background(turn, move || {
        let (phc, is_somebodys) = (phc.as_deref().unwrap_or(NOBODYS), phc.is_some());
        let hash = PasswordHash::new(phc).ok();
        let is_right = hash.is_some_and(|hash| {
            #[cfg(test)]
            work::note(password.expose_secret(), &hash.params.to_string());
            is_right(password.expose_secret().as_bytes(), &hash)
        });
        is_right && is_somebodys
    })
    .await
}

/// Refuses a password that is too easy to guess.
pub fn check_strength(password: &Secret, user: &str) -> Result<(), AccessError> {
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

fn is_right(password: &[u8], hash: &PasswordHash) -> bool {
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return false };
    let Ok(params) = Params::try_from(hash) else { return false };
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = vec![0; expected.len()];
    let memory = || MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut blocks = memory().pop().unwrap_or_default();
    blocks.resize(argon2.params().block_count(), Block::default());
    let worked = argon2.hash_password_into_with_memory(password, salt, &mut output, &mut blocks);
    memory().push(blocks);
    // These compare in constant time.
    worked.is_ok() && Output::new(&output).is_ok_and(|output| output == *expected)
}

async fn in_background<T: Send + 'static>(
    _turn: &Turn,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AccessError> {
    Ok(tokio::task::spawn_blocking(work).await.map_err(Error::from)?)
}

/// Which passwords were verified, and with how much work.
#[cfg(test)]
pub(super) mod work {
    use std::sync::Mutex;

    static DONE: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

    pub(super) fn note(password: &str, parameters: &str) {
        DONE.lock().unwrap().push((password.to_owned(), parameters.to_owned()));
    }

    /// Returns with which parameters this password was verified, each time.
    pub(in crate::access) fn done_for(password: &str) -> Vec<String> {
        let done = DONE.lock().unwrap();
        done.iter().filter(|(of, _)| of == password).map(|(_, parameters)| parameters.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_verified_against_its_own_hash_only() {
        let phc = hash(&"correct horse".into()).await.unwrap();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
        let turn = turn().await.unwrap();
        let verified = async |password: &str, phc: Option<&str>| {
            verify(&turn, &password.into(), phc.map(str::to_owned)).await.unwrap()
        };
        assert!(verified("correct horse", Some(&phc)).await);
        assert!(!verified("correct horsf", Some(&phc)).await);
        assert!(!verified("correct horse", None).await);
        assert!(!verified("correct horse", Some("nonsense")).await);
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
