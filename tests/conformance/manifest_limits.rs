//! How large a manifest may be, and what is none (end-7a, code-6, code-10).

use serde_json::{Value, json};

use crate::client::Repository;
use crate::content::{CONFIG, Draft, IMAGE, INDEX, Manifest, descriptor, fresh_bytes, image_of, index_of};
use crate::reply::Reply;

cases! { "Pushing Manifests":
    Should manifest_of_four_megabytes_is_accepted,
    Should manifest_over_the_limit_is_413,
    Slipway body_that_is_no_json_is_refused,
    Slipway json_that_is_no_manifest_is_refused,
    Slipway image_that_is_also_an_index_is_refused,
    Slipway duplicate_key_is_refused,
    Slipway deep_nesting_is_refused,
    Slipway too_many_descriptors_are_refused,
    Slipway malformed_descriptor_is_refused,
    Slipway schema_1_is_refused_by_name,
}

const FOUR_MEBIBYTES: usize = 4 << 20;

/// Pushing manifests, end-7a: registries "SHOULD expect to be able to support manifest pushes of at least 4
/// megabytes".
fn manifest_of_four_megabytes_is_accepted(repository: &Repository<'_>) {
    let image = image_of_size(repository, FOUR_MEBIBYTES);
    repository.put_manifest("latest", &image).expect(201);
    repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
    let head = repository.head("manifests/latest").expect(200);
    head.expect_header("Content-Length", &FOUR_MEBIBYTES.to_string());
}

/// Pushing manifests, end-7a: a registry that enforces a limit "SHOULD respond to a request to push a
/// manifest over this limit with a response code `413 Payload Too Large`".
fn manifest_over_the_limit_is_413(repository: &Repository<'_>) {
    for size_bytes in [FOUR_MEBIBYTES + 1, 2 * FOUR_MEBIBYTES] {
        let image = image_of_size(repository, size_bytes);
        repository.put_manifest("latest", &image).expect_error(413, "SIZE_INVALID");
    }
    repository.pull_manifest("latest").expect(404);
}

/// Error codes, code-6, end-7a: `MANIFEST_INVALID` is "manifest invalid", as text that is no JSON is.
fn body_that_is_no_json_is_refused(repository: &Repository<'_>) {
    for bytes in ["", "{", "not json", "\u{feff}{}", "{} {}"] {
        refuse(repository, &Manifest::of(IMAGE, bytes));
    }
    refuse(repository, &Manifest::of(IMAGE, b"{\"a\":\"\xff\"}".to_vec()));
}

/// Error codes, code-6, end-7a: and so is JSON without what every manifest has.
fn json_that_is_no_manifest_is_refused(repository: &Repository<'_>) {
    for bytes in ["null", "[]", "\"manifest\"", "{}", r#"{"schemaVersion":2}"#] {
        refuse(repository, &Manifest::of(IMAGE, bytes));
        refuse(repository, &Manifest::of(INDEX, bytes));
    }
}

/// Error codes, code-6, end-7a: one document must not be an image to one client and an index to another.
fn image_that_is_also_an_index_is_refused(repository: &Repository<'_>) {
    refuse(repository, &repository.draft_image().with("manifests", json!([])).build());
    refuse(repository, &index_of(&[]).with("layers", json!([])).build());
}

/// Error codes, code-6, end-7a: nor two documents in one, by which of two values a client reads.
fn duplicate_key_is_refused(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let text = String::from_utf8(image.bytes).unwrap();
    let twice = text.replacen('{', r#"{"schemaVersion":2,"#, 1);
    assert_eq!(twice.matches("schemaVersion").count(), 2);
    refuse(repository, &Manifest::of(IMAGE, twice));
}

/// Error codes, code-6, end-7a: clients parse what they pull, many of them recursively.
fn deep_nesting_is_refused(repository: &Repository<'_>) {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    repository.push(repository.draft_image().with("unknown", nested(60)).build());
    refuse(repository, &repository.draft_image().with("unknown", nested(100)).build());
    let bottomless = format!(r#"{{"unknown":{}"#, "[".repeat(1_000_000));
    refuse(repository, &Manifest::of(IMAGE, bottomless));
}

/// Error codes, code-6, end-7a: 10,000 descriptors are accepted, and not one more.
fn too_many_descriptors_are_refused(repository: &Repository<'_>) {
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let layer = repository.push_described("a/b", &fresh_bytes(64));
    refuse(repository, &image_of(&config, &vec![layer; 10_000]).build());
}

/// Error codes, code-6, end-7a: a descriptor has a media type, a digest and a size, and each is one.
fn malformed_descriptor_is_refused(repository: &Repository<'_>) {
    let good = repository.push_described(CONFIG, &fresh_bytes(64));
    repository.push(image_of(&good, &[]).build());
    let bad_values = [
        ("digest", json!("sha256:0123")),
        ("digest", json!(good["digest"].as_str().unwrap().to_uppercase())),
        ("digest", Value::Null),
        ("size", json!(-1)),
        ("size", json!("64")),
        ("mediaType", json!(7)),
    ];
    for (field, value) in bad_values {
        let mut bad = descriptor(CONFIG, &fresh_bytes(64));
        bad[field] = value;
        refuse(repository, &image_of(&bad, &[]).build());
        refuse(repository, &image_of(&good, &[bad]).build());
    }
}

/// Error codes, code-6, end-7a: who pushes the format of before 2017 reads what to do about it.
fn schema_1_is_refused_by_name(repository: &Repository<'_>) {
    let schema_1 = Draft(json!({
        "schemaVersion": 1, "name": repository.name, "tag": "latest", "architecture": "amd64",
        "fsLayers": [{ "blobSum": repository.push_blob(&fresh_bytes(64)) }],
        "history": [{ "v1Compatibility": "{}" }],
    }));
    for media_type in [
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/json",
    ] {
        let reply = refuse(repository, &schema_1.build_as(media_type));
        let message = reply.json()["errors"][0]["message"].as_str().unwrap().to_lowercase();
        assert!(message.contains("schema 1") || message.contains("schema1"), "{reply}");
    }
}

fn image_of_size(repository: &Repository<'_>, size_bytes: usize) -> Manifest {
    let draft = repository.draft_image().with("annotations", json!({ "padding": "" }));
    let padding = "x".repeat(size_bytes - draft.build().bytes.len());
    let image = draft.with("annotations", json!({ "padding": padding })).build();
    assert_eq!(image.bytes.len(), size_bytes);
    image
}

#[track_caller]
fn refuse(repository: &Repository<'_>, manifest: &Manifest) -> Reply {
    repository.put_manifest("latest", manifest).expect_error(400, "MANIFEST_INVALID")
}
