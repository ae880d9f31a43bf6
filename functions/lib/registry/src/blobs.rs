//! Blobs: reading, holding and deleting what a repository has.

use std::ops::Range;

use oci::{Digest, RepositoryName};

use crate::ports::{ByteStream, Condition, Item, ObjectKey, Query, StoreError, StoreErrorKind, Write};
use crate::records::keys::{self, EdgeSource};
use crate::records::{LinkRecord, LinkState, Record, SuspectRecord};
use crate::registry::ATTEMPTS;
use crate::{Error, Registry};

/// A blob that a repository has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    /// Its digest.
    pub digest: Digest,
    /// How long it is.
    pub size_bytes: u64,
    object: ObjectKey,
}

impl Registry {
    /// Finds a blob for reading. The link is the only right to read it (P6): HEAD, GET, ranges and mounts ask here.
    pub(crate) async fn blob_get(&self, repository: &RepositoryName, digest: &Digest) -> Result<Blob, Error> {
        let item = self.get(keys::link(repository, digest)).await?;
        match item.as_ref().and_then(readable_link) {
            Some(link) => Ok(Blob::of(digest, link)),
            None => Err(unknown(repository, digest)),
        }
    }

    /// Finds a blob and holds it: it stays for at least half a lease, referenced or not (P9).
    pub(crate) async fn blob_head(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<Blob, Error> {
        for _ in 0..ATTEMPTS {
            let item = self.get(keys::link(repository, digest)).await?;
            let (item, link) = readable(item.as_ref()).ok_or_else(|| unknown(repository, digest))?;
            let blob = Blob::of(digest, link);
            let Some(renewal) = self.link_renewal(item, link) else { return Ok(blob) };
            if self.transact(vec![renewal]).await?.is_none() {
                return Ok(blob);
            }
        }
        Err(Error::Contended)
    }

    /// Returns the write that makes the link hold for a whole lease again, if it needs one.
    fn link_renewal(&self, item: &Item, link: &LinkRecord) -> Option<Write> {
        let half_a_lease_from_now = self.now().after(self.lifetimes.lease / 2);
        let holds = link.state == LinkState::Live && link.lease_until >= half_a_lease_from_now;
        (!holds).then(|| self.link_revival(item, link))
    }

    /// The write that makes the link live for a whole lease; whoever flagged it finds it changed.
    pub(crate) fn link_revival(&self, item: &Item, link: &LinkRecord) -> Write {
        let lease_until = self.now().after(self.lifetimes.lease);
        let revived = LinkRecord { state: LinkState::Live, lease_until, ..link.clone() };
        let seen = Condition::Version(item.version.clone());
        self.put(item.key.clone(), self.fresh_version(), Record::Link(revived), seen)
    }

    /// Returns the bytes of `range`, which must lie within the blob.
    pub(crate) async fn blob_read(&self, blob: &Blob, range: Range<u64>) -> Result<ByteStream, Error> {
        let stream = self.stores.objects.get(&blob.object, range).await?;
        Ok(stream.ok_or_else(|| {
            let context = format!("object {} of blob {} is missing", blob.object, blob.digest);
            StoreError::new(StoreErrorKind::Corrupt, context)
        })?)
    }

    /// Returns a URL under which the store itself serves the blob, if it can.
    pub(crate) async fn blob_url(&self, blob: &Blob) -> Result<Option<String>, Error> {
        match &self.stores.abilities.downloads {
            Some(downloads) => Ok(Some(downloads.signed_get(&blob.object).await?)),
            None => Ok(None),
        }
    }

    /// Returns a URL under which the store itself answers a HEAD of the blob, if it can.
    pub(crate) async fn blob_head_url(&self, blob: &Blob) -> Result<Option<String>, Error> {
        match &self.stores.abilities.downloads {
            Some(downloads) => Ok(Some(downloads.signed_head(&blob.object).await?)),
            None => Ok(None),
        }
    }

    /// Takes the blob from the repository, unless a manifest there needs it.
    pub(crate) async fn blob_delete(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let item = self.get(keys::link(repository, digest)).await?;
            let (item, link) = readable(item.as_ref()).ok_or_else(|| unknown(repository, digest))?;
            let Some(flagged) = self.link_flag(item, link).await? else { continue };
            if let Some(manifest) = self.referring_manifest(repository, digest).await? {
                // Whoever changed the link meanwhile has revived it already.
                self.transact(vec![self.link_revival(&flagged, link)]).await?;
                return Err(Error::BlobReferenced { digest: digest.clone(), manifest });
            }
            if self.link_delete(repository, digest, &flagged).await? {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }

    /// Flags the link (rule R3), so that a push either sees the flag or its edge is seen; `None` if it changed.
    async fn link_flag(&self, item: &Item, link: &LinkRecord) -> Result<Option<Item>, Error> {
        let flagged = self.link_flagged(item, link);
        let seen = Condition::Version(item.version.clone());
        let conflict = self.transact(vec![Write::Put(flagged.clone(), seen)]).await?;
        Ok(conflict.is_none().then_some(flagged))
    }

    /// The link with the flag, in an epoch of its own.
    pub(crate) fn link_flagged(&self, item: &Item, link: &LinkRecord) -> Item {
        Item {
            key: item.key.clone(),
            version: self.fresh_version(),
            record: Record::Link(LinkRecord { state: LinkState::Dying, ..link.clone() }),
        }
    }

    /// Returns whether the flagged link is gone; if not, somebody revived it.
    async fn link_delete(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        flagged: &Item,
    ) -> Result<bool, Error> {
        Ok(self.transact(self.link_removal(repository, digest, flagged)).await?.is_none())
    }

    /// The writes that end a link, unless somebody has changed it; what it led to becomes a suspect.
    pub(crate) fn link_removal(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        seen: &Item,
    ) -> Vec<Write> {
        let suspect = SuspectRecord::Blob { digest: digest.clone() };
        vec![
            Write::Delete(seen.key.clone(), Condition::Version(seen.version.clone())),
            Write::Delete(keys::blob_edge(digest, repository), Condition::Always),
            self.suspect(suspect, std::time::Duration::ZERO),
        ]
    }

    /// Returns a manifest of the repository that needs `target`, if there is one.
    pub(crate) async fn referring_manifest(
        &self,
        repository: &RepositoryName,
        target: &Digest,
    ) -> Result<Option<Digest>, Error> {
        let query = Query {
            pk: keys::edge_partition(repository),
            prefix: keys::edges_from_manifests_to(target),
            limit: 1,
            ..Query::default()
        };
        let edges = self.stores.items.query(query).await?;
        Ok(edges.first().and_then(|edge| match keys::parse_edge(&edge.key.sk) {
            Some((_, EdgeSource::Manifest(manifest))) => Some(manifest),
            _ => None,
        }))
    }
}

impl Blob {
    pub(crate) fn of(digest: &Digest, link: &LinkRecord) -> Self {
        Self { digest: digest.clone(), size_bytes: link.size_bytes, object: link.object.clone() }
    }
}

/// Returns the link if the repository has the blob: a mount that was not confirmed does not count.
pub(crate) fn readable_link(item: &Item) -> Option<&LinkRecord> {
    item.record.as_link().filter(|link| link.state != LinkState::Pending)
}

fn readable(item: Option<&Item>) -> Option<(&Item, &LinkRecord)> {
    item.and_then(|item| Some((item, readable_link(item)?)))
}

fn unknown(repository: &RepositoryName, digest: &Digest) -> Error {
    Error::BlobUnknown { repository: repository.clone(), digest: digest.clone() }
}
