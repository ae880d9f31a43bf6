//! The end of a repository, as those who own it begin it.

use std::time::Duration;

use oci::RepositoryName;

use crate::access::accounts::Access;
use crate::access::repositories::repository_unknown;
use crate::access::{AccessError, Caller};
use crate::ending::{Flagged, RepositoryEnd};
use crate::ports::{Condition, Item, Version, Write};
use crate::records::{AuditOutcome, Record, SuspectRecord};
use crate::registry::ATTEMPTS;

/// What the audit log calls it.
const DELETE: &str = "repository.delete";

impl Access {
    /// Deletes the repository with everything in it. One that breaks off in the middle, or is not gone within the time of
    /// an answer, is ended by a repetition, or by the collector; until then nothing can be pushed to it.
    pub async fn repository_delete(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<RepositoryEnd, AccessError> {
        let version = self.repository_flag(caller, name).await?;
        let until = self.options().deletes_within.map(|within| self.registry.now().after(within));
        let done = || Some(self.audit_write(caller, DELETE, name.as_str(), AuditOutcome::Done, ""));
        let flagged = Flagged { name, principal: &caller.principal(), version, until };
        let end = self.registry.repository_end(&flagged, done).await?;
        if end == RepositoryEnd::Begun {
            let suspect = SuspectRecord::Repository { repository: name.clone() };
            self.registry.transact(vec![self.registry.suspect(suspect, Duration::ZERO)]).await?;
        }
        Ok(end)
    }

    /// Flags the repository, or goes on with a deletion that did not end; the queue watches over it.
    async fn repository_flag(&self, caller: &Caller, name: &RepositoryName) -> Result<Version, AccessError> {
        for _ in 0..ATTEMPTS {
            let Item { key, version, record } = self.require_admin(caller, name).await?;
            let mut record = record.as_repository().cloned().ok_or_else(|| repository_unknown(name))?;
            let begun = self.audit_write(caller, DELETE, name.as_str(), AuditOutcome::Begun, "");
            let seen = Condition::Version(version.clone());
            if record.is_ending {
                if self.registry.transact(vec![Write::Check(key, seen), begun]).await?.is_none() {
                    return Ok(version);
                }
                continue;
            }
            record.is_ending = true;
            let flagged = self.registry.fresh_version();
            let suspect = SuspectRecord::Repository { repository: name.clone() };
            let writes = vec![
                self.registry.put(key, flagged.clone(), Record::Repository(record), seen),
                self.registry.suspect(suspect, self.registry.lifetimes.object),
                begun,
            ];
            if self.registry.transact(writes).await?.is_none() {
                return Ok(flagged);
            }
        }
        Err(AccessError::contended())
    }
}
