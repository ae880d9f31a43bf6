//! Digests by another algorithm than sha256 (end-4c, and what follows from it).

use reqwest::Method;
use test_support::content::{sha256, sha512};

use crate::client::Repository;
use crate::content::{CONFIG, fresh_bytes, image_of};

cases! { "Pushing a blob in chunks":
    Should sha512_chunks_are_pushed_with_the_hint,
    Should sha512_body_is_pushed_with_the_hint,
    Should sha256_may_be_named_by_the_hint,
    Should unsupported_algorithm_of_the_hint_is_400,
    Should wrong_sha512_digest_is_400,
    Slipway sha512_chunks_are_pushed_without_the_hint,
    Must sha512_blob_is_pulled,
    Must sha512_blob_exists,
    Must sha512_manifest_is_pushed_by_its_digest,
    Slipway image_may_name_a_sha512_blob,
}

/// Pushing a blob in chunks, end-4c: "the post request SHOULD include the `digest-algorithm` parameter", "the
/// algorithm the registry should use for the blob, e.g. `digest-algorithm=sha512`".
fn sha512_chunks_are_pushed_with_the_hint(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let opened = repository.post("blobs/uploads/?digest-algorithm=sha512").expect(202);
    let mut upload = repository.continue_upload(&opened);
    upload.patch(0, &bytes[..600]).expect(202);
    upload.patch(600, &bytes[600..]).expect(202);
    upload.finish(&sha512(&bytes)).expect(201);
    repository.pull_blob(&sha512(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-4c: the same with the whole blob in the PUT.
fn sha512_body_is_pushed_with_the_hint(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let opened = repository.post("blobs/uploads/?digest-algorithm=sha512").expect(202);
    repository.continue_upload(&opened).closing_request(&sha512(&bytes)).body(&bytes).expect(201);
    repository.pull_blob(&sha512(&bytes)).expect(200).expect_body(&bytes);
}

/// Pushing a blob in chunks, end-4c: the hint may say what goes without saying.
fn sha256_may_be_named_by_the_hint(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    let opened = repository.post("blobs/uploads/?digest-algorithm=sha256").expect(202);
    let mut upload = repository.continue_upload(&opened);
    upload.patch(0, &bytes).expect(202);
    upload.finish(&sha256(&bytes)).expect(201);
}

/// Pushing blobs, end-4c: "uses an unsupported algorithm", so `400 Bad Request`, before a byte is sent.
fn unsupported_algorithm_of_the_hint_is_400(repository: &Repository<'_>) {
    for algorithm in ["md5", "SHA512", "sha512%2Fb"] {
        let request = repository.post(&format!("blobs/uploads/?digest-algorithm={algorithm}"));
        request.expect_error(400, "DIGEST_INVALID");
    }
}

/// Pushing blobs, end-6, code-4: "provided digest did not match uploaded content".
fn wrong_sha512_digest_is_400(repository: &Repository<'_>) {
    let opened = repository.post("blobs/uploads/?digest-algorithm=sha512").expect(202);
    let mut upload = repository.continue_upload(&opened);
    upload.patch(0, &fresh_bytes(1000)).expect(202);
    upload.finish(&sha512(&fresh_bytes(16))).expect_error(400, "DIGEST_INVALID");
}

/// Pushing a blob in chunks, end-6: the hint is a SHOULD of the client; without it the digest still decides.
fn sha512_chunks_are_pushed_without_the_hint(repository: &Repository<'_>) {
    for size_in_patches in [600, 1000] {
        let bytes = fresh_bytes(1000);
        let (in_patches, in_put) = bytes.split_at(size_in_patches);
        let mut upload = repository.start_upload();
        upload.patch(0, in_patches).expect(202);
        upload.closing_request(&sha512(&bytes)).body(in_put).expect(201);
        repository.pull_blob(&sha512(&bytes)).expect(200).expect_body(&bytes);
    }
}

/// Pulling blobs, end-2: the value of `Docker-Content-Digest` "MUST be a digest matching that of the response
/// body".
fn sha512_blob_is_pulled(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    push_by_sha512(repository, &bytes);
    repository.pull_blob(&sha512(&bytes)).expect(200).expect_body(&bytes).expect_digest_of(&bytes);
}

/// Checking if content exists, end-2: HEAD "MUST return `200 OK`" with the digest and the size.
fn sha512_blob_exists(repository: &Repository<'_>) {
    let bytes = fresh_bytes(1000);
    push_by_sha512(repository, &bytes);
    let reply = repository.head(&format!("blobs/{}", sha512(&bytes))).expect(200);
    reply.expect_header("Content-Length", "1000").expect_digest_of(&bytes);
}

/// Pushing manifests, end-7a: `Docker-Content-Digest` "MUST be equal to the client provided digest".
fn sha512_manifest_is_pushed_by_its_digest(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let digest = sha512(&image.bytes);
    repository.put_manifest(&digest, &image).expect(201).expect_header("Docker-Content-Digest", &digest);
    repository.pull_manifest(&digest).expect(200).expect_body(&image.bytes).expect_digest_of(&image.bytes);
}

/// Pushing manifests, end-7a: a descriptor may name a blob by any digest that the repository has it under.
fn image_may_name_a_sha512_blob(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let bytes = fresh_bytes(1000);
    push_by_sha512(repository, &bytes);
    let layer = serde_json::json!({ "mediaType": "text/plain", "digest": sha512(&bytes), "size": 1000 });
    let image = repository.push(image_of(&config, &[layer]).build());
    repository.pull_manifest(&image.digest).expect(200).expect_body(&image.bytes);
}

fn push_by_sha512(repository: &Repository<'_>, bytes: &[u8]) {
    let opened = repository.request(Method::POST, "blobs/uploads/?digest-algorithm=sha512");
    let opened = opened.header("Content-Length", "0").expect(202);
    repository.continue_upload(&opened).closing_request(&sha512(bytes)).body(bytes).expect(201);
}
