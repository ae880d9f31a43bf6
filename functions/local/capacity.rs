//! How many connections the server takes: as many as the system grants it open files for.

use anyhow::{Result, ensure};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use server::Limits;

/// How many connections there may be at one moment, and from one address.
const CONNECTIONS_MAX: usize = 2048;
const CONNECTIONS_PER_ADDRESS_MAX: usize = 512;

/// With fewer it does not start: clients have several each.
const CONNECTIONS_MIN: usize = 16;

/// How many files are open beside those of connections, and how many a connection has while it is answered.
const OWN_FILES: usize = 128;
const FILES_OF_EACH: usize = 2;

/// Returns how many connections there may be; from a proxy come those of all clients.
///
/// Each takes half a MiB at most until its request is whole.
pub(crate) fn limits(is_behind_proxy: bool) -> Result<Limits> {
    limits_with(more_files().try_into().unwrap_or(usize::MAX), is_behind_proxy)
}

fn limits_with(files: usize, is_behind_proxy: bool) -> Result<Limits> {
    let in_all = (files.saturating_sub(OWN_FILES) / FILES_OF_EACH).min(CONNECTIONS_MAX);
    ensure!(
        in_all >= CONNECTIONS_MIN,
        "the system lets this program open {files} files, which is room for {in_all} connections; it needs {} at \
         least, and takes all that it can with 4,224 (`ulimit -n`)",
        OWN_FILES + FILES_OF_EACH * CONNECTIONS_MIN
    );
    // Half of them stay for others, however few there are.
    let per_address = CONNECTIONS_PER_ADDRESS_MAX.min(in_all / 2);
    Ok(Limits { per_address: if is_behind_proxy { in_all } else { per_address }, in_all })
}

/// Has as many files open as the system allows; returns how many that are.
fn more_files() -> u64 {
    let now = getrlimit(Resource::Nofile);
    let most = Rlimit { current: now.maximum, ..now };
    let granted = if setrlimit(Resource::Nofile, most).is_ok() { most } else { now };
    granted.current.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_has_more_than_half_of_the_connections_however_few_files_there_are() {
        for (files, per_address, in_all) in
            [(usize::MAX, 512, 2048), (4224, 512, 2048), (2048, 480, 960), (1024, 224, 448), (160, 8, 16)]
        {
            let limits = limits_with(files, false).unwrap();
            assert_eq!((limits.per_address, limits.in_all), (per_address, in_all), "{files}");
            assert_eq!(limits_with(files, true).unwrap().per_address, in_all, "of a proxy, {files}");
        }
    }

    #[test]
    fn with_room_for_hardly_a_connection_it_says_what_to_raise() {
        for files in [0, 128, 159] {
            let refused = limits_with(files, false).unwrap_err().to_string();
            assert!(
                refused.contains(&format!(" {files} files")) && refused.contains("needs 160"),
                "{refused}"
            );
            assert!(refused.contains("ulimit -n"), "{refused}");
        }
    }
}
