//! Pushing a blob in chunks that come in order (end-4a, end-5, end-6).

use test_support::content::sha256;

use crate::client::Repository;
use crate::content::fresh_bytes;

cases! { "Pushing a blob in chunks":
    Must chunk_is_answered_with_202,
    Must chunk_answer_names_location_and_range,
    Must consecutive_chunks_make_the_blob,
    Must last_chunk_may_come_with_the_put,
    Must closed_session_has_a_pullable_location,
    Must malformed_content_range_is_refused,
    Should chunks_of_the_minimum_length_are_accepted,
    May final_chunk_is_as_short_as_it_is,
    Slipway chunks_of_four_mebibytes_are_accepted,
    Slipway body_without_a_range_is_appended,
    Slipway stream_of_unannounced_length_is_appended,
    Slipway chunk_answer_names_the_session,
    Slipway chunk_of_another_length_than_its_range_is_refused,
    Slipway chunked_put_names_the_digest,
    Slipway closed_session_takes_no_more,
    Slipway repeated_close_is_answered_alike,
}

/// Pushing a blob in chunks, end-5: "The response for each successful chunk upload MUST be `202 Accepted`."
fn chunk_is_answered_with_202(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    upload.patch(0, &fresh_bytes(100)).expect(202);
    upload.patch(100, &fresh_bytes(50)).expect(202);
}

/// Pushing a blob in chunks, end-5: "and MUST have the following headers: `Location: <blob-push-location>`,
/// `Range: 0-<end-of-range>`", "the position of the last uploaded byte of the blob".
fn chunk_answer_names_location_and_range(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    let first = upload.patch(0, &fresh_bytes(100)).expect(202).expect_header("Range", "0-99");
    assert!(!first.header("Location").is_empty(), "{first}");
    let second = upload.patch(100, &fresh_bytes(1)).expect(202).expect_header("Range", "0-100");
    assert!(!second.header("Location").is_empty(), "{second}");
}

/// Pushing a blob in chunks, end-6: "The response to a successful closing of the session MUST be `201
/// Created`", and the blob is the chunks in their order.
fn consecutive_chunks_make_the_blob(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let mut upload = repository.start_upload();
    for (index, chunk) in bytes.chunks(300).enumerate() {
        upload.patch(index * 300, chunk).expect(202);
    }
    upload.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-6: "The final chunk MAY be uploaded using a `PATCH` request or it MAY be
/// uploaded in the closing `PUT` request."
fn last_chunk_may_come_with_the_put(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..600]).expect(202);
    upload.finish_with(600, &bytes[600..], &sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-6: the answer "MUST contain the following header: `Location:
/// <blob-location>`", "a pullable blob URL".
fn closed_session_has_a_pullable_location(repository: &Repository<'_>) {
    let bytes = fresh_bytes(100);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes).expect(202);
    let reply = upload.finish(&sha256(&bytes)).expect(201);
    repository.registry.get(reply.header("Location")).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-5: the range "MUST match the following regular expression:
/// `^[0-9]+-[0-9]+$`".
fn malformed_content_range_is_refused(repository: &Repository<'_>) {
    for range in ["0-", "-9", "nine", "9-0", "0-9-", "0-99999999999999999999999"] {
        let upload = repository.start_upload();
        let request = upload.request(reqwest::Method::PATCH).header("Content-Range", range);
        request.body(&fresh_bytes(10)).send().expect_one_of(&[400, 416]);
    }
}

/// Pushing a blob in chunks, end-4a: "If the registry has a minimum chunk size, the `POST` response SHOULD
/// include the following header: `OCI-Chunk-Min-Length`", so without it a chunk may have one byte.
fn chunks_of_the_minimum_length_are_accepted(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    let chunk = fresh_bytes(minimum_chunk_length(repository));
    upload.patch(0, &chunk).expect(202);
    upload.patch(chunk.len(), &chunk).expect(202);
    upload.finish(&sha256(&chunk.repeat(2))).expect(201);
}

/// Pushing a blob in chunks, end-5: "The final chunk MAY have any length."
fn final_chunk_is_as_short_as_it_is(repository: &Repository<'_>) {
    let chunk_length = minimum_chunk_length(repository).max(100);
    let bytes = fresh_bytes(chunk_length + 1);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..chunk_length]).expect(202);
    upload.patch(chunk_length, &bytes[chunk_length..]).expect(202);
    upload.finish(&sha256(&bytes)).expect(201);
}

/// Pushing a blob in chunks, end-5: the Rust client sends 4 MiB at a time, and does not ask for a minimum.
fn chunks_of_four_mebibytes_are_accepted(repository: &Repository<'_>) {
    const CHUNK_BYTES: usize = 4 << 20;
    assert!(minimum_chunk_length(repository) <= CHUNK_BYTES);
    let bytes = fresh_bytes(2 * CHUNK_BYTES + 12_345);
    let mut upload = repository.start_upload();
    for (index, chunk) in bytes.chunks(CHUNK_BYTES).enumerate() {
        upload.patch(index * CHUNK_BYTES, chunk).expect(202);
    }
    upload.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-5: skopeo and crane send one PATCH with its length and no range.
fn body_without_a_range_is_appended(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let mut upload = repository.start_upload();
    upload.append(&bytes[..600]).expect(202).expect_header("Range", "0-599");
    upload.append(&bytes[600..]).expect(202).expect_header("Range", "0-999");
    upload.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-5: Docker and podman compress on the way and send one PATCH without its
/// length.
fn stream_of_unannounced_length_is_appended(repository: &Repository<'_>) {
    let bytes = fresh_bytes(5_000_001);
    let mut upload = repository.start_upload();
    upload.stream(&bytes).expect(202).expect_header("Range", "0-5000000");
    upload.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-5: Docker clients read `Docker-Upload-UUID`, the same through the whole
/// session.
fn chunk_answer_names_the_session(repository: &Repository<'_>) {
    let opened = repository.post("blobs/uploads/").expect(202);
    let mut upload = repository.continue_upload(&opened);
    let reply = upload.patch(0, &fresh_bytes(10)).expect(202).expect_header("Content-Length", "0");
    reply.expect_header("Docker-Upload-UUID", opened.header("Docker-Upload-UUID"));
}

/// Pushing a blob in chunks, end-5, code-10: `SIZE_INVALID` is "provided length did not match content
/// length".
fn chunk_of_another_length_than_its_range_is_refused(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    upload.patch(0, &fresh_bytes(10)).expect(202);
    for range in ["10-18", "10-20"] {
        let request = || upload.request(reqwest::Method::PATCH).header("Content-Range", range);
        request().body(&fresh_bytes(10)).expect_error(400, "SIZE_INVALID");
        request().streamed_body(&fresh_bytes(10)).expect_error(400, "SIZE_INVALID");
    }
    upload.status().expect(204).expect_header("Range", "0-9");
}

/// Pushing a blob in chunks, end-6: the answer is that of a monolithic push.
fn chunked_put_names_the_digest(repository: &Repository<'_>) {
    let bytes = fresh_bytes(10);
    let digest = sha256(&bytes);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes).expect(202);
    let reply = upload.finish(&digest).expect(201).expect_header("Docker-Content-Digest", &digest);
    reply.expect_header("Location", &repository.path(&format!("blobs/{digest}")));
}

/// Pushing a blob in chunks, end-5 and end-13, code-3: the closing PUT ends the session.
fn closed_session_takes_no_more(repository: &Repository<'_>) {
    let bytes = fresh_bytes(10);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes).expect(202);
    upload.finish(&sha256(&bytes)).expect(201);
    upload.status().expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    upload.patch(10, &bytes).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
}

/// Pushing a blob in chunks, end-6: a client whose answer was lost closes the session again.
fn repeated_close_is_answered_alike(repository: &Repository<'_>) {
    let bytes = fresh_bytes(10);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes).expect(202);
    let first = upload.finish(&sha256(&bytes)).expect(201);
    let second = upload.finish(&sha256(&bytes)).expect(201);
    assert_eq!(first.header("Location"), second.header("Location"));
}

fn minimum_chunk_length(repository: &Repository<'_>) -> usize {
    let reply = repository.post("blobs/uploads/").expect(202);
    reply.optional_header("OCI-Chunk-Min-Length").map_or(1, |length| length.parse().unwrap())
}
