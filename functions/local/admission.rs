//! Who is let in when the server starts, and how the first administrator comes about.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use registry::access::{Access, Secret, check_password};
use secrecy::ExposeSecret;

use crate::serve_settings::{Admission, ServeSettings};

/// The name of the first administrator.
pub(crate) const FIRST_ADMINISTRATOR: &str = "admin";

/// Who may do what, from this start on.
pub(crate) enum Admitted {
    /// Everybody may do everything, until there is an account.
    Everybody,
    /// Accounts may do what they may.
    Accounts,
    /// The same, and this start made the first of them, with a password of somebody's choice.
    FirstAdministrator,
    /// The same, and nobody but whoever reads this knows the password.
    FirstAdministratorWith(Secret),
}

/// Refuses to let everybody in by accident.
pub(crate) async fn check(access: &Access, settings: &ServeSettings) -> Result<()> {
    let has_accounts = access.has_accounts().await?;
    match settings.admission {
        Admission::ByAccounts if !has_accounts && settings.is_for_others() => bail!(
            "others can reach {}, and there are no accounts to know them by. One of these is needed:
  --auth                               make the administrator `{FIRST_ADMINISTRATOR}` now, with a random password or the one
                                       in the file of --admin-password-file
  slipway user add --admin NAME        make a user first (with the same --data), and then start the server
  --open                               everybody who can reach it may pull, push and delete everything",
            settings.listen,
        ),
        Admission::Open if has_accounts => {
            tracing::warn!("--open has no effect any more: there are accounts, so they are asked");
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Makes the first administrator, if that is wanted and there is no account.
pub(crate) async fn admit(access: &Access, settings: &ServeSettings) -> Result<Admitted> {
    if access.has_accounts().await? {
        return Ok(Admitted::Accounts);
    }
    if settings.admission != Admission::Auth {
        return Ok(Admitted::Everybody);
    }
    let chosen = settings.admin_password_file.as_deref().map(password_in).transpose()?;
    let password = chosen.clone().map_or_else(random_password, Ok)?;
    match (access.first_administrator_create(&password).await?, chosen) {
        (false, _) => Ok(Admitted::Accounts),
        (true, Some(_)) => Ok(Admitted::FirstAdministrator),
        (true, None) => Ok(Admitted::FirstAdministratorWith(password)),
    }
}

/// Returns the first line of the file.
fn password_in(path: &Path) -> Result<Secret> {
    let read = || -> Result<Secret> {
        let text = Secret::from(std::fs::read_to_string(path)?);
        let password = Secret::from(text.expose_secret().lines().next().unwrap_or_default());
        check_password(&password, FIRST_ADMINISTRATOR)?;
        if std::fs::metadata(path)?.mode() & 0o004 != 0 {
            // Mounted secrets of containers are like that, so it is no reason to stop.
            tracing::warn!(file = %path.display(), "everybody on this machine can read the administrator's password");
        }
        Ok(password)
    };
    read().with_context(|| format!("administrator's password in {}", path.display()))
}

/// Returns 160 bits that nobody can guess.
fn random_password() -> Result<Secret> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes)?;
    Ok(hex::encode(bytes).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_the_file_is_the_password_and_an_easy_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        for (text, password) in
            [("correct horse battery\n", "correct horse battery"), (" J7-fkq!x2Rm \r\nmore", " J7-fkq!x2Rm ")]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(password_in(&path).unwrap().expose_secret(), password);
        }
        for bad in ["", "\ncorrect horse battery", "admin", "password1"] {
            std::fs::write(&path, bad).unwrap();
            let error = format!("{:#}", password_in(&path).unwrap_err());
            assert!(error.contains(path.to_str().unwrap()), "{error}");
            assert!(bad.is_empty() || !error.contains("horse"), "{error}");
        }
        assert!(password_in(&folder.path().join("missing")).is_err());
    }

    #[test]
    fn random_passwords_are_strong_and_never_the_same() {
        let passwords = [random_password().unwrap(), random_password().unwrap()];
        assert_ne!(passwords[0].expose_secret(), passwords[1].expose_secret());
        assert!(check_password(&passwords[0], FIRST_ADMINISTRATOR).is_ok());
    }
}
