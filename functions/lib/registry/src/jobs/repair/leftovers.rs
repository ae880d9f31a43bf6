//! What leads nowhere, what nobody finished, and what nothing leads to.

use std::collections::HashSet;
use std::time::Duration;

use oci::UploadId;

use super::plan::Plan;
use crate::jobs::fsck::checks::owned_objects;
use crate::jobs::fsck::shelf::Shelf;
use crate::ports::{ObjectInfo, ObjectKey, Write};
use crate::records::keys::{self, EdgeSource};
use crate::records::{BlobState, LinkState, ManifestState, Record, SuspectRecord, UploadRecord, UploadState};

/// Takes away edges and referrers whose source is gone. What they led to is kept for a lease: it may be pushed again.
pub(super) fn plan_edges(plan: &mut Plan<'_>) {
    let shelf = plan.shelf();
    let lease = plan.registry.lifetimes.lease;
    for (repository, sk) in &shelf.edges {
        let Some((target, source)) = keys::parse_edge(sk) else { continue };
        let has_source = match &source {
            EdgeSource::Manifest(digest) => {
                shelf.manifests.contains_key(&(repository.clone(), digest.clone()))
            }
            EdgeSource::Tag(tag) => {
                shelf.tags.get(&(repository.clone(), tag.clone())).is_some_and(|tag| tag.digest == target)
            }
        };
        if has_source {
            continue;
        }
        let place = (repository.clone(), target.clone());
        let (repository, digest) = place.clone();
        let suspect = match shelf.manifests.contains_key(&place) {
            true => SuspectRecord::Manifest { repository, digest },
            false => SuspectRecord::Link { repository, digest },
        };
        let key = crate::ports::Key::new(keys::edge_partition(&place.0), sk.clone());
        plan.mended(format!("edge {sk} of {}", place.0), "its manifest or tag is gone", "it is gone too");
        let writes = [plan.delete(key)].into_iter().chain(plan.suspect(suspect, lease)).collect();
        plan.write(writes);
    }
    plan_referrers(plan, &shelf);
    for (digest, repository) in &shelf.blob_edges {
        if !shelf.links.contains_key(&(repository.clone(), digest.clone())) {
            plan.mended(format!("edge of {repository} to {digest}"), "its link is gone", "it is gone too");
            let suspect = SuspectRecord::Blob { digest: digest.clone() };
            let edge = plan.delete(keys::blob_edge(digest, repository));
            let writes = [edge].into_iter().chain(plan.suspect(suspect, lease)).collect();
            plan.write(writes);
        }
    }
}

fn plan_referrers(plan: &mut Plan<'_>, shelf: &Shelf) {
    for ((repository, subject, digest), record) in &shelf.referrers {
        let manifest = shelf.manifests.get(&(repository.clone(), digest.clone()));
        if manifest.is_some_and(|(_, manifest)| manifest.state.is_visible()) {
            continue;
        }
        let name = format!("referrer {digest} of {subject} in {repository}");
        plan.mended(name, "its manifest is missing or damaged", "it is not listed any more");
        let artifact_type = record.descriptor.artifact_type.as_deref().unwrap_or_default();
        let write = plan.delete(keys::referrer(repository, subject, artifact_type, digest));
        plan.write(vec![write]);
    }
}

/// Ends uploads that have lost bytes, and lists those that are open.
pub(super) fn plan_uploads(plan: &mut Plan<'_>) {
    let shelf = plan.shelf();
    for (id, upload) in shelf.uploads.iter().filter(|(_, upload)| upload.state == UploadState::Open) {
        let Ok(id) = id.parse::<UploadId>() else { continue };
        let name = format!("upload {id}");
        let listed = keys::open_upload(&upload.repository, &id);
        let is_listed = plan.items.contains_key(&listed);
        let stored_bytes = shelf.objects.get(&upload.object).map_or(0, |info| info.size_bytes);
        if stored_bytes < upload.append.size_bytes {
            let problem = format!("{stored_bytes} bytes are left of {}", upload.append.size_bytes);
            plan.mended(name, problem, "it ends, and clients begin it anew");
            let dead = UploadRecord { state: UploadState::Dead, ..upload.clone() };
            let mut writes = vec![plan.put(keys::upload(&id), Record::Upload(dead))];
            writes.extend(is_listed.then(|| plan.delete(listed)));
            plan.write(writes);
        } else if !is_listed {
            plan.mended(name, "its repository did not list it", "it is listed again");
            let write = plan.put(listed, Record::OpenUpload);
            plan.write(vec![write]);
        }
    }
}

/// Puts back into the review queue what a collector has to look at, if nothing there says so.
pub(super) fn plan_suspects(plan: &mut Plan<'_>) {
    let shelf = plan.shelf();
    let lease = plan.registry.lifetimes.lease;
    let suspects = blob_suspects(&shelf)
        .chain(link_suspects(&shelf))
        .chain(manifest_suspects(&shelf))
        .chain(upload_suspects(plan, &shelf));
    let writes: Vec<Write> = suspects.filter_map(|suspect| plan.suspect(suspect, lease)).collect();
    if !writes.is_empty() {
        plan.mended("the collector's queue", "it had lost entries", "they are written again");
        plan.write(writes);
    }
}

fn blob_suspects(shelf: &Shelf) -> impl Iterator<Item = SuspectRecord> {
    let needed: HashSet<_> = shelf.blob_edges.iter().map(|(digest, _)| digest).collect();
    shelf.blobs.iter().filter_map(move |(digest, blob)| match blob.state {
        BlobState::Dead => {
            Some(SuspectRecord::DeadObject { digest: digest.clone(), object: blob.object.clone() })
        }
        _ if !needed.contains(digest) => Some(SuspectRecord::Blob { digest: digest.clone() }),
        _ => None,
    })
}

fn link_suspects(shelf: &Shelf) -> impl Iterator<Item = SuspectRecord> {
    let needed: HashSet<_> = shelf
        .edges
        .iter()
        .filter_map(|(repository, sk)| Some((repository.clone(), keys::parse_edge(sk)?.0)))
        .collect();
    let unneeded = shelf
        .links
        .iter()
        .filter(move |(place, link)| link.state == LinkState::Pending || !needed.contains(*place));
    unneeded.map(|((repository, digest), _)| SuspectRecord::Link {
        repository: repository.clone(),
        digest: digest.clone(),
    })
}

/// One whose push or deletion did not end; a damaged one stays as long as a tag or an index leads to it.
fn manifest_suspects(shelf: &Shelf) -> impl Iterator<Item = SuspectRecord> {
    let held: HashSet<_> = shelf
        .edges
        .iter()
        .filter_map(|(repository, sk)| Some((repository.clone(), keys::parse_edge(sk)?.0)))
        .collect();
    let unfinished = shelf.manifests.iter().filter(move |(place, (_, record))| match record.state {
        ManifestState::Live => false,
        ManifestState::Pending => !held.contains(*place),
        ManifestState::Dying | ManifestState::Doomed | ManifestState::Deleting => true,
    });
    unfinished.map(|((repository, digest), _)| SuspectRecord::Manifest {
        repository: repository.clone(),
        digest: digest.clone(),
    })
}

/// A session that was adopted has the copy by now, and its suspect the object that it began with: either ends it.
fn upload_suspects(plan: &Plan<'_>, shelf: &Shelf) -> impl Iterator<Item = SuspectRecord> {
    let suspected: HashSet<_> =
        plan.items.values().filter_map(|(_, record)| suspected_upload(record)).collect();
    let missed = shelf.uploads.iter().filter(move |(id, _)| !suspected.contains(*id));
    missed.map(|(id, upload)| SuspectRecord::Upload { id: id.clone(), object: upload.object.clone() })
}

/// The session that a collector ends and forgets; by an adoption's suspect it would only end it.
fn suspected_upload(record: &Record) -> Option<&String> {
    match record.as_suspect()? {
        SuspectRecord::Upload { id, .. } => Some(id),
        _ => None,
    }
}

/// Returns the objects that nothing leads to: damaged ones, and those of which the collector does not know.
pub(super) fn orphans(plan: &Plan<'_>) -> Vec<ObjectInfo> {
    let shelf = plan.shelf();
    let suspected: HashSet<ObjectKey> =
        plan.items.values().filter_map(|(_, record)| suspected_object(record)).collect();
    let owned = owned_objects(&shelf);
    let mut orphans: Vec<_> = shelf
        .objects
        .values()
        .filter(|info| !owned.contains(&info.key))
        .filter(|info| plan.damaged.contains(&info.key) || !suspected.contains(&info.key))
        .cloned()
        .collect();
    orphans.sort_by(|left, right| left.key.cmp(&right.key));
    orphans
}

/// Takes objects out of the way that nothing leads to.
pub(super) fn plan_orphans(plan: &mut Plan<'_>, orphans: Vec<ObjectInfo>, has_quarantine: bool) {
    for info in orphans {
        let problem = format!("nothing leads to its {} bytes", info.size_bytes);
        let name = format!("object {}", info.key);
        if has_quarantine {
            plan.mended(name, problem, "it is in quarantine");
            plan.set_object_aside(info.key.clone());
        } else if !info.is_unfinished {
            plan.mended(name, problem, "the collector takes it");
            let write = plan.registry.suspect(unclaimed(plan, &info.key), queue_delay(plan));
            plan.write(vec![write]);
        }
    }
}

/// An upload under way may still become a blob; by then it cannot.
fn queue_delay(plan: &Plan<'_>) -> Duration {
    plan.registry.lifetimes.upload
}

/// What a collector deletes unless a commit takes it first: the copy of a session that nobody knows.
fn unclaimed(plan: &Plan<'_>, object: &ObjectKey) -> SuspectRecord {
    SuspectRecord::Adoption { id: plan.registry.fresh_ulid().to_string(), object: object.clone() }
}

fn suspected_object(record: &Record) -> Option<ObjectKey> {
    match record.as_suspect()? {
        SuspectRecord::Link { .. }
        | SuspectRecord::Blob { .. }
        | SuspectRecord::Manifest { .. }
        | SuspectRecord::Repository { .. } => None,
        SuspectRecord::ManifestObject { object, .. }
        | SuspectRecord::Upload { object, .. }
        | SuspectRecord::Adoption { object, .. }
        | SuspectRecord::DeadObject { object, .. } => Some(object.clone()),
    }
}
