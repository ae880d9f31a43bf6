//! Deleting tags and manifests (end-9).

use crate::client::Repository;
use crate::content::{index_of, unknown_digest};

cases! { "Deleting Tags and Manifests":
    Must tag_deletion_is_done_or_disabled,
    Must manifest_deletion_is_done_or_disabled,
    Must deletion_in_an_unknown_repository_is_404,
    May deleted_tag_is_404,
    May deleted_manifest_is_404_by_digest_and_by_tag,
    Slipway deletion_of_a_tag_deletes_the_tag_alone,
    Slipway deletion_is_in_one_repository,
    Slipway deletion_of_what_is_not_there_is_404,
    Slipway deleted_manifest_may_be_pushed_again,
    Slipway manifest_of_an_index_is_kept,
    Slipway manifest_is_deleted_after_its_index,
}

/// Deleting tags, end-9: "Upon success, the registry MUST respond with a `202 Accepted` code. If tag deletion
/// is disabled, the registry MUST respond with either a `400 Bad Request` or a `405 Method Not Allowed`."
fn tag_deletion_is_done_or_disabled(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let reply = repository.delete("manifests/latest").send().expect_one_of(&[202, 400, 405]);
    repository.pull_manifest("latest").expect(if reply.status == 202 { 404 } else { 200 });
    repository.pull_manifest(&image.digest).expect(200);
}

/// Deleting manifests, end-9: "Upon success, the registry MUST respond with a `202 Accepted` code. If
/// manifest deletion is disabled, the registry MUST respond with either a `400 Bad Request` or a `405 Method
/// Not Allowed`."
fn manifest_deletion_is_done_or_disabled(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let request = repository.delete(&format!("manifests/{}", image.digest));
    let reply = request.send().expect_one_of(&[202, 400, 405]);
    repository.pull_manifest(&image.digest).expect(if reply.status == 202 { 404 } else { 200 });
}

/// Deleting manifests, end-9: "If the repository does not exist, the response MUST return `404 Not Found`."
fn deletion_in_an_unknown_repository_is_404(repository: &Repository<'_>) {
    repository.delete(&format!("manifests/{}", unknown_digest())).expect(404);
}

/// Deleting tags, end-9: "Once deleted, a `GET` to `/v2/<name>/manifests/<tag>` will return a 404."
fn deleted_tag_is_404(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.delete("manifests/latest").expect(202);
    repository.pull_manifest("latest").expect(404);
    repository.head("manifests/latest").expect(404);
}

/// Deleting manifests, end-9: "Once deleted, a `GET` to `/v2/<name>/manifests/<digest>` and any tag pointing
/// to that digest will return a 404."
fn deleted_manifest_is_404_by_digest_and_by_tag(repository: &Repository<'_>) {
    let image = repository.push_tags(&["one", "two", "three"]);
    repository.delete(&format!("manifests/{}", image.digest)).expect(202);
    for reference in ["one", "two", "three", &image.digest] {
        repository.pull_manifest(reference).expect(404);
        repository.head(&format!("manifests/{reference}")).expect(404);
    }
}

/// Deleting tags, end-9: a tag is a pointer; the manifest and its other tags stay.
fn deletion_of_a_tag_deletes_the_tag_alone(repository: &Repository<'_>) {
    let image = repository.push_tags(&["one", "two"]);
    repository.delete("manifests/one").expect(202);
    repository.pull_manifest("two").expect(200).expect_body(&image.bytes);
    repository.pull_manifest(&image.digest).expect(200).expect_body(&image.bytes);
    repository.delete("manifests/two").expect(202);
    repository.pull_manifest(&image.digest).expect(200).expect_body(&image.bytes);
}

/// Deleting manifests, end-9: "`<name>` is the namespace of the repository", and others are not concerned.
fn deletion_is_in_one_repository(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let other = repository.sibling("-other");
    for digest in ["config", "layers"].map(|field| image.json()[field].clone()) {
        let descriptor = digest.as_array().map_or(digest.clone(), |layers| layers[0].clone());
        let blob = repository.pull_blob(descriptor["digest"].as_str().unwrap()).expect(200);
        other.push_blob(&blob.body);
    }
    other.put_manifest("latest", &image).expect(201);
    repository.delete(&format!("manifests/{}", image.digest)).expect(202);
    other.pull_manifest("latest").expect(200).expect_body(&image.bytes);
}

/// Error codes, code-7, end-9: `MANIFEST_UNKNOWN` is "manifest unknown to registry".
fn deletion_of_what_is_not_there_is_404(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.delete("manifests/another").expect_error(404, "MANIFEST_UNKNOWN");
    repository.delete(&format!("manifests/{}", unknown_digest())).expect_error(404, "MANIFEST_UNKNOWN");
    repository.delete(&format!("manifests/{}", image.digest)).expect(202);
    repository.delete(&format!("manifests/{}", image.digest)).expect_error(404, "MANIFEST_UNKNOWN");
}

/// Deleting manifests, end-9: a deletion is of what is there now, and no ban.
fn deleted_manifest_may_be_pushed_again(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.delete(&format!("manifests/{}", image.digest)).expect(202);
    repository.put_manifest("latest", &image).expect(201);
    repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
    repository.pull_manifest(&image.digest).expect(200).expect_body(&image.bytes);
}

/// Deleting manifests, end-9: an index that was accepted stays pullable with every manifest that it lists, so
/// "the registry MUST respond with either a `400 Bad Request` or a `405 Method Not Allowed`", and says why.
fn manifest_of_an_index_is_kept(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let index = repository.push(index_of(&[&image]).build());
    let refusal = repository.delete(&format!("manifests/{}", image.digest)).expect_error(405, "UNSUPPORTED");
    assert!(refusal.first_message().contains(&index.digest), "{refusal}");
    repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
}

/// Deleting manifests, end-9: whoever deletes the index first may delete the rest.
fn manifest_is_deleted_after_its_index(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let index = repository.push(index_of(&[&image]).build());
    repository.delete(&format!("manifests/{}", index.digest)).expect(202);
    repository.pull_manifest(&image.digest).expect(200).expect_body(&image.bytes);
    repository.delete(&format!("manifests/{}", image.digest)).expect(202);
    repository.pull_manifest("latest").expect(404);
}
