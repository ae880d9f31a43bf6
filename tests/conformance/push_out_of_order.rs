//! Chunks that do not continue where the last one ended (end-5, end-6).

use test_support::content::sha256;

use crate::client::Repository;
use crate::content::fresh_bytes;
use crate::upload::Upload;

cases! { "Pushing a blob in chunks":
    Must first_chunk_that_does_not_begin_at_0_is_416,
    Must chunk_behind_a_hole_is_416,
    Must repeated_chunk_is_416,
    Must overlapping_chunk_is_416,
    Must final_chunk_out_of_order_is_416,
    Slipway refused_chunk_is_answered_with_the_valid_state,
    Slipway refused_chunk_changes_nothing,
    Slipway refused_final_chunk_leaves_the_session_open,
    Slipway refused_chunk_is_an_oci_error,
}

/// Pushing a blob in chunks, end-5: "The first chunk's range MUST begin with `0`."
fn first_chunk_that_does_not_begin_at_0_is_416(repository: &Repository<'_>) {
    repository.start_upload().patch(1, &fresh_bytes(10)).expect(416);
}

/// Pushing a blob in chunks, end-5: "Chunks MUST be uploaded in order"; "If a chunk is uploaded out of order,
/// the registry MUST respond with a `416 Requested Range Not Satisfiable` code."
fn chunk_behind_a_hole_is_416(repository: &Repository<'_>) {
    upload_of_ten_bytes(repository).patch(11, &fresh_bytes(10)).expect(416);
}

/// Pushing a blob in chunks, end-5: the same for a chunk that is there already.
fn repeated_chunk_is_416(repository: &Repository<'_>) {
    let chunk = fresh_bytes(10);
    let mut upload = repository.start_upload();
    upload.patch(0, &chunk).expect(202);
    upload.patch(0, &chunk).expect(416);
}

/// Pushing a blob in chunks, end-5: "the first byte of a chunk being the last chunk's `<end-of-range>` plus
/// one".
fn overlapping_chunk_is_416(repository: &Repository<'_>) {
    upload_of_ten_bytes(repository).patch(9, &fresh_bytes(10)).expect(416);
}

/// Pushing a blob in chunks, end-6: "If the final chunk is uploaded out of order, the registry MUST respond
/// with a `416 Requested Range Not Satisfiable` code."
fn final_chunk_out_of_order_is_416(repository: &Repository<'_>) {
    let bytes = fresh_bytes(30);
    for offset in [0, 9, 11, 20] {
        let mut upload = repository.start_upload();
        upload.patch(0, &bytes[..10]).expect(202);
        upload.finish_with(offset, &bytes[10..], &sha256(&bytes)).expect(416);
    }
}

/// Pushing a blob in chunks, end-5: the refusal says where to go on, which saves the client a GET.
fn refused_chunk_is_answered_with_the_valid_state(repository: &Repository<'_>) {
    let reply = upload_of_ten_bytes(repository).patch(50, &fresh_bytes(10)).expect(416);
    let reply = reply.expect_header("Range", "0-9");
    repository.continue_upload(&reply).status().expect(204).expect_header("Range", "0-9");
}

/// Pushing a blob in chunks, end-5: what was refused is no part of the blob.
fn refused_chunk_changes_nothing(repository: &Repository<'_>) {
    let bytes = fresh_bytes(20);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..10]).expect(202);
    upload.patch(15, &fresh_bytes(10)).expect(416);
    upload.patch(0, &fresh_bytes(10)).expect(416);
    upload.patch(10, &bytes[10..]).expect(202).expect_header("Range", "0-19");
    upload.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-6: the session goes on after a final chunk that was refused.
fn refused_final_chunk_leaves_the_session_open(repository: &Repository<'_>) {
    let bytes = fresh_bytes(20);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..10]).expect(202);
    upload.finish_with(15, &bytes[15..], &sha256(&bytes)).expect(416);
    upload.status().expect(204).expect_header("Range", "0-9");
    upload.finish_with(10, &bytes[10..], &sha256(&bytes)).expect(201);
}

/// Error codes, code-2, end-5: the body of the 416 says that the upload is invalid.
fn refused_chunk_is_an_oci_error(repository: &Repository<'_>) {
    upload_of_ten_bytes(repository).patch(11, &fresh_bytes(10)).expect_error(416, "BLOB_UPLOAD_INVALID");
}

fn upload_of_ten_bytes<'a>(repository: &Repository<'a>) -> Upload<'a> {
    let mut upload = repository.start_upload();
    upload.patch(0, &fresh_bytes(10)).expect(202);
    upload
}
