//! Listing tags in pages (end-8b).

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::client::Repository;
use crate::reply::Reply;

cases! { "Listing Tags":
    Must n_tags_are_returned,
    Must fewer_tags_come_only_at_the_end_or_with_a_link,
    Must link_has_the_relation_next,
    Must links_lead_through_all_tags,
    Must page_of_no_tags_is_empty_and_has_no_link,
    Must last_is_not_included,
    Must last_needs_no_n,
    Must last_leads_through_all_tags,
    Must last_need_not_be_there,
    Slipway page_of_all_tags_has_no_link,
    Slipway link_keeps_the_size_of_the_page,
    Slipway page_after_the_last_tag_is_empty,
    Slipway size_that_is_no_number_is_400,
    Slipway page_has_at_most_1000_tags,
}

const TAGS: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];

/// Listing tags, end-8b: "Otherwise, the response MUST include `<int>` results", from the beginning of the
/// list.
fn n_tags_are_returned(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    assert_eq!(repository.tags("?n=3"), TAGS[..3]);
    assert_eq!(repository.tags("?n=1"), TAGS[..1]);
    assert_eq!(repository.tags("?n=7"), TAGS);
}

/// Listing tags, end-8b: it "MAY return fewer than `<int>` results, but only when the total number of tags
/// attached to the repository is less than `<int>` or a `Link` header is provided".
fn fewer_tags_come_only_at_the_end_or_with_a_link(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    for n in [2, 7, 8, 100, 1_000_000] {
        let page = repository.get(&format!("tags/list?n={n}")).expect(200);
        let count = tags_of(&page).len();
        assert!(count == n.min(TAGS.len()) || page.next_link().is_some(), "n={n}: {page}");
    }
}

/// Listing tags, end-8b: "the `Link` header MUST be set according to RFC 5988 with the Relation Type
/// `rel="next"`".
fn link_has_the_relation_next(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    let page = repository.get("tags/list?n=3").expect(200);
    if let Some(next) = page.next_link() {
        assert_eq!(tags_of(&repository.registry.get(&next).expect(200)), TAGS[3..6]);
    }
}

/// Listing tags, end-8b: "clients should prefer the `Link` header", by which each tag is met once and in
/// order.
fn links_lead_through_all_tags(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    for n in [1, 2, 3, 7, 10] {
        let tags: Vec<String> = pages(repository, &format!("tags/list?n={n}")).concat();
        assert_eq!(tags, TAGS, "in pages of {n}");
    }
}

/// Listing tags, end-8b: "When `n` is zero, this endpoint MUST return an empty list, and MUST NOT include a
/// `Link` header."
fn page_of_no_tags_is_empty_and_has_no_link(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    let page = repository.get("tags/list?n=0").expect(200).expect_no_header("Link");
    assert_eq!(page.json()["tags"], json!([]));
    repository.get("tags/list?n=0&last=b").expect(200).expect_no_header("Link");
}

/// Listing tags, end-8b: "`<tagname>` will not be included in the results, but up to `<int>` tags *after*
/// `<tagname>` will be returned".
fn last_is_not_included(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    assert_eq!(repository.tags("?n=2&last=b"), ["c", "d"]);
    assert_eq!(repository.tags("?last=b&n=100"), TAGS[2..]);
}

/// Listing tags, end-8b: "When using the `last` query parameter, the `n` parameter is OPTIONAL."
fn last_needs_no_n(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    assert_eq!(repository.tags("?last=e"), ["f", "g"]);
}

/// Listing tags, end-8b: a client that knows no `Link` goes on after the last tag that it saw.
fn last_leads_through_all_tags(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    let mut seen = repository.tags("?n=3");
    while seen.len() < TAGS.len() {
        let page = repository.tags(&format!("?n=3&last={}", seen.last().unwrap()));
        assert!(!page.is_empty(), "nothing comes after {seen:?}");
        seen.extend(page);
    }
    assert_eq!(seen, TAGS);
}

/// Listing tags, end-8b: `<tagname>` is a value, "a proper tag"; that tag may have been deleted since.
fn last_need_not_be_there(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    assert_eq!(repository.tags("?n=2&last=bb"), ["c", "d"]);
    assert_eq!(repository.tags("?n=2&last=0"), ["a", "b"]);
}

/// Listing tags, end-8b: a link says that there is more; without more there is none.
fn page_of_all_tags_has_no_link(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    for query in ["", "?n=7", "?n=8", "?last=d", "?n=3&last=d"] {
        repository.get(&format!("tags/list{query}")).expect(200).expect_no_header("Link");
    }
}

/// Listing tags, end-8b: the next page is as long as the one that the client asked for.
fn link_keeps_the_size_of_the_page(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    let lengths: Vec<usize> = pages(repository, "tags/list?n=3").iter().map(Vec::len).collect();
    assert_eq!(lengths, [3, 3, 1]);
}

/// Listing tags, end-8b: after the last tag comes an empty list of a repository that is found.
fn page_after_the_last_tag_is_empty(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    let page = repository.get("tags/list?n=3&last=g").expect(200).expect_no_header("Link");
    assert_eq!(page.json()["tags"], json!([]));
}

/// Listing tags, end-8b: "`<int>` is an integer specifying the number of tags requested".
fn size_that_is_no_number_is_400(repository: &Repository<'_>) {
    repository.push_tags(&TAGS);
    for n in ["-1", "x", "1.5", "1x", "%20", "+"] {
        let reply = repository.get(&format!("tags/list?n={n}")).expect(400);
        assert_eq!(reply.error_codes().len(), 1, "{reply}");
    }
}

/// Listing tags, end-8b: no request makes the registry send a list without end, and the `Link` goes on from
/// there.
fn page_has_at_most_1000_tags(repository: &Repository<'_>) {
    let image = repository.push(repository.draft_image().build());
    let all: BTreeSet<String> = (0..1005).map(|number| format!("v{number}")).collect();
    for tags in all.iter().collect::<Vec<_>>().chunks(10) {
        let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
        let request =
            repository.request(Method::PUT, &format!("manifests/{}?{}", image.digest, query.join("&")));
        request.header("Content-Type", &image.media_type).body(&image.bytes).expect(201);
    }
    for path in ["tags/list", "tags/list?n=5000"] {
        let pages = pages(repository, path);
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [1000, 5], "of {path}");
        assert!(pages.concat().iter().eq(&all), "the pages of {path} are not the tags");
    }
}

/// Returns the tags of each page, from `path` on and along the links.
#[track_caller]
fn pages(repository: &Repository<'_>, path: &str) -> Vec<Vec<String>> {
    let replies = repository.pages(path);
    replies.iter().map(tags_of).collect()
}

#[track_caller]
fn tags_of(reply: &Reply) -> Vec<String> {
    reply.strings("tags")
}
