//! Blobs that no repository has.

use oci::Digest;

use super::fate::{Fate, or_damaged};
use super::queue::Visit;
use super::{Collector, Kind, Report, answers};
use crate::Error;
use crate::ports::{Condition, Item, Query, Write};
use crate::records::keys::{self, BLOB_EDGES};
use crate::records::{BlobRecord, BlobState, Record, SuspectRecord};

/// A blob that may be garbage.
struct Suspected {
    visit: Visit<Digest>,
    item: Item,
    blob: BlobRecord,
}

impl Collector {
    pub(super) async fn blobs(&self, visits: Vec<Visit<Digest>>, report: &mut Report) -> Result<(), Error> {
        let found = self.read(Kind::Blob, visits, keys::blob, Digest::to_string, report).await?;
        let (mut gone, mut suspected) = (Vec::new(), Vec::new());
        for (visit, item) in found {
            let blob = item.as_ref().and_then(|item| item.record.as_blob()).cloned();
            match (item, blob) {
                // The object of a dead one is a suspect of its own.
                (Some(item), Some(blob)) if blob.state != BlobState::Dead => {
                    suspected.push(Suspected { visit, item, blob });
                }
                _ => gone.push(visit),
            }
        }
        let (needed, unneeded) = self.blobs_look(suspected, report).await?;
        let (dying, live): (Vec<_>, Vec<_>) =
            needed.into_iter().partition(|blob| blob.blob.state == BlobState::Dying);
        self.suspects_drop(gone.into_iter().chain(live.into_iter().map(|blob| blob.visit)), report).await?;
        self.blobs_revive(dying, report).await?;
        let flagged = self.blobs_flag(unneeded, report).await?;
        let (needed, unneeded) = self.blobs_look(flagged, report).await?;
        self.blobs_revive(needed, report).await?;
        self.blobs_decide(unneeded, report).await
    }

    /// Tells blobs that a repository has, or is about to have, from those that none has.
    async fn blobs_look(
        &self,
        blobs: Vec<Suspected>,
        report: &mut Report,
    ) -> Result<(Vec<Suspected>, Vec<Suspected>), Error> {
        let questions = blobs.iter().map(|blob| self.is_blob_needed(&blob.visit.what)).collect();
        let (mut needed, mut unneeded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (answer, blob) in answers(questions).await?.into_iter().zip(blobs) {
            match answer {
                Ok(true) => needed.push(blob),
                Ok(false) => unneeded.push(blob),
                Err(problem) => failed.push((blob.visit, Fate::Failed(problem))),
            }
        }
        self.settle(Kind::Blob, failed, Digest::to_string, report).await?;
        Ok((needed, unneeded))
    }

    async fn is_blob_needed(&self, digest: &Digest) -> Result<Result<bool, String>, Error> {
        let pk = keys::blob_partition(digest);
        let query = Query { pk, prefix: BLOB_EDGES.to_owned(), limit: 1, ..Query::default() };
        let edges = self.registry.stores.items.query(query).await;
        or_damaged(edges.map(|edges| !edges.is_empty()).map_err(Error::from))
    }

    /// Flags blobs: from here on a mount either sees the flag, or its edge is seen. A commit takes the flag off.
    async fn blobs_flag(&self, blobs: Vec<Suspected>, report: &mut Report) -> Result<Vec<Suspected>, Error> {
        let flagged: Vec<Item> = blobs.iter().map(|blob| self.blob_in(blob, BlobState::Dying)).collect();
        let groups = blobs.iter().zip(&flagged).map(|(blob, flagged)| {
            vec![Write::Put(flagged.clone(), Condition::Version(blob.item.version.clone()))]
        });
        let written = self.batch(groups.collect()).await?;
        report.contended += written.iter().filter(|written| !**written).count() as u64;
        let blobs = blobs.into_iter().zip(flagged).zip(written).filter(|(_, written)| *written);
        Ok(blobs.map(|((blob, item), _)| Suspected { item, ..blob }).collect())
    }

    /// Takes the flag off blobs that turned out to be needed; whoever changed one meanwhile has done so already.
    async fn blobs_revive(&self, blobs: Vec<Suspected>, report: &mut Report) -> Result<(), Error> {
        let groups = blobs.iter().map(|blob| {
            let seen = Condition::Version(blob.item.version.clone());
            [vec![Write::Put(self.blob_in(blob, BlobState::Live), seen)], blob.visit.drop()].concat()
        });
        report.dropped += blobs.len() as u64;
        self.batch(groups.collect()).await.map(drop)
    }

    /// Declares blobs dead that nobody has changed since they were flagged: only from here on may the object go.
    async fn blobs_decide(&self, blobs: Vec<Suspected>, report: &mut Report) -> Result<(), Error> {
        let delay = self.registry.lifetimes.object;
        let groups = blobs.iter().map(|blob| {
            let (digest, object) = (blob.visit.what.clone(), blob.blob.object.clone());
            let flagged = Condition::Version(blob.item.version.clone());
            let dead = vec![
                Write::Put(self.blob_in(blob, BlobState::Dead), flagged),
                self.registry.suspect(SuspectRecord::DeadObject { digest, object }, delay),
            ];
            [dead, blob.visit.end()].concat()
        });
        let written = self.batch(groups.collect()).await?;
        for (blob, is_dead) in blobs.iter().zip(written) {
            let (what, size_bytes) = (blob.visit.what.to_string(), blob.blob.size_bytes);
            match is_dead {
                true => report.gone(Kind::Blob, what, "no repository has it", size_bytes),
                false => report.contended += 1,
            }
            report.has_followers |= is_dead && delay.is_zero();
        }
        Ok(())
    }

    fn blob_in(&self, blob: &Suspected, state: BlobState) -> Item {
        Item {
            key: blob.item.key.clone(),
            version: self.registry.fresh_version(),
            record: Record::Blob(BlobRecord { state, ..blob.blob.clone() }),
        }
    }
}
