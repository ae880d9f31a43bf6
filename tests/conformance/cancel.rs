//! Cancelling a blob upload (end-14).

use test_support::content::sha256;

use crate::client::Repository;
use crate::content::fresh_bytes;

cases! { "Cancel a blob upload":
    Should cancel_is_answered_with_204,
    Should cancel_of_a_begun_upload_is_answered_with_204,
    Slipway cancelled_session_is_gone,
    Slipway cancelled_bytes_are_no_blob,
    Slipway cancel_leaves_other_sessions_alone,
    Slipway cancel_of_a_closed_session_leaves_the_blob,
}

/// Cancel a blob upload, end-14: "If successful, the response SHOULD be a `204 No Content` response code."
fn cancel_is_answered_with_204(repository: &Repository<'_>) {
    repository.start_upload().cancel().expect(204).expect_body(b"");
}

/// Cancel a blob upload, end-14: "The `<blob-push-location>` refers to the URL obtained from the preceding
/// `POST` or `PATCH` request", so a session with bytes is cancelled as well.
fn cancel_of_a_begun_upload_is_answered_with_204(repository: &Repository<'_>) {
    let mut upload = repository.start_upload();
    upload.patch(0, &fresh_bytes(100)).expect(202);
    upload.cancel().expect(204);
}

/// Cancel a blob upload, end-14, code-3: a cancelled session takes no bytes and cannot be closed.
fn cancelled_session_is_gone(repository: &Repository<'_>) {
    let bytes = fresh_bytes(20);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes[..10]).expect(202);
    upload.cancel().expect(204);
    upload.status().expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    upload.patch(10, &bytes[10..]).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
    upload.finish(&sha256(&bytes[..10])).expect_error(404, "BLOB_UPLOAD_UNKNOWN");
}

/// Cancel a blob upload, end-14: what was sent does not become content.
fn cancelled_bytes_are_no_blob(repository: &Repository<'_>) {
    let bytes = fresh_bytes(10);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes).expect(202);
    upload.cancel().expect(204);
    repository.pull_blob(&sha256(&bytes)).expect(404);
}

/// Cancel a blob upload, end-14: a session is one upload, also when another sends the same blob.
fn cancel_leaves_other_sessions_alone(repository: &Repository<'_>) {
    let bytes = fresh_bytes(10);
    let (mut first, mut second) = (repository.start_upload(), repository.start_upload());
    first.patch(0, &bytes).expect(202);
    second.patch(0, &bytes).expect(202);
    first.cancel().expect(204);
    second.finish(&sha256(&bytes)).expect(201);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}

/// Cancel a blob upload, end-14: a late cancel is no deletion; "Clients SHOULD ignore any failures."
fn cancel_of_a_closed_session_leaves_the_blob(repository: &Repository<'_>) {
    let bytes = fresh_bytes(10);
    let mut upload = repository.start_upload();
    upload.patch(0, &bytes).expect(202);
    upload.finish(&sha256(&bytes)).expect(201);
    upload.cancel().expect_one_of(&[204, 400, 404]);
    repository.pull_blob(&sha256(&bytes)).expect(200).expect_body(&bytes);
}
