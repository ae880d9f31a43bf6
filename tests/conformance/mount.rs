//! Mounting a blob from another repository (end-11).

use crate::client::{Repository, Request};
use crate::content::{CONFIG, LAYER, descriptor, fresh_bytes, image_of, unknown_digest};

cases! { "Mounting a blob from another repository":
    Should mount_is_answered_with_201_or_202,
    May blob_is_mounted,
    Must mounted_blob_has_a_pullable_location,
    May blob_is_mounted_without_from,
    Should mount_of_an_unknown_blob_opens_a_session,
    Should mount_from_an_unknown_repository_opens_a_session,
    Should mount_without_from_of_an_unknown_blob_opens_a_session,
    Should mount_of_a_malformed_digest_is_no_mount,
    Slipway mount_answer_names_the_digest,
    Slipway mounted_blob_outlives_its_source,
    Slipway image_may_name_a_mounted_blob,
    Slipway mount_of_what_is_there_succeeds,
    Slipway failed_mount_can_be_cancelled,
}

/// Mounting a blob, end-11: "The response to a successful mount MUST be `201 Created`"; a registry that
/// cannot "SHOULD return a `202`", and either way the client ends with the blob.
fn mount_is_answered_with_201_or_202(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    let bytes = fresh_bytes(100);
    let digest = source.push_blob(&bytes);
    let reply = mount(repository, &digest, &source).send().expect_one_of(&[201, 202]);
    if reply.status == 202 {
        repository.continue_upload(&reply).closing_request(&digest).body(&bytes).expect(201);
    }
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Mounting a blob, end-11: a necessary blob "can be mounted into a different repository".
fn blob_is_mounted(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    let bytes = fresh_bytes(100);
    let digest = source.push_blob(&bytes);
    mount(repository, &digest, &source).expect(201);
    repository.head(&format!("blobs/{digest}")).expect(200).expect_header("Content-Length", "100");
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Mounting a blob, end-11: a 201 "MUST contain the following header: `Location: <blob-location>`", "the
/// registry URL to access the accepted layer file".
fn mounted_blob_has_a_pullable_location(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    let bytes = fresh_bytes(100);
    let reply = mount(repository, &source.push_blob(&bytes), &source).send().expect_one_of(&[201, 202]);
    if reply.status == 201 {
        repository.registry.get(reply.header("Location")).expect(200).expect_body(&bytes);
    }
}

/// Mounting a blob, end-11: "The registry MAY treat the `from` parameter as optional, and it MAY cross-mount
/// the blob if it can be found."
fn blob_is_mounted_without_from(repository: &Repository<'_>) {
    let bytes = fresh_bytes(100);
    let digest = repository.sibling("-source").push_blob(&bytes);
    mount_without_from(repository, &digest).expect(201);
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Mounting a blob, end-11: if it "is unable to mount the requested blob, it SHOULD return a `202`", an
/// upload session by which "the client MAY proceed with the upload".
fn mount_of_an_unknown_blob_opens_a_session(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    source.push_blob(&fresh_bytes(100));
    opens_a_session(repository, |digest| mount(repository, digest, &source));
}

/// Mounting a blob, end-11: the same where the other repository does not exist.
fn mount_from_an_unknown_repository_opens_a_session(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    opens_a_session(repository, |digest| mount(repository, digest, &source));
}

/// Mounting a blob, end-11: the same without `from`, as regclient begins each upload.
fn mount_without_from_of_an_unknown_blob_opens_a_session(repository: &Repository<'_>) {
    opens_a_session(repository, |digest| mount_without_from(repository, digest));
}

/// Pushing blobs, end-11: an invalid digest SHOULD be `400 Bad Request`, and what cannot be mounted `202`.
fn mount_of_a_malformed_digest_is_no_mount(repository: &Repository<'_>) {
    for digest in ["sha256:0123", "sha256", "md5:00"] {
        mount(repository, digest, &repository.sibling("-source")).send().expect_one_of(&[202, 400]);
    }
}

/// Mounting a blob, end-11: "The Docker-Content-Digest header returns the digest of the uploaded blob".
fn mount_answer_names_the_digest(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    let digest = source.push_blob(&fresh_bytes(100));
    let reply =
        mount(repository, &digest, &source).expect(201).expect_header("Docker-Content-Digest", &digest);
    reply.expect_header("Location", &repository.path(&format!("blobs/{digest}")));
}

/// Mounting a blob, end-11 and end-10: what was mounted is the repository's own.
fn mounted_blob_outlives_its_source(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    let bytes = fresh_bytes(100);
    let digest = source.push_blob(&bytes);
    mount(repository, &digest, &source).expect(201);
    source.delete(&format!("blobs/{digest}")).expect(202);
    source.pull_blob(&digest).expect(404);
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Mounting a blob, end-11: the mount is "in place of" the upload that the manifest needs.
fn image_may_name_a_mounted_blob(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let layer = fresh_bytes(100);
    mount(repository, &source.push_blob(&layer), &source).expect(201);
    repository.push(image_of(&config, &[descriptor(LAYER, &layer)]).build());
}

/// Mounting a blob, end-11: a client that repeats a mount, or names the repository itself, has what it wants.
fn mount_of_what_is_there_succeeds(repository: &Repository<'_>) {
    let source = repository.sibling("-source");
    let digest = source.push_blob(&fresh_bytes(100));
    mount(repository, &digest, &source).expect(201);
    mount(repository, &digest, &source).expect(201);
    mount(repository, &digest, repository).expect(201);
}

/// Cancel a blob upload, end-14: containers/image cancels the session of a failed mount and begins anew.
fn failed_mount_can_be_cancelled(repository: &Repository<'_>) {
    let opened = mount(repository, &unknown_digest(), &repository.sibling("-source")).expect(202);
    repository.continue_upload(&opened).cancel().expect(204);
}

fn mount(repository: &Repository<'_>, digest: &str, source: &Repository<'_>) -> Request {
    repository.post(&format!("blobs/uploads/?mount={digest}&from={}", source.name))
}

fn mount_without_from(repository: &Repository<'_>, digest: &str) -> Request {
    repository.post(&format!("blobs/uploads/?mount={digest}"))
}

#[track_caller]
fn opens_a_session(repository: &Repository<'_>, attempt: impl Fn(&str) -> Request) {
    let bytes = fresh_bytes(100);
    let digest = test_support::content::sha256(&bytes);
    let opened = attempt(&digest).expect(202);
    repository.continue_upload(&opened).closing_request(&digest).body(&bytes).expect(201);
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}
