//! redb checks no page that it reads, and panics at some that are not what it wrote.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does work with the database; a page that cannot be worked with is an error.
///
/// What the work had begun ends with it: redb gives up a transaction that a panic goes through.
pub(crate) fn unless_damaged<T>(work: impl FnOnce() -> T) -> Result<T, redb::Error> {
    catch_unwind(AssertUnwindSafe(work))
        .map_err(|_| redb::Error::Corrupted("a page of it is not what was written".to_owned()))
}
