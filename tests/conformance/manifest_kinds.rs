//! The kinds of manifests that a registry takes (end-7a): images, indexes, artifacts, and Docker's own.

use serde_json::json;

use crate::client::Repository;
use crate::content::{CONFIG, DOCKER_IMAGE, DOCKER_LIST, Draft, EMPTY, INDEX, LAYER, Manifest};
use crate::content::{fresh_bytes, image_of, index_of};

cases! { "Pushing Manifests":
    Must image_is_accepted,
    Must image_without_layers_is_accepted,
    Must index_is_accepted,
    Must index_without_manifests_is_accepted,
    Must nested_index_is_accepted,
    Must artifact_is_accepted,
    Must content_of_any_type_is_accepted,
    Slipway index_with_an_artifact_type_is_accepted,
    Slipway one_blob_may_be_several_layers,
    Slipway descriptor_may_carry_its_data,
    Slipway docker_image_is_accepted,
    Slipway docker_list_is_accepted,
    Slipway index_may_mix_oci_and_docker,
}

/// Definitions, end-7a: an image manifest has "a config descriptor and an indexed list of layers".
fn image_is_accepted(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let layers =
        [1, 100, 10_000].map(|size_bytes| repository.push_described(LAYER, &fresh_bytes(size_bytes)));
    accept(repository, &image_of(&config, &layers));
}

/// Pushing manifests, end-7a: "the list of blobs MAY be empty".
fn image_without_layers_is_accepted(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    accept(repository, &image_of(&config, &[]));
}

/// Definitions, end-7a: an image index is "a manifest containing a list of manifests", one for each platform.
fn index_is_accepted(repository: &Repository<'_>) {
    let images = [(); 2].map(|()| repository.push(repository.draft_image().build()));
    let mut index = index_of(&[&images[0], &images[1]]);
    index.0["manifests"][0]["platform"] = json!({ "architecture": "amd64", "os": "linux" });
    index.0["manifests"][1]["platform"] = json!({ "architecture": "arm64", "os": "linux", "variant": "v8" });
    accept(repository, &index);
}

/// Definitions, end-7a: the list of manifests may be empty, as in a list of referrers that lost its last one.
fn index_without_manifests_is_accepted(repository: &Repository<'_>) {
    accept(repository, &index_of(&[]));
}

/// Definitions, end-7a: an index is a manifest, so an index may list one.
fn nested_index_is_accepted(repository: &Repository<'_>) {
    let image = repository.push(repository.draft_image().build());
    let inner = accept(repository, &index_of(&[&image]));
    let outer = accept(repository, &index_of(&[&inner, &image]));
    accept(repository, &index_of(&[&outer]));
}

/// Definitions, end-7a: an artifact is an image manifest with an `artifactType` and, where it has none, the
/// empty config.
fn artifact_is_accepted(repository: &Repository<'_>) {
    accept(repository, &repository.draft_artifact("application/vnd.example.artifact.v1+json"));
    let empty = repository.push_described(EMPTY, b"{}");
    accept(
        repository,
        &image_of(&empty, std::slice::from_ref(&empty)).with("artifactType", "application/vnd.example.bare"),
    );
}

/// Introduction, end-7a: "The specification is designed to be agnostic of content types."
fn content_of_any_type_is_accepted(repository: &Repository<'_>) {
    let config =
        repository.push_described("application/vnd.cncf.helm.config.v1+json", b"{\"name\":\"chart\"}");
    let layer = repository.push_described("application/vnd.example.anything; version=1", &fresh_bytes(100));
    let annotations = json!({ "org.opencontainers.image.title": "anything", "empty": "", "é": "\u{1f6a2}" });
    accept(repository, &image_of(&config, &[layer]).with("annotations", annotations));
}

/// Listing referrers, end-7a: an index may have an `artifactType` of its own.
fn index_with_an_artifact_type_is_accepted(repository: &Repository<'_>) {
    let image = repository.push(repository.draft_image().build());
    accept(repository, &index_of(&[&image]).with("artifactType", "application/vnd.example.bundle"));
}

/// Pushing manifests, end-7a: builders repeat a layer, the empty one for example, as often as it was made.
fn one_blob_may_be_several_layers(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let layer = repository.push_described(LAYER, &fresh_bytes(100));
    accept(repository, &image_of(&config, &[layer.clone(), layer.clone(), layer]));
}

/// Definitions, end-7a: a descriptor may embed what it describes, and have URLs and annotations.
fn descriptor_may_carry_its_data(repository: &Repository<'_>) {
    let mut config = repository.push_described(EMPTY, b"{}");
    config["data"] = json!("e30=");
    config["annotations"] = json!({ "a": "b" });
    config["urls"] = json!(["https://example.com/empty"]);
    accept(repository, &image_of(&config, &[]));
}

/// Definitions, end-7a: "(and legacy manifests)": a Docker schema 2 image, as Docker pushes.
fn docker_image_is_accepted(repository: &Repository<'_>) {
    accept(repository, &draft_docker_image(repository));
}

/// Definitions, end-7a: the same for a Docker manifest list.
fn docker_list_is_accepted(repository: &Repository<'_>) {
    let image = accept(repository, &draft_docker_image(repository));
    let mut list = index_of(&[&image]).without("annotations").with("mediaType", DOCKER_LIST);
    list.0["manifests"][0]["platform"] = json!({ "architecture": "amd64", "os": "linux" });
    accept(repository, &list);
}

/// Definitions, end-7a: a descriptor says what it points to, so an index lists either kind.
fn index_may_mix_oci_and_docker(repository: &Repository<'_>) {
    let docker_image = accept(repository, &draft_docker_image(repository));
    let image = repository.push(repository.draft_image().build());
    let index = accept(repository, &index_of(&[&docker_image, &image]));
    assert_eq!(index.media_type, INDEX);
}

fn draft_docker_image(repository: &Repository<'_>) -> Draft {
    let config =
        repository.push_described("application/vnd.docker.container.image.v1+json", &fresh_bytes(64));
    let layer_type = "application/vnd.docker.image.rootfs.diff.tar.gzip";
    let layer = repository.push_described(layer_type, &fresh_bytes(100));
    image_of(&config, &[layer]).with("mediaType", DOCKER_IMAGE)
}

/// Pushes the manifest by tag and by digest, and pulls it back each way.
#[track_caller]
fn accept(repository: &Repository<'_>, draft: &Draft) -> Manifest {
    let manifest = draft.build();
    for reference in ["kind", &manifest.digest] {
        repository.put_manifest(reference, &manifest).expect(201);
        let pulled = repository.pull_manifest(reference).expect(200).expect_body(&manifest.bytes);
        pulled.expect_header("Content-Type", &manifest.media_type);
    }
    manifest
}
