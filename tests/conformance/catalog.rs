//! Listing repositories, `/v2/_catalog`: Docker's registry API has it, and the specification leaves it out.

use serde_json::json;

use crate::client::{Registry, Repository};
use crate::content::fresh_bytes;

cases! { "Catalog (Docker Registry HTTP API V2)":
    Slipway repository_is_listed_with_its_first_manifest,
    Slipway repository_of_blobs_alone_is_not_listed,
    Slipway repositories_are_in_byte_order,
    Slipway links_lead_through_the_catalog,
    Slipway last_is_not_included,
    Slipway page_of_no_repositories_is_empty_and_has_no_link,
    Slipway size_that_is_no_number_is_400,
    Slipway catalog_is_json_by_its_content_type,
}

// Other cases push at the same time, so each question is about the names after one that is this case's own.

/// Catalog: a repository is there when something can be pulled from it.
fn repository_is_listed_with_its_first_manifest(repository: &Repository<'_>) {
    assert_eq!(own(repository, 1), [""; 0]);
    repository.sibling("/a").push_image("latest");
    assert_eq!(own(repository, 1), ["/a"]);
}

/// Catalog: a push that is under way, or was given up, makes no repository.
fn repository_of_blobs_alone_is_not_listed(repository: &Repository<'_>) {
    repository.sibling("/a").push_blob(&fresh_bytes(16));
    assert_eq!(own(repository, 1), [""; 0]);
}

/// Catalog: in the order of the names' bytes, whatever the order of the pushes.
fn repositories_are_in_byte_order(repository: &Repository<'_>) {
    for suffix in ["/b", "/a/b", "/a-b", "/a", "/a0", "/a.b", "/0"] {
        repository.sibling(suffix).push_image("latest");
    }
    assert_eq!(own(repository, 7), ["/0", "/a", "/a-b", "/a.b", "/a/b", "/a0", "/b"]);
}

/// Catalog: "Link" leads to the next page, of the same size, and each repository is met once.
fn links_lead_through_the_catalog(repository: &Repository<'_>) {
    for suffix in ["/a", "/b", "/c", "/d"] {
        repository.sibling(suffix).push_image("latest");
    }
    let mut next = Some(format!("/v2/_catalog?n=1&last={}", repository.name));
    for suffix in ["/a", "/b", "/c", "/d"] {
        let page = repository.registry.get(&next.expect("a link to the next page")).expect(200);
        assert_eq!(page.strings("repositories"), [format!("{}{suffix}", repository.name)]);
        next = page.next_link();
    }
}

/// Catalog: `last` is the last name that the client has seen.
fn last_is_not_included(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.sibling("/a").push_image("latest");
    repository.sibling("/b").push_image("latest");
    assert_eq!(own(repository, 2), ["/a", "/b"]);
    assert_eq!(
        page(repository.registry, 1, &format!("{}/a", repository.name)),
        [format!("{}/b", repository.name)]
    );
}

/// Catalog: as with tags, no entries are asked for and none are sent.
fn page_of_no_repositories_is_empty_and_has_no_link(repository: &Repository<'_>) {
    repository.push_image("latest");
    let reply = repository.registry.get("/v2/_catalog?n=0").expect(200).expect_no_header("Link");
    assert_eq!(reply.json()["repositories"], json!([]));
}

/// Catalog: `n` is a number.
fn size_that_is_no_number_is_400(repository: &Repository<'_>) {
    for n in ["-1", "x", "1.5"] {
        let reply = repository.registry.get(&format!("/v2/_catalog?n={n}")).expect(400);
        assert_eq!(reply.error_codes().len(), 1, "{reply}");
    }
}

/// Catalog: a json body says so, and is a list even where it is empty.
fn catalog_is_json_by_its_content_type(repository: &Repository<'_>) {
    let reply = repository.registry.get("/v2/_catalog?n=1&last=zzzz").expect(200);
    let reply = reply.expect_header("Content-Type", "application/json");
    assert_eq!(reply.json()["repositories"], json!([]));
}

/// Returns how the names that begin with the repository's go on, of the first `n` after it.
fn own(repository: &Repository<'_>, n: usize) -> Vec<String> {
    let names = page(repository.registry, n, &repository.name);
    names.iter().filter_map(|name| name.strip_prefix(&repository.name)).map(str::to_owned).collect()
}

fn page(registry: &Registry, n: usize, last: &str) -> Vec<String> {
    registry.get(&format!("/v2/_catalog?n={n}&last={last}")).expect(200).strings("repositories")
}
