//! Lists of referrers that do not fit into one manifest (end-12a, end-12b).

use std::collections::BTreeSet;

use serde_json::json;

use crate::client::Repository;
use crate::content::{EMPTY, INDEX, Manifest, image_of, unknown_digest};
use crate::reply::Reply;

cases! { "Listing Referrers":
    Must long_list_is_linked,
    Must page_is_an_image_index_of_its_own,
    Must page_of_a_filtered_list_names_the_filter,
    Slipway page_is_no_larger_than_a_manifest,
}

const TYPE: &str = "application/vnd.example.sbom.v1+json";
const COUNT: usize = 24;

/// Listing referrers, end-12a: "A `Link` header MUST be included in the response when the descriptor list
/// cannot be returned in a single manifest", "set according to RFC 5988 with the Relation Type `rel="next"`".
fn long_list_is_linked(repository: &Repository<'_>) {
    let (subject, pushed) = push_more_than_fits(repository);
    let pages = repository.pages(&format!("referrers/{subject}"));
    assert_eq!(pages.iter().map(|page| digests(page).len()).sum::<usize>(), COUNT);
    assert_eq!(pages.iter().flat_map(digests).collect::<BTreeSet<_>>(), pushed);
}

/// Listing referrers, end-12a: "Each response is an image index with different descriptors in the `manifests`
/// field."
fn page_is_an_image_index_of_its_own(repository: &Repository<'_>) {
    let (subject, _) = push_more_than_fits(repository);
    let pages = repository.pages(&format!("referrers/{subject}"));
    for page in pages {
        let index = page.json();
        assert_eq!(index["schemaVersion"], 2);
        assert_eq!(index["mediaType"], INDEX);
        page.expect_header("Content-Type", INDEX);
    }
}

/// Listing referrers, end-12b: `OCI-Filters-Applied` "MUST" be on each response that was filtered, and a link
/// leads to more of the same type.
fn page_of_a_filtered_list_names_the_filter(repository: &Repository<'_>) {
    let (subject, pushed) = push_more_than_fits(repository);
    push_referrer(repository, &subject, "application/vnd.example.other", "other");
    let pages = repository.pages(&format!("referrers/{subject}?artifactType={TYPE}"));
    assert_eq!(pages.iter().flat_map(digests).collect::<BTreeSet<_>>(), pushed);
    for page in pages {
        page.expect_header("OCI-Filters-Applied", "artifactType");
    }
}

/// Pushing manifests: clients read an index of 4 megabytes and may refuse a larger one.
fn page_is_no_larger_than_a_manifest(repository: &Repository<'_>) {
    let (subject, _) = push_more_than_fits(repository);
    for page in repository.pages(&format!("referrers/{subject}")) {
        assert!(page.body.len() <= 4 << 20, "a page of {} bytes", page.body.len());
    }
}

/// Pushes referrers whose descriptors are more than 4 MiB, and returns their subject and their digests.
fn push_more_than_fits(repository: &Repository<'_>) -> (String, BTreeSet<String>) {
    let subject = unknown_digest();
    let padding = "x".repeat(200_000);
    let push = |number| push_referrer(repository, &subject, TYPE, &format!("{number}{padding}")).digest;
    let pushed: BTreeSet<String> = (0..COUNT).map(push).collect();
    assert_eq!(pushed.len(), COUNT);
    (subject, pushed)
}

fn push_referrer(
    repository: &Repository<'_>,
    subject: &str,
    artifact_type: &str,
    annotation: &str,
) -> Manifest {
    let config = repository.push_described(EMPTY, b"{}");
    let draft = image_of(&config, &[]).with("artifactType", artifact_type);
    let draft = draft.with("annotations", json!({ "padding": annotation }));
    repository
        .push(draft.with("subject", json!({ "mediaType": INDEX, "digest": subject, "size": 32 })).build())
}

#[track_caller]
fn digests(page: &Reply) -> Vec<String> {
    let index = page.json();
    let descriptors = index["manifests"].as_array().unwrap().iter();
    descriptors.map(|descriptor| descriptor["digest"].as_str().unwrap().to_owned()).collect()
}
