//! Tags that come with a manifest which is pushed by digest (end-7b).

use reqwest::Method;
use test_support::content::sha512;

use crate::client::Repository;
use crate::content::Manifest;
use crate::reply::Reply;

cases! { "Pushing Manifests":
    May tags_of_the_query_are_created,
    Must accepted_tags_are_named_by_oci_tag,
    Should ten_tags_are_accepted,
    May too_many_tags_are_414,
    Slipway tag_of_the_query_moves,
    Slipway invalid_tag_of_the_query_refuses_the_push,
    Slipway sha512_manifest_takes_tags,
    Slipway push_without_tags_has_no_oci_tag,
}

/// Pushing manifests, end-7b: "the registry MAY support the pushing of tags specified by addition of `tag`
/// query parameters".
fn tags_of_the_query_are_created(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    put_with_tags(repository, &image, &["1.2.3", "1.2", "1", "latest"]).expect(201);
    for reference in ["1.2.3", "1.2", "1", "latest", &image.digest] {
        repository.pull_manifest(reference).expect(200).expect_body(&image.bytes);
    }
}

/// Pushing manifests, end-7b: the registry "MUST include an `OCI-Tag` response header, in accordance with RFC
/// 9110 (section 5) semantics, for each accepted tag", on one line or on several.
fn accepted_tags_are_named_by_oci_tag(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let tags = ["1.2.3", "1.2", "1", "latest"];
    let reply = put_with_tags(repository, &image, &tags).expect(201);
    let accepted = tags.into_iter().filter(|tag| repository.pull_manifest(tag).status == 200);
    assert_eq!(sorted(&reply.header_list("OCI-Tag")), sorted(&accepted.collect::<Vec<_>>()), "{reply}");
}

/// Pushing manifests, end-7b: the registry "SHOULD support pushing at least 10 tags per request".
fn ten_tags_are_accepted(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let tags = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let reply = put_with_tags(repository, &image, &tags).expect(201);
    assert_eq!(sorted(&reply.header_list("OCI-Tag")), tags, "{reply}");
    for tag in tags {
        repository.pull_manifest(tag).expect(200).expect_body(&image.bytes);
    }
}

/// Pushing manifests, end-7b: the registry "MAY return a `414 Request-URI Too Long` status if too many tags
/// are included in the request", and then takes none of them.
fn too_many_tags_are_414(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let tags: Vec<String> = (0..60).map(|number| format!("v{number}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    let reply = put_with_tags(repository, &image, &tags).expect_one_of(&[201, 414, 431]);
    let expected = if reply.status == 201 { 200 } else { 404 };
    for tag in tags {
        repository.pull_manifest(tag).expect(expected);
    }
}

/// Pushing manifests, end-7b: a tag of the query is a tag as one of the path is, and moves as it does.
fn tag_of_the_query_moves(repository: &Repository<'_>) {
    repository.push_image("latest");
    let newer = repository.draft_image().build();
    put_with_tags(repository, &newer, &["latest"]).expect(201);
    repository.pull_manifest("latest").expect(200).expect_body(&newer.bytes);
}

/// Pushing manifests, end-7b: a push is done as a whole or not at all.
fn invalid_tag_of_the_query_refuses_the_push(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    for invalid in ["-bad", "a%20b", "", "sha256:0123"] {
        put_with_tags(repository, &image, &["good", invalid]).expect_error(400, "TAG_INVALID");
    }
    repository.pull_manifest("good").expect(404);
    repository.pull_manifest(&image.digest).expect(404);
}

/// Pushing manifests, end-7b: this is how a client tags a manifest whose digest is not a sha256.
fn sha512_manifest_takes_tags(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    let digest = sha512(&image.bytes);
    let image = Manifest { digest: digest.clone(), ..image };
    put_with_tags(repository, &image, &["latest"]).expect(201).expect_header("OCI-Tag", "latest");
    let reply = repository.pull_manifest("latest").expect(200).expect_body(&image.bytes);
    reply.expect_header("Docker-Content-Digest", &digest);
}

/// Pushing manifests, end-7a: the header is for the tags of a query.
fn push_without_tags_has_no_oci_tag(repository: &Repository<'_>) {
    let image = repository.draft_image().build();
    repository.put_by_digest(&image).expect(201).expect_no_header("OCI-Tag");
}

fn put_with_tags(repository: &Repository<'_>, manifest: &Manifest, tags: &[&str]) -> Reply {
    let query: Vec<String> = tags.iter().map(|tag| format!("tag={tag}")).collect();
    let request =
        repository.request(Method::PUT, &format!("manifests/{}?{}", manifest.digest, query.join("&")));
    request.header("Content-Type", &manifest.media_type).body(&manifest.bytes).send()
}

fn sorted<'a>(tags: &[&'a str]) -> Vec<&'a str> {
    let mut tags = tags.to_vec();
    tags.sort_unstable();
    tags
}
