//! Listing referrers (end-12a).

use serde_json::{Value, json};

use crate::client::Repository;
use crate::content::{CONFIG, INDEX, Manifest, fresh_bytes, image_of, index_of, unknown_digest};

cases! { "Listing Referrers":
    Must referrers_are_listed_with_200,
    Must list_is_an_index_by_its_content_type,
    Must list_is_an_image_index,
    Must every_new_referrer_is_listed,
    Must artifact_type_is_that_of_the_image,
    Must artifact_type_falls_back_to_the_config,
    Must artifact_type_is_that_of_the_index,
    Must artifact_type_of_an_index_without_one_is_omitted,
    Must annotations_are_those_of_the_manifest,
    Must subject_without_referrers_has_an_empty_list,
    Must unknown_subject_is_no_404,
    Must malformed_digest_is_400,
    Must referrer_may_come_before_its_subject,
    Must only_direct_referrers_are_listed,
    Must only_referrers_of_the_repository_are_listed,
    Slipway unknown_repository_has_an_empty_list,
    Slipway referrer_by_tag_is_listed,
    Slipway repeated_referrer_is_listed_once,
    Slipway deleted_referrer_is_not_listed,
    Slipway referrers_outlive_their_subject,
    Slipway sha512_subject_has_referrers,
}

const TYPE: &str = "application/vnd.example.sbom.v1";

/// Listing referrers, end-12a: "this request MUST return a `200 OK` response code", with a descriptor that is
/// the referrer's.
fn referrers_are_listed_with_200(repository: &Repository<'_>) {
    let (subject, referrer) = push_a_referrer(repository);
    let listed = only(repository, &subject);
    assert_eq!(listed["mediaType"], referrer.media_type);
    assert_eq!(listed["digest"], referrer.digest);
    assert_eq!(listed["size"], referrer.bytes.len());
    repository.pull_manifest(&referrer.digest).expect(200).expect_body(&referrer.bytes);
}

/// Listing referrers, end-12a: "The `Content-Type` header MUST be set to
/// `application/vnd.oci.image.index.v1+json`."
fn list_is_an_index_by_its_content_type(repository: &Repository<'_>) {
    let (subject, _) = push_a_referrer(repository);
    repository.get(&format!("referrers/{}", subject.digest)).expect(200).expect_header("Content-Type", INDEX);
}

/// Listing referrers, end-12a: "the response MUST be a JSON body with an image index".
fn list_is_an_image_index(repository: &Repository<'_>) {
    let (subject, _) = push_a_referrer(repository);
    let list = repository.get(&format!("referrers/{}", subject.digest)).expect(200).json();
    assert_eq!(list["schemaVersion"], 2);
    assert_eq!(list["mediaType"], INDEX);
    assert!(list["manifests"].is_array());
}

/// Enabling the referrers API, end-12a: "Registries MUST include all newly pushed image manifests with a
/// valid `subject` field in the referrers API response."
fn every_new_referrer_is_listed(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let draft = || repository.draft_artifact(TYPE).subject(&subject).build();
    let mut pushed: Vec<String> = (0..5).map(|_| repository.push(draft()).digest).collect();
    let mut listed: Vec<String> = repository.referrers(&subject.digest).iter().map(digest_of).collect();
    pushed.sort();
    listed.sort();
    assert_eq!(listed, pushed);
}

/// Listing referrers, end-12a: "The descriptors MUST include an `artifactType` field that is set to the value
/// of the `artifactType` in the image manifest or index, if present", here of an image manifest.
fn artifact_type_is_that_of_the_image(repository: &Repository<'_>) {
    let (subject, _) = push_a_referrer(repository);
    assert_eq!(only(repository, &subject)["artifactType"], TYPE);
}

/// Listing referrers, end-12a: "If the `artifactType` is empty or missing in the image manifest, the value of
/// `artifactType` MUST be set to the config descriptor `mediaType` value."
fn artifact_type_falls_back_to_the_config(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let config = repository.push_described("application/vnd.example.config", &fresh_bytes(64));
    let draft = || image_of(&config, &[]).subject(&subject);
    repository.push(draft().build());
    repository.push(draft().with("artifactType", "").build());
    let listed = repository.referrers(&subject.digest);
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one["artifactType"] == "application/vnd.example.config"), "{listed:?}");
}

/// Listing referrers, end-12a: "the `artifactType` in the image manifest or index, if present", here of an
/// index.
fn artifact_type_is_that_of_the_index(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let index = repository.push(index_of(&[&subject]).with("artifactType", TYPE).subject(&subject).build());
    let listed = only(repository, &subject);
    assert_eq!(listed["mediaType"], INDEX);
    assert_eq!(listed["digest"], index.digest);
    assert_eq!(listed["artifactType"], TYPE);
}

/// Listing referrers, end-12a: "If the `artifactType` is empty or missing in an index, the `artifactType`
/// MUST be omitted."
fn artifact_type_of_an_index_without_one_is_omitted(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    repository.push(index_of(&[&subject]).subject(&subject).build());
    repository.push(index_of(&[]).with("artifactType", "").subject(&subject).build());
    let listed = repository.referrers(&subject.digest);
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|one| one.get("artifactType").is_none()), "{listed:?}");
}

/// Listing referrers, end-12a: "The descriptors MUST include annotations from the image manifest or index."
fn annotations_are_those_of_the_manifest(repository: &Repository<'_>) {
    let annotations =
        json!({ "org.opencontainers.image.created": "2026-01-01T00:00:00Z", "é \" \\": "\u{1f6a2}\n" });
    for draft in [repository.draft_artifact(TYPE), index_of(&[])] {
        let subject = repository.push(repository.draft_image().build());
        repository.push(draft.with("annotations", annotations.clone()).subject(&subject).build());
        assert_eq!(only(repository, &subject)["annotations"], annotations);
    }
}

/// Listing referrers, end-12a: "If a query results in no matching referrers, an empty manifest list MUST be
/// returned."
fn subject_without_referrers_has_an_empty_list(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    is_empty_list(repository, &image.digest);
}

/// Listing referrers, end-12a: "the registry MUST NOT return a `404 Not Found` to a referrers API requests".
fn unknown_subject_is_no_404(repository: &Repository<'_>) {
    repository.push_image("latest");
    is_empty_list(repository, &unknown_digest());
}

/// Listing referrers, end-12a: "If the request is invalid, such as a `<digest>` with an invalid syntax, a
/// `400 Bad Request` MUST be returned."
fn malformed_digest_is_400(repository: &Repository<'_>) {
    repository.push_image("latest");
    for digest in ["sha256:0123", "sha256", "latest", "sha256:", &unknown_digest().to_uppercase()] {
        repository.get(&format!("referrers/{digest}")).expect_error(400, "DIGEST_INVALID");
    }
}

/// Push, end-12a: clients "push a manifest and referrers to that manifest in either order".
fn referrer_may_come_before_its_subject(repository: &Repository<'_>) {
    let subject = repository.draft_image().build();
    let referrer = repository.push(repository.draft_artifact(TYPE).subject(&subject).build());
    assert_eq!(only(repository, &subject)["digest"], referrer.digest);
    repository.push(subject.clone());
    assert_eq!(only(repository, &subject)["digest"], referrer.digest);
}

/// Listing referrers, end-12a: each descriptor is of a manifest "with a `subject` field that specifies the
/// value of `<digest>`", not of one that refers to a referrer.
fn only_direct_referrers_are_listed(repository: &Repository<'_>) {
    let (subject, referrer) = push_a_referrer(repository);
    let second = repository.push(repository.draft_artifact(TYPE).subject(&referrer).build());
    assert_eq!(only(repository, &subject)["digest"], referrer.digest);
    assert_eq!(only(repository, &referrer)["digest"], second.digest);
}

/// Listing referrers, end-12a: each descriptor is of a manifest "in the same `<name>` namespace".
fn only_referrers_of_the_repository_are_listed(repository: &Repository<'_>) {
    let (subject, _) = push_a_referrer(repository);
    let other = repository.sibling("-other");
    other.push_image("latest");
    is_empty_list(&other, &subject.digest);
}

/// Listing referrers, end-12a: no 404 either where nothing was ever pushed, as clients would fall back to a
/// tag.
fn unknown_repository_has_an_empty_list(repository: &Repository<'_>) {
    is_empty_list(repository, &unknown_digest());
}

/// Listing referrers, end-12a: a referrer may have a tag.
fn referrer_by_tag_is_listed(repository: &Repository<'_>) {
    let subject = repository.push_image("latest");
    let referrer = repository.draft_artifact(TYPE).subject(&subject).build();
    repository.put_manifest("sbom", &referrer).expect(201);
    assert_eq!(only(repository, &subject)["digest"], referrer.digest);
}

/// Pushing manifests with subject: "duplicate entries SHOULD NOT be created".
fn repeated_referrer_is_listed_once(repository: &Repository<'_>) {
    let (subject, referrer) = push_a_referrer(repository);
    repository.put_by_digest(&referrer).expect(201);
    repository.put_manifest("sbom", &referrer).expect(201);
    only(repository, &subject);
}

/// Deleting manifests, end-9: the registry's own list needs no client to take a deleted referrer from it.
fn deleted_referrer_is_not_listed(repository: &Repository<'_>) {
    let (subject, referrer) = push_a_referrer(repository);
    repository.delete(&format!("manifests/{}", referrer.digest)).expect(202);
    is_empty_list(repository, &subject.digest);
}

/// Deleting manifests, end-9: deleting a subject deletes that alone.
fn referrers_outlive_their_subject(repository: &Repository<'_>) {
    let (subject, referrer) = push_a_referrer(repository);
    repository.delete(&format!("manifests/{}", subject.digest)).expect(202);
    repository.pull_manifest(&referrer.digest).expect(200).expect_body(&referrer.bytes);
    assert_eq!(only(repository, &subject)["digest"], referrer.digest);
}

/// Listing referrers, end-12a: the digest is "specified in the `subject` field", by whichever algorithm.
fn sha512_subject_has_referrers(repository: &Repository<'_>) {
    let subject = test_support::content::sha512(&fresh_bytes(16));
    let config = repository.push_described(CONFIG, &fresh_bytes(64));
    let descriptor = json!({ "mediaType": INDEX, "digest": subject, "size": 16 });
    let referrer = repository.push(image_of(&config, &[]).with("subject", descriptor).build());
    let listed: Vec<String> = repository.referrers(&subject).iter().map(digest_of).collect();
    assert_eq!(listed, [referrer.digest]);
}

fn push_a_referrer(repository: &Repository<'_>) -> (Manifest, Manifest) {
    let subject = repository.push_image("latest");
    let referrer = repository.push(repository.draft_artifact(TYPE).subject(&subject).build());
    (subject, referrer)
}

#[track_caller]
fn only(repository: &Repository<'_>, subject: &Manifest) -> Value {
    let listed = repository.referrers(&subject.digest);
    assert_eq!(listed.len(), 1, "{listed:?}");
    listed[0].clone()
}

#[track_caller]
fn is_empty_list(repository: &Repository<'_>, subject: &str) {
    let reply =
        repository.get(&format!("referrers/{subject}")).expect(200).expect_header("Content-Type", INDEX);
    assert_eq!(reply.json()["manifests"], json!([]), "{reply}");
}

fn digest_of(descriptor: &Value) -> String {
    descriptor["digest"].as_str().unwrap().to_owned()
}
