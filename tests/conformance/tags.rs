//! Listing tags (end-8a).

use serde_json::json;

use crate::client::Repository;

cases! { "Listing Tags":
    Must tags_are_listed,
    Must list_names_its_repository,
    Must tags_are_in_order,
    Must repository_without_tags_has_a_list,
    Slipway tags_are_in_byte_order,
    Slipway list_without_tags_is_empty_and_not_null,
    Slipway list_is_json_by_its_content_type,
    Slipway tag_that_moved_is_listed_once,
    Slipway deleted_tag_is_not_listed,
    Slipway tags_of_other_repositories_are_not_listed,
    Slipway unknown_repository_has_no_list,
}

/// Listing tags, end-8a: "Assuming a repository is found, this request MUST return a `200 OK` response code",
/// here with each tag once.
fn tags_are_listed(repository: &Repository<'_>) {
    repository.push_tags(&["one", "two", "three"]);
    repository.push_image("four");
    let mut tags = repository.tags("");
    tags.sort();
    assert_eq!(tags, ["four", "one", "three", "two"]);
}

/// Listing tags, end-8a: "Upon success, the response MUST be a json body in the following format": `name` and
/// `tags`.
fn list_names_its_repository(repository: &Repository<'_>) {
    repository.push_tags(&["latest"]);
    let list = repository.get("tags/list").expect(200).json();
    assert_eq!(list, json!({ "name": repository.name, "tags": ["latest"] }));
}

/// Listing tags, end-8a: "the tags MUST be in lexical (i.e. case-insensitive alphanumeric order)"
/// or that of Go's `sort.Strings`.
fn tags_are_in_order(repository: &Repository<'_>) {
    repository.push_tags(&["b", "C", "a10", "a9", "A", "_", "0"]);
    let tags = repository.tags("");
    assert_eq!(tags.len(), 7);
    let is_lexical = tags.is_sorted_by_key(|tag| tag.to_lowercase());
    assert!(tags.is_sorted() || is_lexical, "{tags:?} is in neither order");
}

/// Listing tags, end-8a: "The list of tags MAY be empty if there are no tags on the repository", which is
/// found.
fn repository_without_tags_has_a_list(repository: &Repository<'_>) {
    repository.push(repository.draft_image().build());
    repository.get("tags/list").expect(200);
}

/// Listing tags, end-8a: of the two orders that of bytes, as Go's `sort.Strings` has it, however they came.
fn tags_are_in_byte_order(repository: &Repository<'_>) {
    repository.push_tags(&["b", "C", "a10", "a9", "A", "_", "0", "a.b", "a-b", "a_b", "ab"]);
    assert_eq!(repository.tags(""), ["0", "A", "C", "_", "a-b", "a.b", "a10", "a9", "a_b", "ab", "b"]);
}

/// Listing tags, end-8a: clients iterate over the list, and `null` is none.
fn list_without_tags_is_empty_and_not_null(repository: &Repository<'_>) {
    repository.push(repository.draft_image().build());
    let list = repository.get("tags/list").expect(200).json();
    assert_eq!(list, json!({ "name": repository.name, "tags": [] }));
}

/// Listing tags, end-8a: a json body says so.
fn list_is_json_by_its_content_type(repository: &Repository<'_>) {
    repository.push_tags(&["latest"]);
    repository.get("tags/list").expect(200).expect_header("Content-Type", "application/json");
}

/// Listing tags, end-8a: a tag is one name, however often it was pushed.
fn tag_that_moved_is_listed_once(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.push_image("latest");
    assert_eq!(repository.tags(""), ["latest"]);
}

/// Deleting tags, end-9: a deleted tag is gone from the list with the answer to its deletion, and so are the
/// tags of a deleted manifest.
fn deleted_tag_is_not_listed(repository: &Repository<'_>) {
    repository.push_tags(&["one", "two"]);
    let image = repository.push_tags(&["three", "four"]);
    repository.delete("manifests/one").expect(202);
    assert_eq!(repository.tags(""), ["four", "three", "two"]);
    repository.delete(&format!("manifests/{}", image.digest)).expect(202);
    assert_eq!(repository.tags(""), ["two"]);
}

/// Listing tags, end-8a: tags are "on the repository"; the name of another may begin alike.
fn tags_of_other_repositories_are_not_listed(repository: &Repository<'_>) {
    repository.push_tags(&["mine"]);
    repository.sibling("/below").push_tags(&["below"]);
    repository.sibling("-beside").push_tags(&["beside"]);
    assert_eq!(repository.tags(""), ["mine"]);
}

/// Error codes, code-9, end-8a: `NAME_UNKNOWN` is "repository name not known to registry".
fn unknown_repository_has_no_list(repository: &Repository<'_>) {
    repository.get("tags/list").expect_error(404, "NAME_UNKNOWN");
}
