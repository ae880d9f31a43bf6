//! Conditional pulls: a client that has the content is not sent it again (end-2, end-3; RFC 9110 section 13).

use crate::client::Repository;
use crate::content::fresh_bytes;

cases! { "API (RFC 9110, section 13)":
    Slipway entity_tag_is_the_quoted_digest,
    Should known_blob_is_not_sent_again,
    Should known_manifest_is_not_sent_again,
    Should head_of_known_content_is_304,
    Should entity_tag_in_a_list_matches,
    Should weak_entity_tag_matches,
    Should star_matches_whatever_is_there,
    Should another_entity_tag_gets_the_content,
    Should moved_tag_gets_the_new_manifest,
    Should unknown_content_is_404_whatever_the_condition,
}

const CONDITION: &str = "If-None-Match";

/// API: RFC 9110 (section 8.8.3): content that is named by its digest has the digest as its entity tag.
fn entity_tag_is_the_quoted_digest(repository: &Repository<'_>) {
    let blob = repository.push_blob(&fresh_bytes(16));
    let image = repository.push_image("latest");
    repository.pull_blob(&blob).expect(200).expect_header("ETag", &format!("\"{blob}\""));
    repository.pull_manifest("latest").expect(200).expect_header("ETag", &format!("\"{}\"", image.digest));
}

/// API, end-2: RFC 9110 (section 13.1.2): GET answers 304 without a body if the entity tag matches.
fn known_blob_is_not_sent_again(repository: &Repository<'_>) {
    let path = format!("blobs/{}", repository.push_blob(&fresh_bytes(16)));
    let etag = repository.get(&path).expect(200).header("ETag").to_owned();
    repository.get(&path).header(CONDITION, &etag).expect(304).expect_body(b"");
}

/// API, end-3: the same for a manifest, by tag and by digest.
fn known_manifest_is_not_sent_again(repository: &Repository<'_>) {
    let image = repository.push_image("latest");
    let etag = repository.pull_manifest("latest").expect(200).header("ETag").to_owned();
    for reference in ["latest", &image.digest] {
        let request = repository.get(&format!("manifests/{reference}")).header(CONDITION, &etag);
        request.expect(304).expect_body(b"").expect_header("ETag", &etag);
    }
}

/// API, end-2 and end-3: RFC 9110 (section 13.1.2) treats HEAD as GET.
fn head_of_known_content_is_304(repository: &Repository<'_>) {
    let blob = format!("blobs/{}", repository.push_blob(&fresh_bytes(16)));
    repository.push_image("latest");
    for path in [blob.as_str(), "manifests/latest"] {
        let etag = repository.head(path).expect(200).header("ETag").to_owned();
        repository.head(path).header(CONDITION, &etag).expect(304);
    }
}

/// API, end-3: RFC 9110 (section 13.1.2): the condition is a list of entity tags.
fn entity_tag_in_a_list_matches(repository: &Repository<'_>) {
    repository.push_image("latest");
    let etag = repository.pull_manifest("latest").expect(200).header("ETag").to_owned();
    let list = format!("\"first\", {etag}, \"last\"");
    repository.get("manifests/latest").header(CONDITION, &list).expect(304);
}

/// API, end-3: RFC 9110 (section 13.1.2) compares weakly, and caches on the way weaken entity tags.
fn weak_entity_tag_matches(repository: &Repository<'_>) {
    repository.push_image("latest");
    let etag = repository.pull_manifest("latest").expect(200).header("ETag").to_owned();
    let weak = format!("W/{}", etag.trim_start_matches("W/"));
    repository.get("manifests/latest").header(CONDITION, &weak).expect(304);
}

/// API, end-3: RFC 9110 (section 13.1.2): `*` matches any current content.
fn star_matches_whatever_is_there(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.get("manifests/latest").header(CONDITION, "*").expect(304);
}

/// API, end-2 and end-3: RFC 9110 (section 13.1.2): content with another entity tag is sent.
fn another_entity_tag_gets_the_content(repository: &Repository<'_>) {
    let bytes = fresh_bytes(16);
    let blob = format!("blobs/{}", repository.push_blob(&bytes));
    let image = repository.push_image("latest");
    repository.get(&blob).header(CONDITION, "\"another\"").expect(200).expect_body(&bytes);
    repository.get("manifests/latest").header(CONDITION, "\"another\"").expect(200).expect_body(&image.bytes);
}

/// API, end-3: the condition is on what the tag points to now.
fn moved_tag_gets_the_new_manifest(repository: &Repository<'_>) {
    repository.push_image("latest");
    let etag = repository.pull_manifest("latest").expect(200).header("ETag").to_owned();
    let newer = repository.push_image("latest");
    repository.get("manifests/latest").header(CONDITION, &etag).expect(200).expect_body(&newer.bytes);
}

/// API, end-3: RFC 9110 (section 13.2.1): a condition is ignored where the answer is an error without it.
fn unknown_content_is_404_whatever_the_condition(repository: &Repository<'_>) {
    repository.push_image("latest");
    repository.get("manifests/another").header(CONDITION, "*").expect(404);
    repository.get("manifests/another").header(CONDITION, "\"sha256:0\"").expect(404);
}
