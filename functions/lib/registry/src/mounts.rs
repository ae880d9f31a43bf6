//! Mounts: a repository gets a blob that another one has, without its bytes moving.

use oci::{Digest, RepositoryName};

use crate::blobs::readable_link;
use crate::ports::{Condition, Item, Query, Version};
use crate::records::keys::{self, BLOB_EDGES};
use crate::records::{BlobState, LinkOrigin, LinkRecord, LinkState, Record, SuspectRecord};
use crate::{Error, Registry};

/// How many repositories a mount without `from` tries.
const CANDIDATES_MAX: usize = 10;

/// What became of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MountOutcome {
    /// The repository has the blob.
    Mounted,
    /// It cannot be mounted; the client has to upload it. The reason is not told: it could betray a repository.
    NotMounted,
}

impl Registry {
    /// Mounts the blob, from `from` or from any repository that has it.
    pub async fn blob_mount(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        from: Option<&RepositoryName>,
    ) -> Result<MountOutcome, Error> {
        let sources = match from {
            Some(from) => vec![from.clone()],
            None => self.mount_candidates(digest).await?,
        };
        for source in sources {
            if self.blob_mount_from(repository, digest, &source).await? == MountOutcome::Mounted {
                return Ok(MountOutcome::Mounted);
            }
        }
        Ok(MountOutcome::NotMounted)
    }

    /// Returns repositories that may have the blob.
    async fn mount_candidates(&self, digest: &Digest) -> Result<Vec<RepositoryName>, Error> {
        let query = Query {
            pk: keys::blob_partition(digest),
            prefix: BLOB_EDGES.to_owned(),
            limit: CANDIDATES_MAX,
            ..Query::default()
        };
        let edges = self.stores.items.query(query).await?;
        Ok(edges.iter().filter_map(|edge| edge.key.sk.strip_prefix(BLOB_EDGES)?.parse().ok()).collect())
    }

    async fn blob_mount_from(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        source: &RepositoryName,
    ) -> Result<MountOutcome, Error> {
        let keys = [keys::link(source, digest), keys::link(repository, digest)];
        let found = self.stores.items.get(&keys).await?;
        let [source_item, own_item] = found.as_slice() else { return Ok(MountOutcome::NotMounted) };
        let Some(source_link) = source_item.as_ref().and_then(readable_link) else {
            return Ok(MountOutcome::NotMounted);
        };
        if own_item.as_ref().and_then(readable_link).is_some() {
            let held = self.blob_head(repository, digest).await;
            return Ok(if held.is_ok() { MountOutcome::Mounted } else { MountOutcome::NotMounted });
        }
        self.link_mount(repository, digest, (source, source_link), own_item.as_ref()).await
    }

    /// Edge and unconfirmed link first, then a look at the blob, then the confirmation (rule R2).
    ///
    /// An unconfirmed link of somebody else is taken over with an epoch of our own: nobody may confirm a mount
    /// without having looked at the blob after writing the edge.
    async fn link_mount(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        (source, source_link): (&RepositoryName, &LinkRecord),
        own_item: Option<&Item>,
    ) -> Result<MountOutcome, Error> {
        let epoch = self.fresh_version();
        let link = LinkRecord {
            state: LinkState::Pending,
            lease_until: self.now().after(self.lifetimes.lease),
            origin: LinkOrigin::Mounted(source.clone()),
            ..source_link.clone()
        };
        let suspect = SuspectRecord::Link { repository: repository.clone(), digest: digest.clone() };
        let link_key = keys::link(repository, digest);
        let began = self
            .transact(vec![
                self.put(
                    keys::blob_edge(digest, repository),
                    epoch.clone(),
                    Record::BlobEdge,
                    Condition::Always,
                ),
                self.put(link_key, epoch.clone(), Record::Link(link.clone()), Condition::unchanged(own_item)),
                self.suspect(suspect, self.lifetimes.lease),
            ])
            .await?;
        let confirmed = began.is_none()
            && self.blob_keeps(digest, &link).await?
            && self.link_confirm(repository, digest, &epoch, link).await?;
        Ok(if confirmed { MountOutcome::Mounted } else { MountOutcome::NotMounted })
    }

    /// Returns whether the blob is live and its bytes are where the link says.
    async fn blob_keeps(&self, digest: &Digest, link: &LinkRecord) -> Result<bool, Error> {
        let item = self.get(keys::blob(digest)).await?;
        let blob = item.as_ref().and_then(|item| item.record.as_blob());
        Ok(blob.is_some_and(|blob| blob.state == BlobState::Live && blob.object == link.object))
    }

    async fn link_confirm(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        epoch: &Version,
        link: LinkRecord,
    ) -> Result<bool, Error> {
        let live = Record::Link(LinkRecord { state: LinkState::Live, ..link });
        let own = Condition::Version(epoch.clone());
        let confirm = self.put(keys::link(repository, digest), self.fresh_version(), live, own);
        Ok(self.transact(vec![confirm]).await?.is_none())
    }
}
