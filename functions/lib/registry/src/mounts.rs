//! Mounts: a repository gets a blob that another one has, without its bytes moving.

use oci::{Digest, RepositoryName};

use crate::beginning::refuse_ending;
use crate::blobs::readable_link;
use crate::ports::{Condition, Item, Query, Version, Write};
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

/// A mount under way.
struct Mount<'a> {
    repository: &'a RepositoryName,
    digest: &'a Digest,
    /// The link to write, not confirmed yet.
    link: LinkRecord,
    /// What stands in its place.
    own_item: Option<&'a Item>,
}

impl Registry {
    /// Mounts the blob from the first of `sources` that has it.
    pub(crate) async fn blob_mount(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        sources: &[RepositoryName],
    ) -> Result<MountOutcome, Error> {
        for source in sources {
            let outcome = match source == repository {
                true => self.mount_own(repository, digest).await?,
                false => self.blob_mount_from(repository, digest, source).await?,
            };
            if outcome == MountOutcome::Mounted {
                return Ok(outcome);
            }
        }
        Ok(MountOutcome::NotMounted)
    }

    /// What the repository has already is only held.
    async fn mount_own(&self, repository: &RepositoryName, digest: &Digest) -> Result<MountOutcome, Error> {
        match self.blob_head(repository, digest).await {
            Ok(_) => Ok(MountOutcome::Mounted),
            Err(Error::BlobUnknown { .. }) => Ok(MountOutcome::NotMounted),
            Err(error) => Err(error),
        }
    }

    /// Returns repositories that may have the blob.
    pub(crate) async fn mount_candidates(&self, digest: &Digest) -> Result<Vec<RepositoryName>, Error> {
        let query = Query {
            pk: keys::blob_partition(digest),
            prefix: BLOB_EDGES.to_owned(),
            limit: CANDIDATES_MAX,
            ..Query::default()
        };
        let edges = self.stores.items.query(query).await?;
        let names = edges.iter().filter_map(|edge| edge.key.sk.strip_prefix(BLOB_EDGES)?.parse().ok());
        Ok(names.collect())
    }

    async fn blob_mount_from(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        source: &RepositoryName,
    ) -> Result<MountOutcome, Error> {
        let keys = [
            keys::link(source, digest),
            keys::link(repository, digest),
            keys::blob(digest),
            keys::repository(repository),
        ];
        let found = self.stores.items.get(&keys).await?;
        let [source_item, own_item, blob_item, target] = found.as_slice() else {
            return Ok(MountOutcome::NotMounted);
        };
        refuse_ending(repository, target.as_ref())?;
        let Some(source_link) = source_item.as_ref().and_then(readable_link) else {
            return Ok(MountOutcome::NotMounted);
        };
        if own_item.as_ref().and_then(readable_link).is_some() {
            return self.mount_own(repository, digest).await;
        }
        let link = LinkRecord {
            state: LinkState::Pending,
            lease_until: self.now().after(self.lifetimes.lease),
            origin: LinkOrigin::Mounted(source.clone()),
            ..source_link.clone()
        };
        let mount = Mount { repository, digest, link, own_item: own_item.as_ref() };
        let is_mounted = match blob_item.as_ref().filter(|item| keeps(item, &mount.link)) {
            Some(blob) if self.link_at_once(&mount, blob).await? => true,
            _ => self.link_by_handshake(&mount).await?,
        };
        Ok(if is_mounted { MountOutcome::Mounted } else { MountOutcome::NotMounted })
    }

    /// Edge and link in one transaction, while the blob is as it was read.
    ///
    /// A store may refuse that when many mount the same blob at once, although nothing is in the way.
    async fn link_at_once(&self, mount: &Mount<'_>, blob: &Item) -> Result<bool, Error> {
        let live = LinkRecord { state: LinkState::Live, ..mount.link.clone() };
        let mut writes = self.link_writes(mount, &self.fresh_version(), live);
        writes.push(Write::Check(blob.key.clone(), Condition::Version(blob.version.clone())));
        Ok(self.transact(writes).await?.is_none())
    }

    /// Edge and unconfirmed link first, then a look at the blob, then the confirmation (rule R2): nothing that
    /// others write is touched.
    ///
    /// An unconfirmed link of somebody else is taken over with an epoch of our own: nobody may confirm a mount
    /// without having looked at the blob after writing the edge.
    async fn link_by_handshake(&self, mount: &Mount<'_>) -> Result<bool, Error> {
        let epoch = self.fresh_version();
        let began = self.transact(self.link_writes(mount, &epoch, mount.link.clone())).await?;
        Ok(began.is_none()
            && self.blob_keeps(mount.digest, &mount.link).await?
            && self.link_confirm(mount, &epoch).await?)
    }

    fn link_writes(&self, mount: &Mount<'_>, epoch: &Version, link: LinkRecord) -> Vec<Write> {
        let (repository, digest) = (mount.repository, mount.digest);
        let suspect = SuspectRecord::Link { repository: repository.clone(), digest: digest.clone() };
        let edge_key = keys::blob_edge(digest, repository);
        let unchanged = Condition::unchanged(mount.own_item);
        vec![
            self.put(edge_key, epoch.clone(), Record::BlobEdge, Condition::Always),
            self.put(keys::link(repository, digest), epoch.clone(), Record::Link(link), unchanged),
            self.suspect(suspect, self.lifetimes.lease),
        ]
    }

    async fn blob_keeps(&self, digest: &Digest, link: &LinkRecord) -> Result<bool, Error> {
        let item = self.get(keys::blob(digest)).await?;
        Ok(item.is_some_and(|item| keeps(&item, link)))
    }

    async fn link_confirm(&self, mount: &Mount<'_>, epoch: &Version) -> Result<bool, Error> {
        let live = Record::Link(LinkRecord { state: LinkState::Live, ..mount.link.clone() });
        let own = Condition::Version(epoch.clone());
        let confirm = self.put(keys::link(mount.repository, mount.digest), self.fresh_version(), live, own);
        Ok(self.transact(vec![confirm]).await?.is_none())
    }
}

/// Returns whether the blob is live and its bytes are where the link says.
fn keeps(blob: &Item, link: &LinkRecord) -> bool {
    blob.record.as_blob().is_some_and(|blob| blob.state == BlobState::Live && blob.object == link.object)
}
