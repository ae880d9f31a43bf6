//! Manifests that name what is not there (end-7a, code-5).

use std::collections::BTreeSet;

use serde_json::Value;

use crate::client::Repository;
use crate::content::{
    CONFIG, Draft, LAYER, Manifest, descriptor, fresh_bytes, image_of, index_of, unknown_descriptor,
};

cases! { "Push":
    Must refusal_of_a_missing_blob_is_manifest_blob_unknown,
    Must missing_subject_is_accepted,
    May image_with_a_missing_layer_is_refused,
    May image_with_a_missing_config_is_refused,
    May index_with_a_missing_manifest_is_refused,
    Slipway each_missing_digest_is_named,
    Slipway blob_of_another_repository_is_missing,
    Slipway blob_is_no_manifest_of_an_index,
    Slipway missing_foreign_layer_is_accepted,
    Slipway refused_manifest_is_not_there,
    Slipway refused_manifest_is_accepted_once_its_blob_is_there,
}

/// Push, end-7a: "When a manifest is rejected for this reason, it MUST result in one or more
/// `MANIFEST_BLOB_UNKNOWN` errors".
fn refusal_of_a_missing_blob_is_manifest_blob_unknown(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let image = image_of(&config, &[unknown_descriptor(LAYER)]).build();
    let index = index_of(&[&repository.draft_image().build()]).build();
    for manifest in [image, index] {
        let reply = repository.put_manifest("latest", &manifest);
        let codes = if reply.status == 201 { vec![] } else { reply.error_codes() };
        assert!(codes.iter().all(|code| code == "MANIFEST_BLOB_UNKNOWN"), "{reply}");
    }
}

/// Push, end-7a: "A registry MUST initially accept an otherwise valid manifest with a `subject` field that
/// references a manifest that does not exist in the repository".
fn missing_subject_is_accepted(repository: &Repository<'_>) {
    let missing = repository.draft_image().build();
    let image =
        repository.push(repository.draft_artifact("application/vnd.example").subject(&missing).build());
    let index = repository.push(index_of(&[&image]).subject(&missing).build());
    repository.pull_manifest(&image.digest).expect(200).expect_body(&image.bytes);
    repository.pull_manifest(&index.digest).expect(200).expect_body(&index.bytes);
}

/// Push, end-7a: "A registry MAY reject a manifest uploaded to the manifest endpoint with descriptors in
/// other fields that reference a manifest or blob that does not exist in the registry", here a layer.
fn image_with_a_missing_layer_is_refused(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    refuse(repository, &image_of(&config, &[unknown_descriptor(LAYER)]));
}

/// Push, end-7a: the same for a config.
fn image_with_a_missing_config_is_refused(repository: &Repository<'_>) {
    let layer = repository.push_described(LAYER, &fresh_bytes(64));
    refuse(repository, &image_of(&unknown_descriptor(CONFIG), &[layer]));
}

/// Push, end-7a: the same for a manifest of an index, whose blobs alone are no manifest.
fn index_with_a_missing_manifest_is_refused(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    refuse(repository, &index_of(&[&image]));
}

/// Push, end-7a, code-5: "one or more" errors: the client learns of every missing digest at once.
fn each_missing_digest_is_named(repository: &Repository<'_>) {
    let config = unknown_descriptor(CONFIG);
    let layers = [
        unknown_descriptor(LAYER),
        repository.push_described(LAYER, &fresh_bytes(64)),
        unknown_descriptor(LAYER),
    ];
    let reply = refuse(repository, &image_of(&config, &layers));
    let named: BTreeSet<String> =
        reply.json()["errors"].as_array().unwrap().iter().map(Value::to_string).collect();
    assert_eq!(named.len(), 3, "{reply}");
    for missing in [&config, &layers[0], &layers[2]] {
        let digest = missing["digest"].as_str().unwrap();
        assert!(named.iter().any(|error| error.contains(digest)), "no error names {digest}: {reply}");
    }
}

/// Definitions, end-7a: descriptors reference "other manifests and blobs in a repository", and not beyond it.
fn blob_of_another_repository_is_missing(repository: &Repository<'_>) {
    let layer = fresh_bytes(64);
    repository.sibling("-other").push_blob(&layer);
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    refuse(repository, &image_of(&config, &[descriptor(LAYER, &layer)]));
}

/// Definitions, end-7a: an index lists manifests; the bytes of one that were pushed as a blob are none.
fn blob_is_no_manifest_of_an_index(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    repository.push_blob(&image.bytes);
    refuse(repository, &index_of(&[&image]));
}

/// Push, end-7a: layers that may not be distributed are fetched from their URLs, and clients do not push
/// them.
fn missing_foreign_layer_is_accepted(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    for media_type in [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ] {
        let mut layer = unknown_descriptor(media_type);
        layer["urls"] = serde_json::json!(["https://example.com/layer"]);
        repository.push(image_of(&config, &[layer]).build());
    }
}

/// Push, end-7a: a manifest that was refused is not readable by any reference.
fn refused_manifest_is_not_there(repository: &Repository<'_>) {
    let image = refused_image(repository, &fresh_bytes(64));
    repository.pull_manifest("latest").expect(404);
    repository.pull_manifest(&image.digest).expect(404);
}

/// Push, end-7a: the refusal is of the moment: once the blob is there, so may the manifest be.
fn refused_manifest_is_accepted_once_its_blob_is_there(repository: &Repository<'_>) {
    let layer = fresh_bytes(64);
    let image = refused_image(repository, &layer);
    repository.push_blob(&layer);
    repository.put_manifest("latest", &image).expect(201);
    repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
}

fn refused_image(repository: &Repository<'_>, missing_layer: &[u8]) -> Manifest {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let draft = image_of(&config, &[descriptor(LAYER, missing_layer)]);
    refuse(repository, &draft);
    draft.build()
}

#[track_caller]
fn refuse(repository: &Repository<'_>, draft: &Draft) -> crate::reply::Reply {
    repository.put_manifest("latest", &draft.build()).expect_error(400, "MANIFEST_BLOB_UNKNOWN")
}
