//! Blobs, and the links and edges that lead to them.

use std::collections::BTreeMap;

use oci::{Digest, RepositoryName};

use super::Watch;
use super::plan::{Plan, blob_name};
use crate::Error;
use crate::jobs::fsck::shelf::{Shelf, read_digest};
use crate::ports::{ObjectKey, ObjectStore, Write};
use crate::records::{BlobRecord, BlobState, LinkRecord, LinkState, Record, SuspectRecord, keys};

/// Where a blob's bytes are.
type Found = (ObjectKey, u64);

/// Reads every blob, and makes what leads to it lead to its bytes.
pub(super) async fn plan(
    plan: &mut Plan<'_>,
    objects: &impl ObjectStore,
    is_deep: bool,
    watch: Watch<'_>,
) -> Result<(), Error> {
    let shelf = plan.shelf();
    let mut links: BTreeMap<&Digest, Vec<(&RepositoryName, &LinkRecord)>> =
        shelf.blobs.keys().map(|digest| (digest, Vec::new())).collect();
    for ((repository, digest), link) in &shelf.links {
        links.entry(digest).or_default().push((repository, link));
    }
    let total = shelf.blobs.values().map(|blob| blob.size_bytes).sum();
    let mut read_bytes = 0;
    for (digest, links) in links {
        let record = shelf.blobs.get(digest);
        let is_dead = record.is_some_and(|blob| blob.state == BlobState::Dead);
        if (is_dead && links.is_empty()) || plan.untouched.contains(&keys::blob(digest)) {
            continue;
        }
        let found = match record.filter(|blob| !is_deep && !is_dead && is_stored(&shelf, blob)) {
            Some(blob) => Some((blob.object.clone(), blob.size_bytes)),
            None => find(plan, &shelf, objects, digest, &links).await?,
        };
        match found {
            Some(found) => lead_to(plan, &shelf, digest, &links, found),
            None => forget(plan, &shelf, digest, &links),
        }
        read_bytes += record.map_or(0, |blob| blob.size_bytes);
        watch(read_bytes, total);
    }
    Ok(())
}

fn is_stored(shelf: &Shelf, blob: &BlobRecord) -> bool {
    let object = shelf.objects.get(&blob.object).filter(|info| !info.is_unfinished);
    object.is_some_and(|info| info.size_bytes == blob.size_bytes)
}

/// Finds an object that has the bytes, among those that a record of the blob names.
async fn find(
    plan: &mut Plan<'_>,
    shelf: &Shelf,
    objects: &impl ObjectStore,
    digest: &Digest,
    links: &[(&RepositoryName, &LinkRecord)],
) -> Result<Option<Found>, Error> {
    let own = shelf.blobs.get(digest).map(|blob| &blob.object);
    let mut candidates: Vec<&ObjectKey> =
        own.into_iter().chain(links.iter().map(|(_, link)| &link.object)).collect();
    candidates.dedup();
    for object in candidates {
        let Some(info) = shelf.objects.get(object).filter(|info| !info.is_unfinished) else { continue };
        plan.hashed(info.size_bytes);
        match read_digest(objects, object, info.size_bytes, digest.algorithm()).await {
            Ok(actual) if actual == *digest => return Ok(Some((object.clone(), info.size_bytes))),
            // What a store cannot do now says nothing about the bytes.
            Err(Error::Store(error)) if error.is_retryable() => return Err(error.into()),
            Ok(_) | Err(_) => drop(plan.damaged.insert(object.clone())),
        }
    }
    Ok(None)
}

/// Writes what does not lead to these bytes as it should.
fn lead_to(
    plan: &mut Plan<'_>,
    shelf: &Shelf,
    digest: &Digest,
    links: &[(&RepositoryName, &LinkRecord)],
    (object, size_bytes): Found,
) {
    let mut writes = Vec::new();
    let leads = |at: &ObjectKey, length: u64| *at == object && length == size_bytes;
    let record = shelf.blobs.get(digest);
    let is_good = |blob: &BlobRecord| blob.state != BlobState::Dead && leads(&blob.object, blob.size_bytes);
    if !record.is_some_and(is_good) {
        plan.mended(blob_name(digest), blob_problem(record, &object), "it leads to its bytes again");
        let blob = BlobRecord { state: BlobState::Live, object: object.clone(), size_bytes };
        writes.push(plan.put(keys::blob(digest), Record::Blob(blob)));
        writes.extend(dead_suspects(plan, &object));
    }
    for (repository, link) in links.iter().filter(|(_, link)| link.state != LinkState::Pending) {
        let name = format!("link of {repository} to {digest}");
        if !leads(&link.object, link.size_bytes) {
            plan.mended(&name, "it led to another object or length", "it leads to the bytes again");
            let right = LinkRecord { object: object.clone(), size_bytes, ..(*link).clone() };
            writes.push(plan.put(keys::link(repository, digest), Record::Link(right)));
        }
        if !shelf.blob_edges.contains(&(digest.clone(), (*repository).clone())) {
            plan.mended(name, "its edge was missing", "the edge is written again");
            writes.push(plan.put(keys::blob_edge(digest, repository), Record::BlobEdge));
        }
    }
    if !writes.is_empty() {
        plan.write(writes);
    }
}

fn blob_problem(record: Option<&BlobRecord>, object: &ObjectKey) -> &'static str {
    match record {
        None => "its record was missing",
        Some(blob) if blob.state == BlobState::Dead => "it was dead, and a repository has it",
        Some(blob) if blob.object != *object => "it led to another object",
        Some(_) => "it had another length",
    }
}

/// A blob that is no longer dead keeps its object: nobody may come for it.
fn dead_suspects(plan: &Plan<'_>, object: &ObjectKey) -> Vec<Write> {
    let is_of_object = |record: &Record| match record {
        Record::Suspect(SuspectRecord::DeadObject { object: dead, .. }) => dead == object,
        _ => false,
    };
    let of_object = plan.items.iter().filter(|(_, (_, record))| is_of_object(record));
    of_object.map(|(key, _)| plan.delete(key.clone())).collect()
}

/// Forgets the blob, links first: whoever pushes it next is asked for its bytes.
fn forget(plan: &mut Plan<'_>, shelf: &Shelf, digest: &Digest, links: &[(&RepositoryName, &LinkRecord)]) {
    let own = shelf.blobs.get(digest).and_then(|blob| shelf.objects.get(&blob.object));
    let problem = match own.filter(|info| !info.is_unfinished) {
        None => "its object is missing",
        Some(_) => "its bytes have another digest",
    };
    let mut writes: Vec<Write> =
        links.iter().map(|(repository, _)| plan.delete(keys::link(repository, digest))).collect();
    let edges = shelf.blob_edges.iter().filter(|(blob, _)| blob == digest);
    writes.extend(edges.map(|(_, repository)| plan.delete(keys::blob_edge(digest, repository))));
    writes.extend(shelf.blobs.get(digest).map(|_| plan.delete(keys::blob(digest))));
    if shelf.blobs.contains_key(digest) || links.iter().any(|(_, link)| link.state != LinkState::Pending) {
        plan.mended(blob_name(digest), problem, "it is forgotten, so that the next push uploads it");
    }
    plan.write(writes);
}
