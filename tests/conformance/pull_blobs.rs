//! Pulling blobs (end-2).

use crate::client::Repository;
use crate::content::{fresh_bytes, unknown_digest};

cases! { "Pulling blobs":
    Must blob_is_returned,
    Must empty_blob_is_returned,
    Must blob_of_many_buffers_is_returned,
    Must blob_answer_names_its_digest,
    Must unknown_blob_is_404,
    Must blob_of_an_unknown_repository_is_404,
    Must blob_of_another_repository_is_404,
    Slipway blob_answer_announces_its_length,
    Slipway blob_is_never_encoded,
    Slipway percent_encoded_digest_is_the_digest,
    Slipway unknown_blob_is_named_by_its_error,
}

/// Pulling blobs, end-2: "A GET request to an existing blob URL MUST provide the expected blob, with a
/// response code that MUST be `200 OK`."
fn blob_is_returned(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let digest = repository.push_blob(&bytes);
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Pulling blobs, end-2: the same for the blob of no bytes.
fn empty_blob_is_returned(repository: &Repository<'_>) {
    let digest = repository.push_blob(b"");
    repository.pull_blob(&digest).expect(200).expect_body(b"").expect_header("Content-Length", "0");
}

/// Pulling blobs, end-2: the same for a blob that no buffer holds, of a length that is no round number.
fn blob_of_many_buffers_is_returned(repository: &Repository<'_>) {
    let bytes = fresh_bytes(9_876_543);
    let digest = repository.push_blob(&bytes);
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Pulling blobs, end-2: "A successful response MUST contain the digest of the uploaded blob in the header
/// `Docker-Content-Digest`", and it "MUST be a digest matching that of the response body".
fn blob_answer_names_its_digest(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let digest = repository.push_blob(&bytes);
    repository.pull_blob(&digest).expect(200).expect_digest_of(&bytes);
}

/// Pulling blobs, end-2: "If the blob is not found in the repository, the response code MUST be `404 Not
/// Found`."
fn unknown_blob_is_404(repository: &Repository<'_>) {
    repository.push_blob(&fresh_bytes(16));
    repository.pull_blob(&unknown_digest()).expect(404);
}

/// Pulling blobs, end-2: the same in a repository that nothing was ever pushed to.
fn blob_of_an_unknown_repository_is_404(repository: &Repository<'_>) {
    repository.pull_blob(&unknown_digest()).expect(404);
}

/// Pulling blobs, end-2: "not found in the repository" is 404 wherever else the blob may be.
fn blob_of_another_repository_is_404(repository: &Repository<'_>) {
    let other = repository.sibling("-other");
    other.push_blob(&fresh_bytes(16));
    let digest = repository.push_blob(&fresh_bytes(16));
    other.pull_blob(&digest).expect(404);
    other.head(&format!("blobs/{digest}")).expect(404);
}

/// Pulling blobs, end-2: clients show progress and resume by `Content-Length`.
fn blob_answer_announces_its_length(repository: &Repository<'_>) {
    let digest = repository.push_blob(&fresh_bytes(12_345));
    repository.pull_blob(&digest).expect(200).expect_header("Content-Length", "12345");
}

/// Pulling blobs, end-2: containerd asks for encodings and would undo one, so that the digest would not
/// match.
fn blob_is_never_encoded(repository: &Repository<'_>) {
    let bytes = "compressible ".repeat(1000).into_bytes();
    let digest = repository.push_blob(&bytes);
    let request = repository.get(&format!("blobs/{digest}")).header("Accept-Encoding", "zstd, gzip, deflate");
    request.expect(200).expect_no_header("Content-Encoding").expect_body(&bytes);
}

/// API: RFC 9110 (section 4.2.3) makes `%3A` and `:` the same path.
fn percent_encoded_digest_is_the_digest(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let digest = repository.push_blob(&bytes);
    repository.pull_blob(&digest.replace(':', "%3A")).expect(200).expect_body(&bytes);
}

/// Error codes, code-1: `BLOB_UNKNOWN` is "blob unknown to registry".
fn unknown_blob_is_named_by_its_error(repository: &Repository<'_>) {
    repository.push_blob(&fresh_bytes(16));
    repository.pull_blob(&unknown_digest()).expect_error(404, "BLOB_UNKNOWN");
}
