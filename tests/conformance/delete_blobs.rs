//! Deleting blobs (end-10).

use crate::client::Repository;
use crate::content::{Manifest, fresh_bytes, unknown_digest};

cases! { "Deleting Blobs":
    Must blob_deletion_is_done_or_disabled,
    Must deletion_of_an_unknown_blob_is_404,
    May deleted_blob_is_404,
    Slipway blob_of_a_manifest_is_kept,
    Slipway blob_is_deleted_after_its_manifest,
    Slipway deleted_blob_may_be_pushed_again,
    Slipway deletion_of_a_blob_is_in_one_repository,
    Slipway unknown_blob_is_named_by_its_error,
}

/// Deleting blobs, end-10: "Upon success, the registry MUST respond with code `202 Accepted`. If blob
/// deletion is disabled, the registry MUST respond with either a `400 Bad Request` or a `405 Method Not
/// Allowed`."
fn blob_deletion_is_done_or_disabled(repository: &Repository<'_>) {
    let path = format!("blobs/{}", repository.push_blob(&fresh_bytes(16)));
    let reply = repository.delete(&path).send().expect_one_of(&[202, 400, 405]);
    repository.get(&path).expect(if reply.status == 202 { 404 } else { 200 });
}

/// Deleting blobs, end-10: "If the blob is not found, a `404 Not Found` code MUST be returned."
fn deletion_of_an_unknown_blob_is_404(repository: &Repository<'_>) {
    repository.delete(&format!("blobs/{}", unknown_digest())).expect(404);
    repository.push_blob(&fresh_bytes(16));
    repository.delete(&format!("blobs/{}", unknown_digest())).expect(404);
}

/// Deleting blobs, end-10: what was deleted is not found, by GET, by HEAD and by a second DELETE.
fn deleted_blob_is_404(repository: &Repository<'_>) {
    let path = format!("blobs/{}", repository.push_blob(&fresh_bytes(16)));
    repository.delete(&path).expect(202);
    repository.get(&path).expect(404);
    repository.head(&path).expect(404);
    repository.delete(&path).expect(404);
}

/// Deleting blobs, end-10: an image that was accepted stays pullable with every blob that it names, so its
/// deletion is refused as a disabled one is, and the refusal says why.
fn blob_of_a_manifest_is_kept(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    for digest in blobs_of(&image) {
        let refusal = repository.delete(&format!("blobs/{digest}")).expect_error(405, "UNSUPPORTED");
        assert!(refusal.first_message().contains(&image.digest), "{refusal}");
        repository.pull_blob(&digest).expect(200);
    }
}

/// Deleting blobs, end-10: whoever deletes the manifest first may delete the rest.
fn blob_is_deleted_after_its_manifest(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.delete(&format!("manifests/{}", image.digest)).expect(202);
    for digest in blobs_of(&image) {
        repository.pull_blob(&digest).expect(200);
        repository.delete(&format!("blobs/{digest}")).expect(202);
        repository.pull_blob(&digest).expect(404);
    }
}

/// Deleting blobs, end-10: a deletion is of what is there now, and no ban.
fn deleted_blob_may_be_pushed_again(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let digest = repository.push_blob(&bytes);
    for _ in 0..3 {
        repository.delete(&format!("blobs/{digest}")).expect(202);
        repository.push_blob(&bytes);
        repository.pull_blob(&digest).expect(200).expect_body(&bytes);
    }
}

/// Deleting blobs, end-10: "`<name>` is the namespace of the repository", and others are not concerned.
fn deletion_of_a_blob_is_in_one_repository(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let other = repository.sibling("-other");
    other.push_blob(&bytes);
    let digest = repository.push_blob(&bytes);
    repository.delete(&format!("blobs/{digest}")).expect(202);
    other.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Error codes, code-1, end-10: `BLOB_UNKNOWN` is "blob unknown to registry".
fn unknown_blob_is_named_by_its_error(repository: &Repository<'_>) {
    repository.push_blob(&fresh_bytes(16));
    repository.delete(&format!("blobs/{}", unknown_digest())).expect_error(404, "BLOB_UNKNOWN");
}

fn blobs_of(image: &Manifest) -> [String; 2] {
    let json = image.json();
    [&json["config"], &json["layers"][0]].map(|descriptor| descriptor["digest"].as_str().unwrap().to_owned())
}
