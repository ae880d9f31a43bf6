//! Pushing a blob by a single POST (end-4b).

use reqwest::Method;
use test_support::content::{sha256, sha512};

use crate::client::{Repository, Request};
use crate::content::{fresh_bytes, unknown_digest};

cases! { "Single POST":
    Should single_post_answers_201_or_202_with_a_location,
    May single_post_completes_the_blob,
    Must completed_single_post_has_a_pullable_location,
    May single_post_of_sha512_completes_the_blob,
    Should single_post_of_other_content_is_400,
    Should single_post_of_a_malformed_digest_is_400,
    Slipway single_post_names_the_digest,
    Slipway refused_single_post_stores_nothing,
}

/// Single POST, end-4b: registries without it "SHOULD return a `202 Accepted` status code and `Location`
/// header and clients SHOULD proceed with a subsequent PUT request".
fn single_post_answers_201_or_202_with_a_location(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let digest = sha256(&bytes);
    let reply = single_post(repository, &digest, &bytes).send().expect_one_of(&[201, 202]);
    if reply.status == 202 {
        repository.continue_upload(&reply).closing_request(&digest).body(&bytes).expect(201);
    }
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}

/// Single POST, end-4b: "Registries MAY support pushing blobs using a single POST request."
fn single_post_completes_the_blob(repository: &Repository<'_>) {
    for bytes in [fresh_bytes(1), fresh_bytes(100_000)] {
        let digest = sha256(&bytes);
        single_post(repository, &digest, &bytes).expect(201);
        repository.pull_blob(&digest).expect(200).expect_body(&bytes);
    }
}

/// Single POST, end-4b: "Successful completion of the request MUST return a `201 Created` and MUST include
/// the following header: `Location: <blob-location>`", "a pullable blob URL".
fn completed_single_post_has_a_pullable_location(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let reply = single_post(repository, &sha256(&bytes), &bytes).send().expect_one_of(&[201, 202]);
    if reply.status == 201 {
        repository.registry.get(reply.header("Location")).expect(200).expect_body(&bytes);
    }
}

/// Single POST, end-4b: the digest says the algorithm, so no other hint is needed.
fn single_post_of_sha512_completes_the_blob(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    single_post(repository, &sha512(&bytes), &bytes).expect(201);
    repository.pull_blob(&sha512(&bytes)).expect(200).expect_body(&bytes);
}

/// Single POST, end-4b: "the `<digest>` MUST match the blob's digest"; otherwise it SHOULD be `400 Bad
/// Request`.
fn single_post_of_other_content_is_400(repository: &Repository<'_>) {
    single_post(repository, &unknown_digest(), &fresh_bytes(16)).expect_error(400, "DIGEST_INVALID");
}

/// Pushing blobs, end-4b: "if the client provided digest is invalid or uses an unsupported algorithm, the
/// registry SHOULD respond with a response code `400 Bad Request`".
fn single_post_of_a_malformed_digest_is_400(repository: &Repository<'_>) {
    for digest in ["sha256:0123", "sha256", &format!("md5:{}", "0".repeat(32))] {
        single_post(repository, digest, &fresh_bytes(16)).expect_error(400, "DIGEST_INVALID");
    }
}

/// Single POST, end-4b: the answer is that of a closing PUT.
fn single_post_names_the_digest(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let digest = sha256(&bytes);
    let reply = single_post(repository, &digest, &bytes).expect(201);
    let reply = reply.expect_header("Docker-Content-Digest", &digest);
    reply.expect_header("Location", &repository.path(&format!("blobs/{digest}")));
}

/// Use cases, content verification, end-4b: what was refused is nowhere.
fn refused_single_post_stores_nothing(repository: &Repository<'_>) {
    let (bytes, claimed) = (fresh_bytes(16), unknown_digest());
    single_post(repository, &claimed, &bytes).expect(400);
    repository.head(&format!("blobs/{claimed}")).expect(404);
    repository.head(&format!("blobs/{}", sha256(&bytes))).expect(404);
}

fn single_post(repository: &Repository<'_>, digest: &str, bytes: &[u8]) -> Request {
    let request = repository.request(Method::POST, &format!("blobs/uploads/?digest={digest}"));
    request.header("Content-Type", "application/octet-stream").body(bytes)
}
