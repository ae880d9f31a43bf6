//! Deleting manifests that nobody asked to delete: for the collector, and when a repository ends.

use oci::{Digest, RepositoryName};

use crate::manifests::delete::{Deletion, Flagged};
use crate::ports::{Condition, Item, Timestamp, Write};
use crate::records::{ImmutableTags, ManifestRecord, ManifestState};
use crate::{Error, Principal, Registry};

/// Why a manifest goes that can be pulled and that nobody has deleted.
pub(crate) struct Grounds<'a> {
    /// When it was pushed, as far as was known: one that was pushed anew since then is kept.
    pub(crate) pushed: Timestamp,
    /// Whether somebody needs it, as an edge says that leads to it.
    pub(crate) needs: &'a (dyn Fn(&Item) -> bool + Sync),
    /// What else has to be true when it goes.
    pub(crate) only_while: Option<Write>,
}

impl Registry {
    /// Removes the manifest unless somebody needs it.
    ///
    /// Flag, look, decide: whoever refers to it, or tags it, after the look has taken the flag off. What was half removed
    /// already is removed in any case. Returns whether it is gone.
    pub(crate) async fn manifest_collect(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        digest: &Digest,
        grounds: &Grounds<'_>,
    ) -> Result<bool, Error> {
        let Some(flagged) = self.manifest_flag(repository, digest, None).await? else { return Ok(false) };
        let mut deletion = flagged.deletion(repository, principal, digest);
        if deletion.record.state.may_stay() {
            deletion.only_while.clone_from(&grounds.only_while);
            let needing = |edge: &Item| (grounds.needs)(edge).then_some(());
            let is_needed = deletion.record.pushed > grounds.pushed
                || self.edges_find(repository, digest, None, needing).await?.is_some();
            if is_needed {
                self.manifest_unflag(&deletion).await?;
                return Ok(false);
            }
        }
        self.manifest_end_of(&mut deletion).await
    }

    /// Carries out a deletion that is decided: one that did not end, or that is in the way of a push.
    ///
    /// Returns whether it is this one that has ended it.
    pub(crate) async fn manifest_deletion_end(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<bool, Error> {
        let Some(flagged) = self.manifest_resume(repository, digest).await? else { return Ok(false) };
        let principal = Principal::garbage_collection();
        self.manifest_end_of(&mut flagged.deletion(repository, &principal, digest)).await
    }

    /// Ends a push that never did: nobody has seen its manifest, and from here on it cannot be committed. With `ending` only
    /// while that holds.
    pub(crate) async fn manifest_pending_collect(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        digest: &Digest,
        seen: &Item,
        record: &ManifestRecord,
        ending: Option<&Write>,
    ) -> Result<bool, Error> {
        let record = ManifestRecord { state: ManifestState::Deleting, ..record.clone() };
        let item = self.manifest_item(seen, &record);
        let unchanged = Condition::Version(seen.version.clone());
        let flag = [Write::Put(item.clone(), unchanged)].into_iter().chain(ending.cloned());
        if self.transact(flag.collect()).await?.is_some() {
            return Ok(false);
        }
        let flagged = Flagged { item, record, immutable_tags: ImmutableTags::default(), watch: None };
        let mut deletion = flagged.deletion(repository, principal, digest);
        self.manifest_end_of(&mut deletion).await
    }

    async fn manifest_end_of(&self, deletion: &mut Deletion<'_>) -> Result<bool, Error> {
        let is_deleted = self.manifest_delete_flagged(deletion).await;
        self.manifest_cache.remove(deletion.repository, deletion.digest);
        match is_deleted {
            Err(Error::ManifestReferenced { .. } | Error::TagImmutable { .. }) => Ok(false),
            is_deleted => is_deleted,
        }
    }
}
