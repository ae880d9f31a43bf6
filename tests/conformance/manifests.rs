//! Pushing manifests (end-7a).

use reqwest::Method;

use crate::client::Repository;
use crate::content::{IMAGE, INDEX, Manifest, index_of, unknown_digest};

cases! { "Pushing Manifests":
    Must push_by_tag_is_answered_with_201,
    Must push_by_digest_is_answered_with_201,
    Must pushed_manifest_has_a_pullable_location,
    Must push_answer_names_the_digest,
    Must bytes_are_stored_as_they_came,
    Should parameters_of_the_content_type_are_ignored,
    Must tag_moves_to_the_newest_manifest,
    Must manifest_may_have_several_tags,
    Slipway repeated_push_is_answered_alike,
    Slipway pushed_manifest_is_located_by_its_digest,
    Slipway manifest_needs_no_media_type_field,
    Slipway digest_of_another_manifest_is_refused,
    Slipway media_type_that_contradicts_the_content_type_is_refused,
    Slipway refused_push_leaves_the_tag_alone,
}

/// Pushing manifests, end-7a: "Upon a successful upload, the registry MUST return response code `201
/// Created`".
fn push_by_tag_is_answered_with_201(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    repository.put_manifest("latest", &image).expect(201);
}

/// Pushing manifests, end-7a: "`<tag-or-digest>` MUST be either a) a digest or b) a tag".
fn push_by_digest_is_answered_with_201(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    repository.put_by_digest(&image).expect(201);
}

/// Pushing manifests, end-7a: "and MUST have the following header: `Location: <location>`", "a pullable
/// manifest URL".
fn pushed_manifest_has_a_pullable_location(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    for reference in ["latest", &image.digest] {
        let reply = repository.put_manifest(reference, &image).expect(201);
        repository.registry.get(reply.header("Location")).expect(200).expect_body(&image.bytes);
    }
}

/// Pushing manifests, end-7a: `Docker-Content-Digest` "returns the digest of the uploaded blob, and MUST be
/// equal to the client provided digest".
fn push_answer_names_the_digest(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    repository.put_by_digest(&image).expect(201).expect_header("Docker-Content-Digest", &image.digest);
    repository.put_manifest("latest", &image).expect(201).expect_digest_of(&image.bytes);
}

/// Pushing manifests, end-7a: "The registry MUST store the manifest in the exact byte representation provided
/// by the client": white space, order, escapes and fields that it does not know.
fn bytes_are_stored_as_they_came(repository: &Repository<'_>) {
    let draft = repository.draft_image().with("unknown", serde_json::json!({ "z": [1.50, null], "a": "é" }));
    let indented =
        serde_json::to_string_pretty(&draft.0).unwrap().replace('\n', "\r\n\t").replace('é', "\\u00e9");
    let image = Manifest::of(IMAGE, format!(" {indented} \n\n"));
    repository
        .put_manifest("latest", &image)
        .expect(201)
        .expect_header("Docker-Content-Digest", &image.digest);
    repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
    repository.pull_manifest(&image.digest).expect(200).expect_body(&image.bytes);
}

/// Pushing manifests, end-7a: "The registry SHOULD ignore parameters on the `Content-Type` header."
fn parameters_of_the_content_type_are_ignored(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    for content_type in [format!("{IMAGE}; charset=utf-8"), format!("{IMAGE};charset=\"utf-8\"; a=b")] {
        let with_parameters = Manifest { media_type: content_type, ..image.clone() };
        repository.put_manifest("latest", &with_parameters).expect(201);
        repository.pull_manifest("latest").expect(200).expect_header("Content-Type", IMAGE);
    }
}

/// Definitions, end-7a: a tag is a "pointer to a manifest"; the manifest that it pointed to before stays.
fn tag_moves_to_the_newest_manifest(repository: &Repository<'_>) {
    let older = repository.push_image("latest");
    let newer = repository.push_image("latest");
    repository.pull_manifest("latest").expect(200).expect_body(&newer.bytes);
    repository.pull_manifest(&older.digest).expect(200).expect_body(&older.bytes);
}

/// Definitions, end-7a: "A manifest digest may have zero, one, or many tags referencing it."
fn manifest_may_have_several_tags(repository: &Repository<'_>) {
    let image = repository.push_tags(&["one", "two", "three"]);
    for tag in ["one", "two", "three"] {
        repository.pull_manifest(tag).expect(200).expect_body(&image.bytes);
    }
}

/// Pushing manifests, end-7a: a client whose answer was lost pushes again.
fn repeated_push_is_answered_alike(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let first = repository.put_manifest("latest", &image).expect(201);
    let second = repository.put_manifest("latest", &image).expect(201);
    assert_eq!(first.header("Location"), second.header("Location"));
    repository.put_by_digest(&image).expect(201);
}

/// Pushing manifests, end-7a: a location by digest stays right when the tag moves.
fn pushed_manifest_is_located_by_its_digest(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let location = repository.path(&format!("manifests/{}", image.digest));
    repository.put_manifest("latest", &image).expect(201).expect_header("Location", &location);
}

/// Pushing manifests, end-7a: manifests only SHOULD include a `mediaType` field; `Content-Type` says it then.
fn manifest_needs_no_media_type_field(repository: &Repository<'_>) {
    let image = repository.push(repository.draft_image().without("mediaType").build_as(IMAGE));
    let index = repository.push(index_of(&[&image]).without("mediaType").build_as(INDEX));
    repository.pull_manifest(&image.digest).expect(200).expect_header("Content-Type", IMAGE);
    repository.pull_manifest(&index.digest).expect(200).expect_header("Content-Type", INDEX);
}

/// Pushing manifests, end-7a, code-4: the digest "MUST be equal to the client provided digest", or nothing is
/// stored.
fn digest_of_another_manifest_is_refused(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let claimed = unknown_digest();
    repository.put_manifest(&claimed, &image).expect_error(400, "DIGEST_INVALID");
    repository.pull_manifest(&claimed).expect(404);
    repository.pull_manifest(&image.digest).expect(404);
}

/// Pushing manifests, end-7a, code-6: "clients MUST set the `Content-Type` header to the value specified by
/// the `mediaType` field"; one that does not would make others reject what they pull.
fn media_type_that_contradicts_the_content_type_is_refused(repository: &Repository<'_>) {
    let image = repository.draft_image().build_as(INDEX);
    repository.put_manifest("latest", &image).expect_error(400, "MANIFEST_INVALID");
    let index = index_of(&[]).build_as(IMAGE);
    repository.put_manifest("latest", &index).expect_error(400, "MANIFEST_INVALID");
}

/// Pushing manifests, end-7a: only a successful upload moves a tag.
fn refused_push_leaves_the_tag_alone(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let request = repository.request(Method::PUT, "manifests/latest").header("Content-Type", IMAGE);
    request.body(b"{").expect_error(400, "MANIFEST_INVALID");
    repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
}
