//! The file `keys` of the data folder: the secrets that access tokens are signed with.
//!
//! One secret in hex a line, the newest first. The newest signs, and the one after it is still good.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use registry::access::KeyRing;

const FILE: &str = "keys";
const NEXT_FILE: &str = "keys.next";
const SECRET_BYTES: usize = 32;

/// How many secrets are used: tokens live for minutes, rotations are further apart.
const USED: usize = 2;

/// The signing secrets, the newest first; never none.
pub(crate) struct Keys(Vec<Vec<u8>>);

impl Keys {
    /// Makes the first secret of the data folder, unless there is one.
    pub(crate) fn make_first(data: &Path) -> Result<()> {
        let path = path(data);
        match path.try_exists().with_context(|| path.display().to_string())? {
            true => Ok(()),
            false => write(data, &[fresh()?], None),
        }
    }

    /// Reads the secrets of the data folder, if nobody else can.
    pub(crate) fn read(data: &Path) -> Result<Self> {
        let path = path(data);
        let keys = File::open(&path).map_err(anyhow::Error::from).and_then(|file| read(file, &path));
        keys.with_context(|| format!("signing keys {}", path.display()))
    }

    /// Puts a new secret first, and keeps the one that was.
    pub(crate) fn rotate(data: &Path) -> Result<()> {
        let path = path(data);
        let owner = match std::fs::metadata(&path) {
            Ok(file) => (file.uid(), file.gid()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("there is no {}: the registry makes it at its first start", path.display())
            }
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        let mut secrets = Self::read(data)?.0;
        secrets.insert(0, fresh()?);
        secrets.truncate(USED);
        write(data, &secrets, Some(owner))
    }

    /// Returns them as the keys of the registry with this name.
    pub(crate) fn ring(&self, service: &str) -> KeyRing {
        let older: Vec<&[u8]> = self.0.iter().skip(1).map(Vec::as_slice).collect();
        KeyRing::new(service, &self.0[0], &older)
    }
}

/// Returns where the secrets are.
pub(crate) fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

fn read(mut file: File, path: &Path) -> Result<Keys> {
    if file.metadata()?.mode() & 0o077 != 0 {
        bail!("others can read it, and make tokens of their own; end that: chmod 600 {}", path.display());
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let secrets = lines.take(USED).map(secret).collect::<Result<Vec<_>>>()?;
    if secrets.is_empty() {
        bail!("there is no secret in it; without the file the next start makes a new one");
    }
    Ok(Keys(secrets))
}

/// What is wrong is not shown: it may be most of a secret.
fn secret(line: &str) -> Result<Vec<u8>> {
    let secret = hex::decode(line).ok().filter(|secret| secret.len() >= SECRET_BYTES);
    secret.with_context(|| format!("each line has to be at least {SECRET_BYTES} bytes in hex"))
}

fn fresh() -> Result<Vec<u8>> {
    let mut secret = vec![0; SECRET_BYTES];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// Writes the file as a whole: a reader finds the old one or the new one.
fn write(data: &Path, secrets: &[Vec<u8>], owner: Option<(u32, u32)>) -> Result<()> {
    let (next, path) = (data.join(NEXT_FILE), path(data));
    let written = || -> std::io::Result<()> {
        // What a crash has left may be readable to others.
        std::fs::remove_file(&next).or_else(|error| match error.kind() {
            ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        })?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&next)?;
        if let Some((user, group)) = owner {
            // Root may rotate the keys of a server that is somebody else.
            std::os::unix::fs::fchown(&file, Some(user), Some(group))?;
        }
        for secret in secrets {
            writeln!(file, "{}", hex::encode(secret))?;
        }
        file.sync_all()?;
        std::fs::rename(&next, &path)?;
        File::open(data)?.sync_all()
    };
    written().with_context(|| format!("signing keys {}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn lines(data: &Path) -> Vec<String> {
        std::fs::read_to_string(path(data)).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_first_start_makes_a_secret_for_its_owner_alone_and_the_next_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        Keys::make_first(folder.path()).unwrap();
        let first = lines(folder.path());
        assert_eq!((first.len(), first[0].len()), (1, 2 * SECRET_BYTES));
        assert_eq!(std::fs::metadata(path(folder.path())).unwrap().mode() & 0o777, 0o600);
        Keys::make_first(folder.path()).unwrap();
        assert_eq!(lines(folder.path()), first);
    }

    #[test]
    fn a_rotation_puts_a_new_secret_first_and_keeps_one() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Keys::rotate(folder.path()).is_err(), "there is nothing to rotate");
        Keys::make_first(folder.path()).unwrap();
        let first = lines(folder.path());
        std::fs::write(folder.path().join(NEXT_FILE), "left by a crash").unwrap();
        Keys::rotate(folder.path()).unwrap();
        let second = lines(folder.path());
        assert_eq!(second[1..], first);
        Keys::rotate(folder.path()).unwrap();
        let third = lines(folder.path());
        assert_eq!((third.len(), &third[1]), (2, &second[0]));
        assert_eq!(std::fs::metadata(path(folder.path())).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn what_others_can_read_is_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        Keys::make_first(folder.path()).unwrap();
        for mode in [0o640, 0o604, 0o620] {
            std::fs::set_permissions(path(folder.path()), PermissionsExt::from_mode(mode)).unwrap();
            let error = format!("{:#}", Keys::read(folder.path()).err().unwrap());
            assert!(error.contains(&format!("chmod 600 {}", path(folder.path()).display())), "{error}");
        }
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        Keys::make_first(folder.path()).unwrap();
        for bad in ["", "\n\n", "abcdef", &"x".repeat(64), &format!("{}\nabcdef", "ab".repeat(32))] {
            std::fs::write(path(folder.path()), bad).unwrap();
            let error = format!("{:#}", Keys::read(folder.path()).err().unwrap());
            assert!(!error.contains("abcdef") && !error.contains("xxx"), "{error}");
        }
        // More than two are no mistake; only two are used.
        std::fs::write(path(folder.path()), format!("{0}\n{0}\nabcdef", "ab".repeat(32))).unwrap();
        assert_eq!(Keys::read(folder.path()).unwrap().0.len(), 2);
    }
}
