//! Pulling manifests (end-3).

use test_support::content::sha256;

use crate::client::Repository;
use crate::content::{DOCKER_IMAGE, DOCKER_LIST, IMAGE, INDEX, Manifest, index_of, unknown_digest};

cases! { "Pulling manifests":
    Must manifest_is_returned_by_tag,
    Must manifest_is_returned_by_digest,
    Must manifest_answer_names_its_digest,
    Must unknown_tag_is_404,
    Must unknown_manifest_digest_is_404,
    Must manifest_of_an_unknown_repository_is_404,
    Must manifest_of_another_repository_is_404,
    Should content_type_is_what_was_pushed,
    Should content_type_has_no_parameters,
    Must image_is_pulled_whole,
    Slipway manifest_is_returned_whatever_the_client_accepts,
    May ns_parameter_changes_nothing,
    Slipway unknown_manifest_is_named_by_its_error,
}

/// Pulling manifests, end-3: "A GET request to an existing manifest URL MUST provide the expected manifest,
/// with a response code that MUST be `200 OK`", here by a tag.
fn manifest_is_returned_by_tag(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
}

/// Pulling manifests, end-3: the same by a digest, for a manifest that has a tag and for one that has none.
fn manifest_is_returned_by_digest(repository: &Repository<'_>) {
    let tagged = repository.push_image("latest");
    let untagged = repository.push(repository.draft_image().build());
    repository.pull_manifest(&tagged.digest).expect(200).expect_body(&tagged.bytes);
    repository.pull_manifest(&untagged.digest).expect(200).expect_body(&untagged.bytes);
}

/// Pulling manifests, end-3: "A successful response MUST contain the digest of the uploaded blob in the
/// header `Docker-Content-Digest`."
fn manifest_answer_names_its_digest(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.pull_manifest("latest").expect(200).expect_digest_of(&image.bytes);
    repository.pull_manifest(&image.digest).expect(200).expect_digest_of(&image.bytes);
}

/// Pulling manifests, end-3: "If the manifest is not found in the repository, the response code MUST be `404
/// Not Found`", here for a tag.
fn unknown_tag_is_404(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.pull_manifest("another").expect(404);
}

/// Pulling manifests, end-3: the same for a digest, even if it is that of a blob of the repository.
fn unknown_manifest_digest_is_404(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    repository.pull_manifest(&unknown_digest()).expect(404);
    let config = image.json()["config"]["digest"].as_str().unwrap().to_owned();
    repository.pull_manifest(&config).expect(404);
}

/// Pushing manifests, end-3: "An attempt to pull a nonexistent repository MUST return response code `404 Not
/// Found`."
fn manifest_of_an_unknown_repository_is_404(repository: &Repository<'_>) {
    repository.pull_manifest("latest").expect(404);
    repository.pull_manifest(&unknown_digest()).expect(404);
}

/// Pulling manifests, end-3: "not found in the repository" is 404 wherever else the manifest may be.
fn manifest_of_another_repository_is_404(repository: &Repository<'_>) {
    let other = repository.sibling("-other");
    other.push_image("latest");
    let image = repository.push_image("latest");
    other.pull_manifest(&image.digest).expect(404);
}

/// Pulling manifests, end-3: "The `Content-Type` header SHOULD match what the client pushed as the manifest's
/// `Content-Type`."
fn content_type_is_what_was_pushed(repository: &Repository<'_>) {
    for manifest in one_of_each_type(repository) {
        let reply = repository.pull_manifest(&manifest.digest).expect(200);
        assert_eq!(media_type(reply.header("Content-Type")), manifest.media_type);
    }
}

/// Pulling manifests, end-3: "The registry SHOULD NOT include parameters on the `Content-Type` header."
fn content_type_has_no_parameters(repository: &Repository<'_>) {
    for manifest in one_of_each_type(repository) {
        let reply = repository.pull_manifest(&manifest.digest).expect(200);
        assert!(!reply.header("Content-Type").contains(';'), "{reply}");
    }
}

/// Pull: "All registries conforming to this specification MUST support, at a minimum, all APIs in the Pull
/// category": end-3 for the manifest, then end-2 for each blob that it names.
fn image_is_pulled_whole(repository: &Repository<'_>) {
    repository.push_image("latest");
    let manifest = repository.pull_manifest("latest").expect(200).json();
    let layers = manifest["layers"].as_array().unwrap();
    for descriptor in layers.iter().chain([&manifest["config"]]) {
        let digest = descriptor["digest"].as_str().unwrap();
        let blob = repository.pull_blob(digest).expect(200);
        assert_eq!(sha256(&blob.body), digest);
        assert_eq!(descriptor["size"], blob.body.len());
    }
}

/// Pulling manifests, end-3: a digest names one manifest, so `Accept` cannot make the answer another one.
fn manifest_is_returned_whatever_the_client_accepts(repository: &Repository<'_>) {
    let manifests = one_of_each_type(repository);
    let every_type = [IMAGE, INDEX, DOCKER_IMAGE, DOCKER_LIST].join(", ");
    for accepted in ["*/*", IMAGE, INDEX, DOCKER_IMAGE, &every_type] {
        for manifest in &manifests {
            let request =
                repository.get(&format!("manifests/{}", manifest.digest)).header("Accept", accepted);
            request.expect(200).expect_body(&manifest.bytes);
        }
    }
}

/// Registry proxying: "A registry MAY choose to ignore the `ns` query parameter"; one that uses it names it
/// in `OCI-Namespace`.
fn ns_parameter_changes_nothing(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let reply = repository.pull_manifest("latest?ns=docker.io").expect(200).expect_body(&image.bytes);
    assert!(
        reply.optional_header("OCI-Namespace").is_none_or(|namespace| namespace == "docker.io"),
        "{reply}"
    );
}

/// Error codes, code-7: `MANIFEST_UNKNOWN` is "manifest unknown to registry".
fn unknown_manifest_is_named_by_its_error(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.pull_manifest("another").expect_error(404, "MANIFEST_UNKNOWN");
    repository.pull_manifest(&unknown_digest()).expect_error(404, "MANIFEST_UNKNOWN");
}

fn one_of_each_type(repository: &Repository<'_>) -> Vec<Manifest> {
    let draft = repository.draft_image();
    let image = repository.push(draft.build());
    let docker_image = repository.push(draft.with("mediaType", DOCKER_IMAGE).build());
    let index = repository.push(index_of(&[&image]).build());
    let docker_list = repository.push(index_of(&[&docker_image]).with("mediaType", DOCKER_LIST).build());
    vec![image, docker_image, index, docker_list]
}

fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap().trim()
}
