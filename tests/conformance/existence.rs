//! Checking if content exists in the registry (HEAD of end-2 and end-3).

use crate::client::Repository;
use crate::content::{fresh_bytes, index_of, unknown_digest};

cases! { "Checking if content exists in the registry":
    Must head_of_a_blob_is_200,
    Must head_of_a_blob_names_its_digest,
    Must head_of_a_blob_names_its_size,
    Must head_of_a_manifest_is_200,
    Must head_of_a_manifest_names_its_digest,
    Must head_of_a_manifest_names_its_size,
    Must head_of_an_unknown_blob_is_404,
    Must head_of_an_unknown_manifest_is_404,
    Must head_in_an_unknown_repository_is_404,
    Should head_of_a_manifest_names_its_type,
    Slipway blob_exists_right_after_its_commit,
    Slipway refused_head_has_no_body,
}

/// Checking if content exists, end-2: "A HEAD request to an existing blob or manifest URL MUST return `200
/// OK`."
fn head_of_a_blob_is_200(repository: &Repository<'_>) {
    let digest = repository.push_blob(&fresh_bytes(16));
    repository.head(&format!("blobs/{digest}")).expect(200).expect_body(b"");
}

/// Checking if content exists, end-2: "A successful response MUST contain the digest of the uploaded blob or
/// manifest in the header `Docker-Content-Digest`."
fn head_of_a_blob_names_its_digest(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let digest = repository.push_blob(&bytes);
    repository.head(&format!("blobs/{digest}")).expect(200).expect_digest_of(&bytes);
}

/// Checking if content exists, end-2: "A successful response MUST contain the size in bytes of the uploaded
/// blob or manifest in the header `Content-Length`."
fn head_of_a_blob_names_its_size(repository: &Repository<'_>) {
    for size_bytes in [0, 1, 70_001] {
        let digest = repository.push_blob(&fresh_bytes(size_bytes));
        let reply = repository.head(&format!("blobs/{digest}")).expect(200);
        reply.expect_header("Content-Length", &size_bytes.to_string());
    }
}

/// Checking if content exists, end-3: "A HEAD request to an existing blob or manifest URL MUST return `200
/// OK`."
fn head_of_a_manifest_is_200(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.head("manifests/latest").expect(200).expect_body(b"");
    repository.head(&format!("manifests/{}", image.digest)).expect(200).expect_body(b"");
}

/// Checking if content exists, end-3: the digest "MUST" be in `Docker-Content-Digest`; it is how a client
/// learns what a tag points to.
fn head_of_a_manifest_names_its_digest(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.head("manifests/latest").expect(200).expect_digest_of(&image.bytes);
    repository.head(&format!("manifests/{}", image.digest)).expect(200).expect_digest_of(&image.bytes);
}

/// Checking if content exists, end-3: the size in bytes "MUST" be in `Content-Length`.
fn head_of_a_manifest_names_its_size(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let size_bytes = image.bytes.len().to_string();
    repository.head("manifests/latest").expect(200).expect_header("Content-Length", &size_bytes);
}

/// Checking if content exists, end-2: "If the blob or manifest is not found in the repository, the response
/// code MUST be `404 Not Found`."
fn head_of_an_unknown_blob_is_404(repository: &Repository<'_>) {
    repository.push_blob(&fresh_bytes(16));
    repository.head(&format!("blobs/{}", unknown_digest())).expect(404);
}

/// Checking if content exists, end-3: the same for a tag and for a digest.
fn head_of_an_unknown_manifest_is_404(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.head("manifests/another").expect(404);
    repository.head(&format!("manifests/{}", unknown_digest())).expect(404);
}

/// Checking if content exists, end-2 and end-3: the same where nothing was ever pushed.
fn head_in_an_unknown_repository_is_404(repository: &Repository<'_>) {
    repository.head("manifests/latest").expect(404);
    repository.head(&format!("manifests/{}", unknown_digest())).expect(404);
    repository.head(&format!("blobs/{}", unknown_digest())).expect(404);
}

/// API, end-3: RFC 9110 (section 9.3.2): HEAD sends the headers of GET.
fn head_of_a_manifest_names_its_type(repository: &Repository<'_>) {
    let image = repository.push_image("image");
    let index = index_of(&[&image]).build();
    repository.put_manifest("index", &index).expect(201);
    repository.head("manifests/image").expect(200).expect_header("Content-Type", &image.media_type);
    repository.head("manifests/index").expect(200).expect_header("Content-Type", &index.media_type);
}

/// Checking if content exists, end-2: Docker asks for the blob as soon as the closing PUT is answered, and
/// fails without 200 and `Content-Length`.
fn blob_exists_right_after_its_commit(repository: &Repository<'_>) {
    for _ in 0..20 {
        let digest = repository.push_blob(&fresh_bytes(100));
        repository.head(&format!("blobs/{digest}")).expect(200).expect_header("Content-Length", "100");
    }
}

/// API, end-2 and end-3: RFC 9110 (section 9.3.2): an answer to HEAD has no body, and the next answer on the
/// connection is the next.
fn refused_head_has_no_body(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let digest = repository.push_blob(&bytes);
    repository.head(&format!("blobs/{}", unknown_digest())).expect(404).expect_body(b"");
    repository.head("blobs/sha256:0").expect(400).expect_body(b"");
    repository.pull_blob(&digest).expect(200).expect_body(&bytes);
}
