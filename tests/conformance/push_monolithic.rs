//! Pushing a blob by POST then PUT (end-4a, end-6).

use test_support::content::sha256;

use crate::client::Repository;
use crate::content::{fresh_bytes, unknown_digest};

cases! { "Pushing a blob monolithically":
    Must post_opens_a_session,
    Must each_session_has_a_location_of_its_own,
    Must put_completes_the_blob,
    Must completed_blob_has_a_pullable_location,
    Must empty_blob_is_pushed,
    Must blob_of_an_unknown_repository_creates_it,
    Should malformed_digest_is_400,
    Should unsupported_algorithm_is_400,
    Should digest_of_other_content_is_400,
    Must put_without_a_digest_is_refused,
    Slipway post_answer_tells_clients_where_they_are,
    Slipway put_answer_names_the_digest,
    Slipway bytes_get_no_name_but_their_own,
    Slipway session_outlives_a_wrong_digest,
    Slipway query_of_the_location_may_be_rewritten,
    Slipway body_of_unannounced_length_is_pushed,
    Slipway blob_is_pushed_twice,
    Slipway two_sessions_may_push_one_blob,
}

/// Pushing a blob monolithically, end-4a: "Upon success, the response MUST have a code of `202 Accepted`, and
/// MUST include the following header: `Location`".
fn post_opens_a_session(repository: &Repository<'_>) {
    let reply = repository.post("blobs/uploads/").expect(202);
    assert!(!reply.header("Location").is_empty(), "{reply}");
}

/// Pushing a blob monolithically, end-4a: the location "MUST contain a UUID representing a unique session
/// ID".
fn each_session_has_a_location_of_its_own(repository: &Repository<'_>) {
    let first = repository.post("blobs/uploads/").expect(202);
    let second = repository.post("blobs/uploads/").expect(202);
    assert_ne!(first.header("Location"), second.header("Location"));
}

/// Pushing a blob monolithically, end-6: "Upon successful completion of the request, the response MUST have
/// code `201 Created`".
fn put_completes_the_blob(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    repository.start_upload().closing_request(&sha256(&bytes)).body(&bytes).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob monolithically, end-6: "and MUST have the following header: `Location: <blob-location>`,
/// with `<blob-location>` being a pullable blob URL".
fn completed_blob_has_a_pullable_location(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let reply = repository.start_upload().closing_request(&sha256(&bytes)).body(&bytes).expect(201);
    repository.registry.get(reply.header("Location")).expect(200).expect_body(&bytes);
}

/// Pushing a blob monolithically, end-6: a blob may have no bytes; clients push one as an empty config.
fn empty_blob_is_pushed(repository: &Repository<'_>) {
    let reply = repository.start_upload().finish(&sha256(b"")).expect(201);
    repository.registry.get(reply.header("Location")).expect(200).expect_body(b"");
}

/// Pushing a blob monolithically, end-4a: there is no endpoint that creates a repository, so a push does.
fn blob_of_an_unknown_repository_creates_it(repository: &Repository<'_>) {
    let other = repository.sibling("/deeply/nested");
    let bytes = fresh_bytes(16);
    let digest = other.push_blob(&bytes);
    other.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Pushing blobs, end-6: "if the client provided digest is invalid", it SHOULD be `400 Bad Request`.
fn malformed_digest_is_400(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let right = sha256(&bytes);
    let upper_case = right.to_uppercase().replace("SHA256", "sha256");
    for digest in
        ["", "sha256", "sha256:", "sha256:0123", &right[..70], &format!("{right}0"), &upper_case, &right[7..]]
    {
        repository.start_upload().closing_request(digest).body(&bytes).expect_error(400, "DIGEST_INVALID");
    }
}

/// Pushing blobs, end-6: "or uses an unsupported algorithm", it SHOULD be `400 Bad Request`.
fn unsupported_algorithm_is_400(repository: &Repository<'_>) {
    let digest = format!("md5:{}", "0".repeat(32));
    let request = repository.start_upload().closing_request(&digest).body(&fresh_bytes(16));
    request.expect_error(400, "DIGEST_INVALID");
}

/// Pushing blobs, end-6, code-4: `DIGEST_INVALID` is "provided digest did not match uploaded content".
fn digest_of_other_content_is_400(repository: &Repository<'_>) {
    let request = repository.start_upload().closing_request(&unknown_digest()).body(&fresh_bytes(16));
    request.expect_error(400, "DIGEST_INVALID");
}

/// Pushing a blob in chunks, end-6: "The closing `PUT` request MUST include the `<digest>` of the whole
/// blob".
fn put_without_a_digest_is_refused(repository: &Repository<'_>) {
    let request = repository.start_upload().request(reqwest::Method::PUT).body(&fresh_bytes(16));
    request.send().expect_one_of(&[400, 404]);
}

/// Pushing a blob monolithically, end-4a: the headers that clients read from the answer, and a location
/// without a host, which is right behind every proxy.
fn post_answer_tells_clients_where_they_are(repository: &Repository<'_>) {
    let reply = repository.post("blobs/uploads/").expect(202);
    assert!(reply.header("Location").starts_with('/'), "{reply}");
    assert!(!reply.header("Docker-Upload-UUID").is_empty(), "{reply}");
    reply.expect_header("Range", "0-0").expect_header("Content-Length", "0");
}

/// Pushing a blob monolithically, end-6: containerd before 2.2 refuses an answer without
/// `Docker-Content-Digest`, and the Rust client one without `Location`.
fn put_answer_names_the_digest(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let digest = sha256(&bytes);
    let reply = repository.start_upload().closing_request(&digest).body(&bytes).expect(201);
    let reply = reply.expect_header("Docker-Content-Digest", &digest).expect_body(b"");
    reply.expect_header("Location", &repository.path(&format!("blobs/{digest}")));
}

/// Use cases, content verification, end-6: content that was refused is there neither under the digest that
/// was claimed nor under its own.
fn bytes_get_no_name_but_their_own(repository: &Repository<'_>) {
    let (bytes, claimed) = (fresh_bytes(16), unknown_digest());
    repository.start_upload().closing_request(&claimed).body(&bytes).expect(400);
    repository.head(&format!("blobs/{claimed}")).expect(404);
    repository.head(&format!("blobs/{}", sha256(&bytes))).expect(404);
}

/// Pushing a blob in chunks, end-6: bytes that were acknowledged stay so when the closing digest is wrong.
fn session_outlives_a_wrong_digest(repository: &Repository<'_>) {
    let bytes = fresh_bytes(100);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..60]).expect(202);
    upload.finish(&unknown_digest()).expect_error(400, "DIGEST_INVALID");
    upload.finish_with(60, &bytes[60..], &unknown_digest()).expect_error(400, "DIGEST_INVALID");
    upload.status().expect(204).expect_header("Range", "0-59");
    upload.finish_with(60, &bytes[60..], &sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob monolithically, end-6: Go clients sort and encode the whole query, and containerd adds
/// `ns`.
fn query_of_the_location_may_be_rewritten(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let digest = sha256(&bytes).replace(':', "%3A");
    let rewritten = format!("{digest}&ns=registry.example%3A5000&zz=1");
    repository.start_upload().closing_request(&rewritten).body(&bytes).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// API, end-6: RFC 9110 lets a body come without its length.
fn body_of_unannounced_length_is_pushed(repository: &Repository<'_>) {
    let bytes = fresh_bytes(100_000);
    repository.start_upload().closing_request(&sha256(&bytes)).streamed_body(&bytes).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Use cases, layer upload de-duplication: pushing what is there already succeeds.
fn blob_is_pushed_twice(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    repository.push_blob(&bytes);
    let digest = repository.push_blob(&bytes);
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Use cases, layer upload de-duplication: "If process A and B upload the same layer at the same time, both
/// operations will proceed".
fn two_sessions_may_push_one_blob(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let (mut first, mut second) = (repository.start_upload(), repository.start_upload());
    first.patch(0, &bytes).expect(202);
    second.patch(0, &bytes).expect(202);
    second.finish(&sha256(&bytes)).expect(201);
    first.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}
