//! Manifests, and what they reference.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, Manifest, RepositoryName, TargetKind};

use super::plan::{Plan, manifest_name};
use crate::Error;
use crate::jobs::fsck::checks::read_body;
use crate::jobs::fsck::shelf::{Place, Shelf};
use crate::ports::{ObjectKey, ObjectStore, Write};
use crate::records::keys;
use crate::records::{
    BlobState, EdgeRecord, LinkOrigin, LinkRecord, LinkState, ManifestBody, ManifestRecord, ManifestState,
    Record, ReferrerRecord, RepositoryRecord, SuspectRecord, TagRecord, Visibility,
};

/// What people do about a manifest that is damaged.
pub(super) const PUSH_AGAIN: &str = "push it again";

/// Makes what leads from and to manifests right, and hides those that are not whole.
pub(super) async fn plan(plan: &mut Plan<'_>, objects: &impl ObjectStore) -> Result<(), Error> {
    let shelf = plan.shelf();
    let mut parsed = BTreeMap::new();
    // One that is doomed is left to the collector, who needs no bytes of it.
    for (place, (_, record)) in shelf.manifests.iter().filter(|(_, (_, record))| record.state.may_stay()) {
        match read(&shelf, place, record, objects).await? {
            Bytes::Read(manifest, size_bytes) => drop(parsed.insert(place, (record, *manifest, size_bytes))),
            Bytes::Strange(problem) => plan.lost(manifest_name(place), problem, "it stays as it is"),
            Bytes::Lost(problem) => {
                plan.damaged.extend(object_of(record).cloned());
                bytes_lost(plan, &shelf, place, &problem);
            }
        }
    }
    for (place, (record, manifest, size_bytes)) in &parsed {
        let missing = blobs(plan, &shelf, place, manifest);
        if missing.is_empty() {
            surroundings(plan, &shelf, place, record, manifest, *size_bytes);
        } else {
            hide(plan, &shelf, place, record, manifest, &missing);
        }
    }
    for (place, (_, manifest, _)) in &parsed {
        children(plan, &shelf, place, manifest);
    }
    Ok(())
}

/// What became of a manifest's bytes.
enum Bytes {
    /// They are there, so many.
    Read(Box<Manifest>, u64),
    /// They are those that were pushed, and cannot be understood any more: they are nobody's to take away.
    Strange(String),
    /// They are gone, or others.
    Lost(String),
}

async fn read(
    shelf: &Shelf,
    (_, digest): &Place,
    record: &ManifestRecord,
    objects: &impl ObjectStore,
) -> Result<Bytes, Error> {
    // What is written down of its length may be what is wrong.
    let stored = object_of(record).and_then(|object| shelf.objects.get(object));
    let size_bytes = stored.map_or(record.size_bytes, |info| info.size_bytes);
    let bytes = match read_body(&ManifestRecord { size_bytes, ..record.clone() }, objects).await {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Ok(Bytes::Lost("its bytes are missing".to_owned())),
        Err(Error::Store(error)) if error.is_retryable() => return Err(error.into()),
        Err(error) => return Ok(Bytes::Lost(format!("its bytes cannot be read: {error}"))),
    };
    let actual = Digest::of(digest.algorithm(), &bytes);
    if actual != *digest {
        return Ok(Bytes::Lost(format!("its bytes have digest {actual}")));
    }
    Ok(match Manifest::read(&bytes, Some(&record.media_type)) {
        Ok(manifest) => Bytes::Read(Box::new(manifest), bytes.len() as u64),
        Err(error) => Bytes::Strange(format!("its bytes are whole, but no manifest: {error}")),
    })
}

fn object_of(record: &ManifestRecord) -> Option<&ObjectKey> {
    match &record.body {
        ManifestBody::Object(object) => Some(object),
        ManifestBody::Inline(_) => None,
    }
}

/// The bytes are gone, and with them what they reference. Another repository may have them.
fn bytes_lost(plan: &mut Plan<'_>, shelf: &Shelf, place: &Place, problem: &str) {
    if let Some(record) = copy_elsewhere(shelf, place) {
        plan.mended(manifest_name(place), problem, "its bytes are taken from another repository");
        let write = plan.put(keys::manifest(&place.0, &place.1), Record::Manifest(record));
        return plan.write(vec![write]);
    }
    let write = plan.delete(keys::manifest(&place.0, &place.1));
    plan.write(vec![write]);
    name_loss(plan, shelf, place, problem);
}

/// Returns the same manifest as another repository has it.
pub(super) fn copy_elsewhere(shelf: &Shelf, (repository, digest): &Place) -> Option<ManifestRecord> {
    let others = shelf.manifests.iter().filter(|((other, same), _)| other != repository && same == digest);
    let is_whole = |record: &ManifestRecord| match &record.body {
        ManifestBody::Inline(bytes) => Digest::of(digest.algorithm(), bytes) == *digest,
        ManifestBody::Object(_) => false,
    };
    let mut whole = others.map(|(_, (_, record))| record);
    let record = whole.find(|record| record.state.is_visible() && is_whole(record))?;
    Some(ManifestRecord { state: ManifestState::Live, deleted_by: None, ..record.clone() })
}

/// Returns which blobs are missing. A repository that lost no more than its link to one gets the link back: what it has
/// a manifest of, it had.
fn blobs(plan: &mut Plan<'_>, shelf: &Shelf, (repository, _): &Place, manifest: &Manifest) -> Vec<Digest> {
    let mut missing = Vec::new();
    for target in manifest.references.iter().filter(|target| target.kind == TargetKind::Blob) {
        let key = keys::link(repository, &target.digest);
        let link = plan.items.get(&key).and_then(|(_, record)| record.as_link());
        let is_unknown = [&key, &keys::blob(&target.digest)].iter().any(|key| plan.untouched.contains(*key));
        let is_there = link.is_some_and(|link| link.state != LinkState::Pending);
        if target.may_be_missing || is_unknown || is_there {
            continue;
        }
        let blob = shelf.blobs.get(&target.digest).filter(|blob| blob.state != BlobState::Dead);
        let Some(blob) = blob else {
            missing.push(target.digest.clone());
            continue;
        };
        let link = LinkRecord {
            state: LinkState::Live,
            object: blob.object.clone(),
            size_bytes: blob.size_bytes,
            lease_until: plan.now(),
            origin: LinkOrigin::Uploaded,
        };
        let edge = plan.put(keys::blob_edge(&target.digest, repository), Record::BlobEdge);
        let link = plan.put(key, Record::Link(link));
        plan.write(vec![edge, link]);
        let name = format!("link of {repository} to {}", target.digest);
        plan.mended(name, "it was missing", "it is written again");
    }
    missing
}

/// Writes what has to be around a manifest.
fn surroundings(
    plan: &mut Plan<'_>,
    shelf: &Shelf,
    place: &Place,
    record: &ManifestRecord,
    manifest: &Manifest,
    size_bytes: u64,
) {
    let (repository, digest) = place;
    let name = manifest_name(place);
    let mut writes = edges(plan, shelf, place, record, manifest);
    if record.size_bytes != size_bytes {
        plan.mended(&name, "it had another length", "its length is written again");
        let right = ManifestRecord { size_bytes, ..record.clone() };
        writes.push(plan.put(keys::manifest(repository, digest), Record::Manifest(right)));
    }
    if let Some(subject) = &manifest.subject {
        let listed = (repository.clone(), subject.digest.clone(), digest.clone());
        if !shelf.referrers.contains_key(&listed) {
            plan.mended(&name, "it was not among its subject's referrers", "it is listed again");
            writes.push(referrer(plan, place, manifest, size_bytes, &subject.digest));
        }
    }
    writes.extend(repository_writes(plan, repository));
    if !writes.is_empty() {
        plan.write(writes);
    }
}

fn edges(
    plan: &mut Plan<'_>,
    shelf: &Shelf,
    place: &Place,
    record: &ManifestRecord,
    manifest: &Manifest,
) -> Vec<Write> {
    let (repository, digest) = place;
    let mut writes = Vec::new();
    for target in &manifest.references {
        let key = keys::edge_from_manifest(repository, &target.digest, digest);
        if shelf.edges.contains(&(repository.clone(), key.sk.clone())) {
            continue;
        }
        let problem = format!("its edge to {} was missing", target.digest);
        plan.mended(manifest_name(place), problem, "the edge is written again");
        let edge = EdgeRecord { since: record.pushed, by: record.pushed_by.clone(), left: None };
        writes.push(plan.put(key, Record::Edge(edge)));
    }
    writes
}

fn referrer(
    plan: &Plan<'_>,
    (repository, digest): &Place,
    manifest: &Manifest,
    size_bytes: u64,
    subject: &Digest,
) -> Write {
    let mut descriptor = Descriptor::new(manifest.media_type.clone(), digest.clone(), size_bytes);
    descriptor.artifact_type.clone_from(&manifest.artifact_type);
    descriptor.annotations.clone_from(&manifest.annotations);
    let artifact_type = manifest.artifact_type.as_deref().unwrap_or_default();
    let key = keys::referrer(repository, subject, artifact_type, digest);
    plan.put(key, Record::Referrer(ReferrerRecord { descriptor }))
}

fn repository_writes(plan: &mut Plan<'_>, repository: &RepositoryName) -> Vec<Write> {
    let mut writes = Vec::new();
    let (own, listed) = (keys::repository(repository), keys::catalog(repository));
    let name = format!("repository {repository}");
    if !plan.items.contains_key(&own) {
        plan.lost(
            &name,
            "its settings are lost: it is private, and nobody was given a role in it",
            format!("set them again: `slipway repo set {repository}`, `slipway repo grant {repository}`"),
        );
        let record = RepositoryRecord::new(plan.now(), Visibility::Private);
        writes.push(plan.put(own, Record::Repository(record)));
    }
    if !plan.items.contains_key(&listed) {
        plan.mended(name, "it was not in the catalog", "it is listed again");
        writes.push(plan.put(listed, Record::Catalog));
    }
    writes
}

/// No reader sees the manifest until it is pushed again. Its edges stay, and keep what is left of it.
fn hide(
    plan: &mut Plan<'_>,
    shelf: &Shelf,
    place: &Place,
    record: &ManifestRecord,
    manifest: &Manifest,
    missing: &[Digest],
) {
    let (repository, digest) = place;
    let hidden = ManifestRecord { state: ManifestState::Pending, pushed: plan.now(), ..record.clone() };
    let mut writes = edges(plan, shelf, place, record, manifest);
    writes.extend(repository_writes(plan, repository));
    writes.push(plan.put(keys::manifest(repository, digest), Record::Manifest(hidden)));
    if let Some(object) = object_of(record).cloned() {
        let (repository, digest) = place.clone();
        let suspect = SuspectRecord::ManifestObject { repository, digest, object };
        writes.extend(plan.suspect(suspect, plan.registry.lifetimes.lease));
    }
    let is_held = shelf.edges.iter().any(|(name, sk)| {
        name == repository && keys::parse_edge(sk).is_some_and(|(target, _)| target == *digest)
    });
    if !is_held {
        let suspect = SuspectRecord::Manifest { repository: repository.clone(), digest: digest.clone() };
        writes.extend(plan.suspect(suspect, plan.registry.lifetimes.lease));
    }
    plan.write(writes);
    let named: Vec<String> = missing.iter().map(ToString::to_string).collect();
    name_loss(plan, shelf, place, &format!("it needs what is lost: {}", named.join(", ")));
}

/// An index goes on showing the children that are whole; those that are not are named.
fn children(plan: &mut Plan<'_>, shelf: &Shelf, place: &Place, manifest: &Manifest) {
    if plan.lost.contains(place) {
        return;
    }
    let missing: Vec<String> = manifest
        .references
        .iter()
        .filter(|target| target.kind == TargetKind::Manifest && !target.may_be_missing)
        .filter(|target| !is_whole(plan, &(place.0.clone(), target.digest.clone())))
        .map(|target| target.digest.to_string())
        .collect();
    if !missing.is_empty() {
        name_loss(plan, shelf, place, &format!("it lists what is damaged: {}", missing.join(", ")));
    }
}

fn is_whole(plan: &Plan<'_>, (repository, digest): &Place) -> bool {
    let item = plan.items.get(&keys::manifest(repository, digest));
    item.and_then(|(_, record)| record.as_manifest()).is_some_and(|record| record.state.is_visible())
}

/// Names a damaged manifest with the tags that lead to it.
pub(super) fn name_loss(plan: &mut Plan<'_>, shelf: &Shelf, place: &Place, problem: &str) {
    let (repository, digest) = place;
    let of_manifest = |((name, _), tag): &(&(RepositoryName, oci::Tag), &TagRecord)| {
        name == repository && tag.digest == *digest
    };
    let tags: Vec<String> =
        shelf.tags.iter().filter(of_manifest).map(|((name, tag), _)| format!("{name}:{tag}")).collect();
    let what = match tags.is_empty() {
        true => manifest_name(place),
        false => format!("{}, which is {}", manifest_name(place), tags.join(", ")),
    };
    plan.lost(what, problem, PUSH_AGAIN);
    plan.lost.insert(place.clone());
}
