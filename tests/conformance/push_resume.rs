//! Asking for the status of an upload and going on from there (end-13).

use test_support::content::sha256;

use crate::broken::broken_off_patch;
use crate::client::Repository;
use crate::content::fresh_bytes;
use crate::reply::Reply;

cases! { "Pushing a blob in chunks":
    Must status_of_an_active_upload_is_204,
    Must status_names_the_location,
    Must status_names_the_last_byte,
    Should upload_goes_on_at_the_location_of_the_status,
    Slipway upload_resumes_after_416,
    Slipway upload_resumes_after_a_broken_connection,
    Slipway status_of_an_empty_upload_is_204,
    Slipway unknown_session_is_404,
    Slipway session_belongs_to_its_repository,
}

/// Pushing a blob in chunks, end-13: "The response to an active upload `<blob-push-location>` MUST be a `204
/// No Content` response code."
fn status_of_an_active_upload_is_204(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    upload.patch(0, &fresh_bytes(10)).expect(202);
    upload.status().expect(204).expect_body(b"");
}

/// Pushing a blob in chunks, end-13: "and MUST have the following headers: `Location: <blob-push-location>`".
fn status_names_the_location(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    upload.patch(0, &fresh_bytes(10)).expect(202);
    let status = upload.status().expect(204);
    repository.continue_upload(&status).status().expect(204);
}

/// Pushing a blob in chunks, end-13: "`Range: 0-<end-of-range>`", "the position of the last uploaded byte of
/// the blob".
fn status_names_the_last_byte(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    for (offset, last_byte) in [(0, "0-9"), (10, "0-19"), (20, "0-29")] {
        upload.patch(offset, &fresh_bytes(10)).expect(202);
        upload.status().expect(204).expect_header("Range", last_byte);
    }
}

/// Pushing a blob in chunks, end-13: "The following chunk upload SHOULD use the `<blob-push-location>`
/// provided in the response."
fn upload_goes_on_at_the_location_of_the_status(repository: &Repository<'_>) {
    let bytes = fresh_bytes(20);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..10]).expect(202);
    let mut resumed = repository.continue_upload(&upload.status().expect(204));
    resumed.patch(10, &bytes[10..]).expect(202);
    resumed.finish(&sha256(&bytes)).expect(201);
}

/// Pushing a blob in chunks, end-5: "A GET request may be used to retrieve the current valid offset and
/// upload location" after a 416.
fn upload_resumes_after_416(repository: &Repository<'_>) {
    let bytes = fresh_bytes(30);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..10]).expect(202);
    upload.patch(20, &bytes[20..]).expect(416);
    let status = upload.status().expect(204);
    let (mut resumed, offset) = (repository.continue_upload(&status), next_offset(&status));
    resumed.patch(offset, &bytes[offset..]).expect(202);
    resumed.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Use cases, resumable push, end-13: "The build server responds by only sending the remaining data".
fn upload_resumes_after_a_broken_connection(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1_000_000);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..100_000]).expect(202);
    if !broken_off_patch(repository.registry, upload.location(), 900_000, &bytes[100_000..400_000]) {
        return;
    }
    let status = upload.status().expect(204);
    let (mut resumed, offset) = (repository.continue_upload(&status), next_offset(&status));
    assert!(
        (100_000..=400_000).contains(&offset),
        "acknowledged bytes were lost, or unsent ones found: {status}"
    );
    resumed.patch(offset, &bytes[offset..]).expect(202);
    resumed.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-13: a session without a byte is active; `0-0` is what clients know for it.
fn status_of_an_empty_upload_is_204(repository: &Repository<'_>) {
    repository.start_upload().status().expect(204).expect_header("Range", "0-0");
}

/// Error codes, code-3: `BLOB_UPLOAD_UNKNOWN` is "blob upload unknown to registry", for end-5, 6, 13 and 14.
fn unknown_session_is_404(repository: &Repository<'_>) {
    let opened = repository.start_upload();
    let bytes = fresh_bytes(10);
    opened.cancel().expect(204);
    for location in
        [opened.location(), &repository.path("blobs/uploads/00000000-0000-4000-8000-000000000000")]
    {
        let mut unknown = repository.upload_at(location);
        unknown.status().expect_error(404, "BLOB_UPLOAD_UNKNOWN");
        unknown.patch(0, &bytes).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
        unknown.finish_with(0, &bytes, &sha256(&bytes)).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    }
}

/// Pushing a blob monolithically, end-4a: the session is one of the repository that it was opened in.
fn session_belongs_to_its_repository(repository: &Repository<'_>) {
    let upload = repository.start_upload();
    let other = repository.sibling("-other");
    let elsewhere = other.upload_at(&upload.location().replace(&repository.name, &other.name));
    elsewhere.status().expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    elsewhere.cancel().expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    upload.status().expect(204);
}

#[track_caller]
fn next_offset(status: &Reply) -> usize {
    let (first, last) = status.header("Range").split_once('-').unwrap();
    assert_eq!(first, "0", "{status}");
    last.parse::<usize>().unwrap() + 1
}
