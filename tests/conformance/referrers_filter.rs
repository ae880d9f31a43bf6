//! Listing the referrers of one artifact type (end-12b).

use serde_json::json;

use crate::client::Repository;
use crate::content::{Manifest, fresh_bytes, image_of, index_of};
use crate::reply::Reply;

cases! { "Listing Referrers":
    Should referrers_are_filtered,
    Must applied_filter_is_named,
    Must filter_that_matches_nothing_gets_an_empty_list,
    Should filter_knows_the_type_of_a_config,
    Should filter_knows_the_type_of_an_index,
    Slipway filter_may_be_percent_encoded,
    Slipway filter_is_the_whole_type,
    Slipway list_without_a_filter_names_none,
}

const SBOM: &str = "application/vnd.example.sbom.v1+json";
const SIGNATURE: &str = "application/vnd.example.signature.v1";

/// Listing referrers, end-12b: "The registry SHOULD support filtering on `artifactType`."
fn referrers_are_filtered(repository: &Repository<'_>) {
    let (subject, sbom, signature) = push_two_referrers(repository);
    assert_eq!(digests(&filtered(repository, &subject, SBOM)), [sbom.digest]);
    assert_eq!(digests(&filtered(repository, &subject, SIGNATURE)), [signature.digest]);
}

/// Listing referrers, end-12b: "If filtering is requested and applied, the response MUST include a header
/// `OCI-Filters-Applied: artifactType`."
fn applied_filter_is_named(repository: &Repository<'_>) {
    let (subject, ..) = push_two_referrers(repository);
    let reply = filtered(repository, &subject, SIGNATURE);
    let is_applied = digests(&reply).len() == 1;
    assert_eq!(is_applied, reply.header_list("OCI-Filters-Applied").contains(&"artifactType"), "{reply}");
}

/// Listing referrers, end-12b: "If a query results in no matching referrers, an empty manifest list MUST be
/// returned."
fn filter_that_matches_nothing_gets_an_empty_list(repository: &Repository<'_>) {
    let (subject, ..) = push_two_referrers(repository);
    let reply = filtered(repository, &subject, "application/vnd.example.nothing");
    assert_eq!(reply.json()["manifests"], json!([]), "{reply}");
    reply.expect_header("OCI-Filters-Applied", "artifactType");
}

/// Listing referrers, end-12b: the filter is on the `artifactType` of the descriptor, which a config may
/// give.
fn filter_knows_the_type_of_a_config(repository: &Repository<'_>) {
    let (subject, ..) = push_two_referrers(repository);
    let config = repository.push_described("application/vnd.example.config", &fresh_bytes(64));
    let image = repository.push(image_of(&config, &[]).subject(&subject).build());
    assert_eq!(digests(&filtered(repository, &subject, "application/vnd.example.config")), [image.digest]);
}

/// Listing referrers, end-12b: the same for an index with an `artifactType`.
fn filter_knows_the_type_of_an_index(repository: &Repository<'_>) {
    let (subject, ..) = push_two_referrers(repository);
    let draft = index_of(&[]).with("artifactType", "application/vnd.example.bundle");
    let index = repository.push(draft.subject(&subject).build());
    assert_eq!(digests(&filtered(repository, &subject, "application/vnd.example.bundle")), [index.digest]);
}

/// Listing referrers, end-12b: Go clients encode the slash and the plus sign.
fn filter_may_be_percent_encoded(repository: &Repository<'_>) {
    let (subject, sbom, _) = push_two_referrers(repository);
    let encoded = SBOM.replace('/', "%2F").replace('+', "%2B");
    assert_eq!(digests(&filtered(repository, &subject, &encoded)), [sbom.digest]);
}

/// Listing referrers, end-12b: a type that begins like another is another.
fn filter_is_the_whole_type(repository: &Repository<'_>) {
    let (subject, ..) = push_two_referrers(repository);
    for part in
        ["application/vnd.example.sbom.v1", "application/vnd.example.sbom", "application/", "application"]
    {
        assert_eq!(filtered(repository, &subject, part).json()["manifests"], json!([]), "{part}");
    }
}

/// Listing referrers, end-12a: a client that reads `OCI-Filters-Applied` must be able to trust it.
fn list_without_a_filter_names_none(repository: &Repository<'_>) {
    let (subject, ..) = push_two_referrers(repository);
    let reply = repository.get(&format!("referrers/{}", subject.digest)).expect(200);
    assert_eq!(digests(&reply).len(), 2);
    reply.expect_no_header("OCI-Filters-Applied");
}

fn push_two_referrers(repository: &Repository<'_>) -> (Manifest, Manifest, Manifest) {
    let subject = repository.push_image("latest");
    let push = |artifact_type: &str| {
        repository.push(repository.draft_artifact(artifact_type).subject(&subject).build())
    };
    let (sbom, signature) = (push(SBOM), push(SIGNATURE));
    (subject, sbom, signature)
}

#[track_caller]
fn filtered(repository: &Repository<'_>, subject: &Manifest, artifact_type: &str) -> Reply {
    repository.get(&format!("referrers/{}?artifactType={artifact_type}", subject.digest)).expect(200)
}

#[track_caller]
fn digests(reply: &Reply) -> Vec<String> {
    let list = reply.json();
    let descriptors = list["manifests"].as_array().unwrap().iter();
    descriptors.map(|descriptor| descriptor["digest"].as_str().unwrap().to_owned()).collect()
}
