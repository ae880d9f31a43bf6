//! The second step of a push: what the commit rests on, read after the edges.

use oci::{Digest, Tag, Target, TargetKind};

use crate::manifests::prepare::Prepared;
use crate::ports::{Condition, Item, Write};
use crate::records::{LinkState, ManifestRecord, ManifestState, Record, keys};
use crate::registry::ATTEMPTS;
use crate::{Error, ManifestPut, Registry};

/// What the commit rests on.
#[derive(Default)]
pub(crate) struct Standing {
    /// The repository, as the commit expects to find it.
    pub(crate) repository: Option<Item>,
    /// The writes by which the repository is there with the manifest.
    pub(crate) repository_writes: Vec<Write>,
    /// The tags, as the commit expects to find them.
    pub(crate) tags: Vec<Option<Item>>,
    /// What is referenced and not there.
    pub(crate) missing: Vec<Digest>,
    /// Why there must be no commit.
    pub(crate) refusal: Option<Error>,
}

impl Standing {
    /// Returns a tag that this push would move, and must not.
    fn immutable_tag(&self, put: &ManifestPut<'_>) -> Option<Tag> {
        let immutable = &self.repository.as_ref()?.record.as_repository()?.immutable_tags;
        let is_moved = |before: &Option<Item>| {
            before.as_ref().and_then(|item| item.record.as_tag()).is_some_and(|tag| tag.digest != put.digest)
        };
        let mut moved = put.tags.iter().zip(&self.tags).filter(|(_, before)| is_moved(before));
        moved.find(|(tag, _)| immutable.covers(tag)).map(|(tag, _)| tag.clone())
    }

    /// Returns why this push must not be committed, if anything speaks against it.
    pub(crate) fn refusal(&mut self, put: &ManifestPut<'_>) -> Option<Error> {
        let repository = || put.repository.clone();
        self.refusal.take().or_else(|| match self.missing.is_empty() {
            false => {
                Some(Error::ManifestBlobUnknown { repository: repository(), missing: self.missing.clone() })
            }
            true => Some(Error::TagImmutable { repository: repository(), tag: self.immutable_tag(put)? }),
        })
    }
}

impl Registry {
    /// Reads, after the edges, all that the commit rests on (P2); `None` if the repository has begun meanwhile.
    ///
    /// What is missing may be on its way: uploaded, but not taken over yet.
    pub(crate) async fn manifest_standing(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
    ) -> Result<Option<Standing>, Error> {
        let first = match self.manifest_look(put, prepared).await? {
            Some(first) if !first.missing.is_empty() => first,
            first => return Ok(first),
        };
        let refusal = match self.uploads_adopt(put.repository, put.principal).await {
            Ok(false) => return Ok(Some(first)),
            Ok(true) => None,
            Err(error) => Some(error),
        };
        let second = self.manifest_look(put, prepared).await?;
        Ok(second.map(|second| match second.missing.is_empty() {
            true => second,
            false => Standing { refusal, ..second },
        }))
    }

    /// Returns repository and tags as they are, and which references are not there.
    async fn manifest_look(
        &self,
        put: &ManifestPut<'_>,
        prepared: &Prepared,
    ) -> Result<Option<Standing>, Error> {
        let is_pending = prepared.pending_watch.is_some();
        let references = if is_pending { put.manifest.references.as_slice() } else { &[] };
        let mut keys = vec![keys::repository(put.repository)];
        keys.extend(put.tags.iter().map(|tag| keys::tag(put.repository, tag)));
        keys.extend(references.iter().map(|target| match target.kind {
            TargetKind::Blob => keys::link(put.repository, &target.digest),
            TargetKind::Manifest => keys::manifest(put.repository, &target.digest),
        }));
        let mut found = self.stores.items.get(&keys).await?.into_iter();
        let repository = found.next().flatten();
        let writes = self.repository_writes(put.repository, repository.as_ref(), put.beginner).await;
        let repository_writes = match writes {
            Ok(Some(writes)) => writes,
            Ok(None) => return Ok(None),
            Err(refusal @ (Error::RepositoryUnknown(_) | Error::RepositoryEnding(_))) => {
                return Ok(Some(Standing { refusal: Some(refusal), ..Standing::default() }));
            }
            Err(error) => return Err(error),
        };
        let tags = found.by_ref().take(put.tags.len()).collect();
        let (mut missing, mut refusal) = (Vec::new(), None);
        for (target, item) in references.iter().zip(found) {
            refusal = refusal.or_else(|| contradiction(target, &item.as_ref()?.record));
            if !self.reference_hold(put, target, item).await? && !target.may_be_missing {
                missing.push(target.digest.clone());
            }
        }
        Ok(Some(Standing { repository, repository_writes, tags, missing, refusal }))
    }

    /// Returns whether the referenced blob or manifest is there; the edge keeps it there from now on.
    ///
    /// What somebody flagged before they could see the edge is revived here, or found gone. A deletion that is decided is
    /// carried out: a client that is told that something is missing must not find it when it looks.
    async fn reference_hold(
        &self,
        put: &ManifestPut<'_>,
        target: &Target,
        item: Option<Item>,
    ) -> Result<bool, Error> {
        let mut seen = item;
        for _ in 0..ATTEMPTS {
            let Some(item) = seen else { return Ok(false) };
            let revival = match &item.record {
                Record::Manifest(manifest) => match manifest.state {
                    ManifestState::Live => return Ok(true),
                    ManifestState::Dying => self.manifest_revival(&item, manifest),
                    ManifestState::Doomed => {
                        self.manifest_deletion_end(put.repository, &target.digest).await?;
                        seen = self.get(item.key).await?;
                        continue;
                    }
                    ManifestState::Pending | ManifestState::Deleting => return Ok(false),
                },
                Record::Link(link) => match link.state {
                    LinkState::Live => return Ok(true),
                    LinkState::Dying => self.link_revival(&item, link),
                    LinkState::Pending => return Ok(false),
                },
                _ => return Ok(false),
            };
            match self.transact(vec![revival]).await? {
                None => return Ok(true),
                // Others revive and flag it too; what they made of it decides.
                Some(conflict) => seen = conflict.found,
            }
        }
        Err(Error::Contended)
    }

    /// The write that makes a flagged manifest live again; whoever flagged it finds it changed.
    pub(crate) fn manifest_revival(&self, item: &Item, record: &ManifestRecord) -> Write {
        let live = ManifestRecord { state: ManifestState::Live, ..record.clone() };
        let seen = Condition::Version(item.version.clone());
        self.put(item.key.clone(), self.fresh_version(), Record::Manifest(live), seen)
    }
}

/// Returns why the descriptor is wrong, as far as the registry knows its content.
///
/// Clients trust it: with another size, what is there can be pushed and never pulled.
fn contradiction(target: &Target, known: &Record) -> Option<Error> {
    let (size_bytes, media_type) = match known {
        Record::Link(link) => (link.size_bytes, None),
        Record::Manifest(manifest) => (manifest.size_bytes, Some(&manifest.media_type)),
        _ => return None,
    };
    let (stated, known) = match media_type {
        _ if size_bytes != target.size => (format!("{} bytes", target.size), format!("{size_bytes} bytes")),
        Some(media_type) if *media_type != target.media_type => {
            (target.media_type.to_string(), media_type.to_string())
        }
        _ => return None,
    };
    Some(Error::DescriptorContradicts { digest: target.digest.clone(), stated, known })
}
