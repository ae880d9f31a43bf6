//! One check for each kind of thing.

use std::collections::HashSet;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use oci::{Digest, Manifest, RepositoryName, TargetKind};

use super::shelf::{Place, Shelf};
use super::{Report, blob_name};
use crate::Error;
use crate::ports::{ObjectKey, ObjectStore};
use crate::records::keys::{self, EdgeSource};
use crate::records::{BlobState, LinkState, ManifestBody, ManifestRecord, ManifestState, UploadState};

/// A blob that may be read has its object, of the right length.
pub(super) fn blobs(shelf: &Shelf, report: &mut Report) {
    for (digest, blob) in &shelf.blobs {
        if blob.state == BlobState::Dead {
            report.garbage(blob_name(digest), "it is dead and waits to be removed");
            continue;
        }
        match shelf.objects.get(&blob.object).filter(|info| !info.is_unfinished) {
            None => report.broken(blob_name(digest), format!("its object {} is missing", blob.object)),
            Some(info) if info.size_bytes != blob.size_bytes => {
                let problem =
                    format!("its object has {} bytes instead of {}", info.size_bytes, blob.size_bytes);
                report.broken(blob_name(digest), problem);
            }
            Some(_) => {}
        }
    }
}

/// A link that may be read leads to a blob with the same object, and the blob knows of it.
pub(super) fn links(shelf: &Shelf, report: &mut Report) {
    for ((repository, digest), link) in &shelf.links {
        let name = format!("link of {repository} to {digest}");
        if link.state == LinkState::Pending {
            report.garbage(name, "its mount was never confirmed");
            continue;
        }
        if !shelf.blob_edges.contains(&(digest.clone(), repository.clone())) {
            report.broken(&name, "its edge is missing, so a collector could take the blob away");
        }
        match shelf.blobs.get(digest) {
            None => report.broken(name, "its blob is missing"),
            Some(blob) if blob.object != link.object => {
                report.broken(name, format!("it leads to object {} instead of {}", link.object, blob.object));
            }
            Some(blob) if blob.state == BlobState::Dead => report.broken(name, "its blob is dead"),
            Some(blob) if blob.size_bytes != link.size_bytes => {
                let problem = format!("it says {} bytes instead of {}", link.size_bytes, blob.size_bytes);
                report.broken(name, problem);
            }
            Some(_) => {}
        }
    }
    for (digest, repository) in &shelf.blob_edges {
        if !shelf.links.contains_key(&(repository.clone(), digest.clone())) {
            report.garbage(format!("edge of {repository} to {digest}"), "its link is missing");
        }
    }
}

/// A live manifest has its bytes, and everything that it references is there, held by edges (P1, P2).
pub(super) async fn manifests(
    shelf: &Shelf,
    objects: &impl ObjectStore,
    report: &mut Report,
) -> Result<(), Error> {
    for (place, (_, record)) in &shelf.manifests {
        let name = manifest_name(place);
        if record.state != ManifestState::Live {
            let what = match record.state.is_visible() {
                true => "its deletion did not end; it can still be pulled",
                false => "its push or deletion did not end",
            };
            report.garbage(&name, what);
        }
        if !record.state.may_stay() {
            // Whoever ends its push or deletion needs nothing of it.
            continue;
        }
        let Some(bytes) = read_body(record, objects).await? else {
            report.broken(name, "its bytes are missing");
            continue;
        };
        let (repository, digest) = place;
        let actual = Digest::of(digest.algorithm(), &bytes);
        if actual != *digest {
            report.broken(&name, format!("its bytes have digest {actual}"));
            continue;
        }
        if record.size_bytes != bytes.len() as u64 {
            report.broken(&name, format!("it has {} bytes instead of {}", bytes.len(), record.size_bytes));
        }
        match Manifest::read(&bytes, Some(&record.media_type)) {
            Ok(manifest) => references(shelf, repository, digest, &manifest, report),
            Err(error) => report.broken(&name, format!("it cannot be parsed: {error}")),
        }
        if !shelf.repositories.contains(repository) || !shelf.catalog.contains(repository) {
            report.broken(name, "its repository is not in the catalog");
        }
    }
    Ok(())
}

fn references(
    shelf: &Shelf,
    repository: &RepositoryName,
    digest: &Digest,
    manifest: &Manifest,
    report: &mut Report,
) {
    for target in &manifest.references {
        let place = (repository.clone(), target.digest.clone());
        let is_there = match target.kind {
            TargetKind::Blob => shelf.links.get(&place).is_some_and(|link| link.state != LinkState::Pending),
            TargetKind::Manifest => {
                shelf.manifests.get(&place).is_some_and(|(_, child)| child.state.is_visible())
            }
        };
        let name = manifest_name(&(repository.clone(), digest.clone()));
        if !is_there && !target.may_be_missing {
            report.broken(
                &name,
                format!("it references {}, which the repository does not have", target.digest),
            );
        }
        let edge = keys::edge_from_manifest(repository, &target.digest, digest);
        if !shelf.edges.contains(&(repository.clone(), edge.sk)) {
            report.broken(&name, format!("its edge to {} is missing", target.digest));
        }
    }
    if let Some(subject) = &manifest.subject {
        let listed = (repository.clone(), subject.digest.clone(), digest.clone());
        if !shelf.referrers.contains_key(&listed) {
            let name = manifest_name(&(repository.clone(), digest.clone()));
            report.broken(name, format!("it is not among the referrers of {}", subject.digest));
        }
    }
}

/// A tag leads to a live manifest, held by an edge.
pub(super) fn tags(shelf: &Shelf, report: &mut Report) {
    for ((repository, tag), record) in &shelf.tags {
        let name = format!("tag {repository}:{tag}");
        let place = (repository.clone(), record.digest.clone());
        match shelf.manifests.get(&place).filter(|(_, manifest)| manifest.state.is_visible()) {
            None => report.broken(&name, format!("its manifest {} is missing", record.digest)),
            Some((_, manifest)) if manifest.size_bytes != record.size_bytes => {
                report.broken(&name, "it says another length than its manifest has");
            }
            Some(_) => {}
        }
        let edge = keys::edge_from_tag(repository, &record.digest, tag);
        if !shelf.edges.contains(&(repository.clone(), edge.sk)) {
            report.broken(name, "its edge is missing");
        }
    }
}

/// An edge has its source; one without keeps garbage alive.
pub(super) fn edges(shelf: &Shelf, report: &mut Report) {
    for (repository, sk) in &shelf.edges {
        let name = format!("edge {sk} of {repository}");
        let has_source = match keys::parse_edge(sk) {
            Some((_, EdgeSource::Manifest(manifest))) => {
                shelf.manifests.contains_key(&(repository.clone(), manifest))
            }
            Some((target, EdgeSource::Tag(tag))) => {
                shelf.tags.get(&(repository.clone(), tag)).is_some_and(|record| record.digest == target)
            }
            None => {
                report.broken(name, "its key cannot be understood");
                continue;
            }
        };
        if !has_source {
            report.garbage(name, "its manifest or tag is gone");
        }
    }
}

/// A listed referrer is a live manifest.
pub(super) fn referrers(shelf: &Shelf, report: &mut Report) {
    for (repository, subject, digest) in shelf.referrers.keys() {
        let place = (repository.clone(), digest.clone());
        if !shelf.manifests.get(&place).is_some_and(|(_, manifest)| manifest.state.is_visible()) {
            report
                .broken(format!("referrer {digest} of {subject} in {repository}"), "its manifest is missing");
        }
    }
}

/// An open upload has as many bytes as were acknowledged (P7).
pub(super) fn uploads(shelf: &Shelf, report: &mut Report) {
    for (id, upload) in shelf.uploads.iter().filter(|(_, upload)| upload.state == UploadState::Open) {
        let stored_bytes = shelf.objects.get(&upload.object).map_or(0, |info| info.size_bytes);
        if stored_bytes < upload.append.size_bytes {
            let acknowledged = upload.append.size_bytes;
            let problem = format!("{stored_bytes} bytes are stored of {acknowledged} acknowledged");
            report.broken(format!("upload {id}"), problem);
        }
        if !shelf.open_uploads.contains(&(upload.repository.clone(), id.clone())) {
            report.broken(format!("upload {id}"), "its repository does not list it");
        }
    }
}

/// An object belongs to a blob, a manifest or an open upload.
pub(super) fn orphans(shelf: &Shelf, report: &mut Report) {
    let owned = owned_objects(shelf);
    for (key, info) in shelf.objects.iter().filter(|(key, _)| !owned.contains(key)) {
        report.garbage(format!("object {key}"), format!("nothing refers to its {} bytes", info.size_bytes));
    }
}

/// Returns the objects that something leads to.
pub(in crate::jobs) fn owned_objects(shelf: &Shelf) -> HashSet<&ObjectKey> {
    let of_blobs = shelf.blobs.values().map(|blob| &blob.object);
    let of_manifests = shelf.manifests.values().filter_map(|(_, record)| match &record.body {
        ManifestBody::Object(object) => Some(object),
        ManifestBody::Inline(_) => None,
    });
    let open = shelf.uploads.values().filter(|upload| upload.state == UploadState::Open);
    of_blobs.chain(of_manifests).chain(open.map(|upload| &upload.object)).collect()
}

/// Returns a manifest's bytes; `None` if its object is missing or has another length.
pub(in crate::jobs) async fn read_body(
    record: &ManifestRecord,
    objects: &impl ObjectStore,
) -> Result<Option<Bytes>, Error> {
    let object = match &record.body {
        ManifestBody::Inline(bytes) => return Ok(Some(bytes.clone())),
        ManifestBody::Object(object) => object,
    };
    if objects.head(object).await? != Some(record.size_bytes) {
        return Ok(None);
    }
    let Some(mut stream) = objects.get(object, 0..record.size_bytes).await? else { return Ok(None) };
    let mut bytes = BytesMut::new();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.map_err(|error| Error::Damaged(format!("object {object}: {error}")))?);
    }
    Ok(Some(bytes.freeze()))
}

fn manifest_name((repository, digest): &Place) -> String {
    format!("manifest {repository}@{digest}")
}
