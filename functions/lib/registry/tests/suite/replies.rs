//! Whole answers, byte for byte, and what they leave in storage.

use std::collections::BTreeMap;

use http::Method;
use serde_json::json;

use crate::client::{Client, Reply, blob, bytes_body, committing, manifest, mounting, uploads};
use crate::content::{Content, INDEX, Image};
use crate::world::World;

/// What a client is advised when an upload begins.
const CHUNK_MIN: (&str, &str) = ("oci-chunk-min-length", "1048576");

/// Fails unless the answer is this: status, the headers beside those that every answer has, body.
#[track_caller]
fn assert_reply(reply: &Reply, status: u16, headers: &[(&str, &str)], body: &str) {
    let mut lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    lines.sort();
    assert_eq!(reply.own_text(), format!("{status}\n{}\n{body}", lines.concat()));
}

/// Fails unless the answer is this error.
#[track_caller]
fn assert_error(reply: &Reply, status: u16, headers: &[(&str, &str)], code: &str, message: &str) {
    let body = format!(r#"{{"errors":[{{"code":"{code}","message":"{message}"}}]}}"#);
    let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
    assert_reply(reply, status, &headers, &body);
}

fn stored(counts: &[(&'static str, u64)]) -> BTreeMap<&'static str, u64> {
    counts.iter().copied().collect()
}

async fn pushed() -> (World, Client, Image) {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    (world, client, image)
}

fn etag(content: &Content) -> String {
    format!("\"{}\"", content.digest)
}

#[tokio::test]
async fn the_base_says_that_this_is_a_registry() {
    let client = World::new().client();
    assert_reply(&client.get("/v2/").await, 200, &[("content-type", "application/json")], "{}");
    let head = client.head("/v2/").await;
    assert_reply(&head, 200, &[("content-length", "2"), ("content-type", "application/json")], "");
}

#[tokio::test]
async fn what_is_not_served_is_refused_with_what_is() {
    let client = World::new().client();
    let reply = client.delete("/v2/_catalog").await;
    let message = "DELETE is not possible here, only GET, HEAD";
    assert_error(&reply, 405, &[("allow", "GET, HEAD")], "UNSUPPORTED", message);
}

#[tokio::test]
async fn an_upload_tells_at_every_step_where_it_is_and_how_far() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let begun = client.post(&uploads("app"), "").await;
    let location = begun.location();
    let id = location.rsplit('/').next().unwrap();
    assert_eq!(location, format!("/v2/app/blobs/uploads/{id}"));
    let standing = |range| [("location", location.as_str()), ("range", range), ("docker-upload-uuid", id)];
    let begun_headers = [&standing("0-0")[..], &[CHUNK_MIN]].concat();
    assert_reply(&begun, 202, &begun_headers, "");
    assert_reply(&client.patch(&location, "lay").await, 202, &standing("0-2"), "");
    assert_reply(&client.patch_at(&location, "3-3", "e").await, 202, &standing("0-3"), "");
    assert_reply(&client.get(&location).await, 204, &standing("0-3"), "");
    assert_eq!(
        world.stored().await,
        stored(&[("open_upload", 1), ("suspect", 1), ("upload", 1), ("object", 1)])
    );

    let committed = client.put(&committing(&location, &layer.digest), "r").await;
    let path = blob("app", &layer.digest);
    assert_reply(&committed, 201, &[("location", &path), ("docker-content-digest", &layer.digest)], "");
    let left = [("upload", 1), ("suspect", 2), ("blob", 1), ("blob_edge", 1), ("link", 1), ("object", 1)];
    assert_eq!(world.stored().await, stored(&left));
}

#[tokio::test]
async fn a_chunk_out_of_order_is_told_where_the_upload_stands() {
    let client = World::new().client();
    let location = client.begin("app").await;
    client.patch(&location, "abc").await.expect(202);
    let id = location.rsplit('/').next().unwrap();
    let headers = [("location", location.as_str()), ("range", "0-2")];
    let message = format!("upload {id} stands at byte 3, but the chunk begins at 5");
    let reply = client.patch_at(&location, "5-5", "f").await;
    assert_error(&reply, 416, &headers, "BLOB_UPLOAD_INVALID", &message);
}

#[tokio::test]
async fn a_chunk_of_another_length_than_its_range_is_refused() {
    let client = World::new().client();
    let location = client.begin("app").await;
    let reply = client.patch_at(&location, "0-4", "abc").await;
    let message = "the chunk has 3 bytes, but its Content-Range names 5";
    assert_error(&reply, 400, &[], "SIZE_INVALID", message);
    assert_eq!(client.get(&location).await.header("range"), "0-0");
}

#[tokio::test]
async fn a_wrong_digest_is_refused_with_the_right_one() {
    let client = World::new().client();
    let (right, wrong) = (Content::blob("right"), Content::blob("wrong"));
    let location = client.begin("app").await;
    let reply = client.put(&committing(&location, &wrong.digest), right.bytes).await;
    let message = format!("the content has digest {}, not {}", right.digest, wrong.digest);
    assert_error(&reply, 400, &[], "DIGEST_INVALID", &message);
}

#[tokio::test]
async fn a_cancelled_upload_leaves_no_bytes_and_is_unknown() {
    let world = World::new();
    let client = world.client();
    let location = client.begin("app").await;
    client.patch(&location, "abc").await.expect(202);
    assert_reply(&client.delete(&location).await, 204, &[], "");
    let id = location.rsplit('/').next().unwrap();
    let message = format!("upload {id} is unknown to repository app: it may have ended, or expired");
    for reply in
        [client.get(&location).await, client.delete(&location).await, client.patch(&location, "d").await]
    {
        assert_error(&reply, 404, &[], "BLOB_UPLOAD_UNKNOWN", &message);
    }
    assert_eq!(world.stored().await, stored(&[("suspect", 1), ("upload", 1)]));
}

#[tokio::test]
async fn a_blob_posted_whole_is_there() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let reply = client.post(&committing(&uploads("app"), &layer.digest), "layer").await;
    let headers = [("location", &*blob("app", &layer.digest)), ("docker-content-digest", &layer.digest)];
    assert_reply(&reply, 201, &headers, "");
    let wrong = client.post(&committing(&uploads("app"), &layer.digest), "another").await;
    assert_eq!(wrong.status.as_u16(), 400);
    let left = [("upload", 2), ("suspect", 3), ("blob", 1), ("blob_edge", 1), ("link", 1), ("object", 1)];
    assert_eq!(world.stored().await, stored(&left));
}

#[tokio::test]
async fn a_mount_is_answered_like_a_commit_and_what_cannot_be_mounted_like_a_begin() {
    let (world, client, image) = pushed().await;
    let digest = &image.layer.digest;
    let objects = world.stored().await["object"];
    let mounted = client.post(&mounting("other", digest, "app"), "").await;
    let headers = [("location", &*blob("other", digest)), ("docker-content-digest", digest)];
    assert_reply(&mounted, 201, &headers, "");
    assert_eq!(world.stored().await["object"], objects);

    let refused = client.post(&mounting("other", digest, "elsewhere"), "").await;
    let location = refused.location();
    let id = location.rsplit('/').next().unwrap();
    let standing = [("location", location.as_str()), ("range", "0-0"), ("docker-upload-uuid", id), CHUNK_MIN];
    assert_reply(&refused, 202, &standing, "");
}

#[tokio::test]
async fn a_blob_comes_whole_in_part_or_not_at_all() {
    let (_, client, image) = pushed().await;
    let (path, etag) = (blob("app", &image.layer.digest), etag(&image.layer));
    let known = [("docker-content-digest", image.layer.digest.as_str()), ("etag", etag.as_str())];
    let with = |more: &[(&'static str, &'static str)]| {
        let typed = [("accept-ranges", "bytes"), ("content-type", "application/octet-stream")];
        more.iter().copied().chain(known).chain(typed).collect::<Vec<_>>()
    };
    let whole = with(&[("content-length", "16")]);
    assert_reply(&client.get(&path).await, 200, &whole, "the layer of app");
    assert_reply(&client.head(&path).await, 200, &whole, "");
    let part = client.get_with(&path, &[("range", "bytes=4-8")]).await;
    let part_headers = with(&[("content-length", "5"), ("content-range", "bytes 4-8/16")]);
    assert_reply(&part, 206, &part_headers, "layer");
    let several = client.get_with(&path, &[("range", "bytes=0-1,4-5")]).await;
    assert_reply(&several, 200, &whole, "the layer of app");
    let beyond = client.get_with(&path, &[("range", "bytes=16-")]).await;
    assert_error(
        &beyond,
        416,
        &[("content-range", "bytes */16")],
        "SIZE_INVALID",
        "the content has 16 bytes",
    );
    let unchanged = client.get_with(&path, &[("if-none-match", &etag)]).await;
    assert_reply(&unchanged, 304, &known, "");
}

#[tokio::test]
async fn a_blob_that_is_elsewhere_is_unknown_here() {
    let (_, client, image) = pushed().await;
    let digest = &image.layer.digest;
    let message = format!("blob {digest} is unknown to repository other");
    assert_error(&client.get(&blob("other", digest)).await, 404, &[], "BLOB_UNKNOWN", &message);
    assert_error(&client.delete(&blob("other", digest)).await, 404, &[], "BLOB_UNKNOWN", &message);
}

#[tokio::test]
async fn an_image_leaves_one_item_for_each_fact() {
    let (world, _, _) = pushed().await;
    let expected = stored(&[
        ("blob", 2),
        ("blob_edge", 2),
        ("catalog", 1),
        ("edge", 3),
        ("event", 1),
        ("link", 2),
        ("manifest", 1),
        ("object", 2),
        ("repository", 1),
        ("suspect", 4),
        ("tag", 1),
        ("upload", 2),
    ]);
    assert_eq!(world.stored().await, expected);
    assert_eq!(world.garbage().await, [""; 0]);
}

#[tokio::test]
async fn a_manifest_put_is_answered_with_its_digest_subject_and_tags() {
    let (_, client, image) = pushed().await;
    let signature = Content::referrer(&image.config, &image.manifest, "application/vnd.example.signature");
    let path = manifest("app", &signature.digest);
    let common = [("location", path.as_str()), ("docker-content-digest", signature.digest.as_str())];
    let subject = [("oci-subject", image.manifest.digest.as_str())];
    let by_tag = client.put_manifest("app", "signature", &signature).await;
    assert_reply(&by_tag, 201, &[&common[..], &subject].concat(), "");
    let reference = format!("{}?tag=a&tag=b&tag=a", signature.digest);
    let by_digest = client.put_manifest("app", &reference, &signature).await;
    let tags = [("oci-tag", "a"), ("oci-tag", "b")];
    assert_reply(&by_digest, 201, &[&common[..], &subject, &tags].concat(), "");
}

#[tokio::test]
async fn a_manifest_comes_back_exactly_as_pushed() {
    let (_, client, image) = pushed().await;
    let (text, etag) = (String::from_utf8(image.manifest.bytes.to_vec()).unwrap(), etag(&image.manifest));
    let length = text.len().to_string();
    let known = [("docker-content-digest", image.manifest.digest.as_str()), ("etag", etag.as_str())];
    let sized = [("content-length", length.as_str()), ("content-type", image.manifest.media_type)];
    let headers = [&known[..], &sized, &[("accept-ranges", "bytes")]].concat();
    for reference in ["v1", &image.manifest.digest] {
        let path = manifest("app", reference);
        assert_reply(&client.get(&path).await, 200, &headers, &text);
        assert_reply(&client.head(&path).await, 200, &headers, "");
        assert_reply(&client.get_with(&path, &[("if-none-match", &etag)]).await, 304, &known, "");
    }
}

#[tokio::test]
async fn a_manifest_that_is_not_there_is_unknown() {
    let (_, client, _) = pushed().await;
    let message = "manifest v2 is unknown to repository app";
    assert_error(&client.get(&manifest("app", "v2")).await, 404, &[], "MANIFEST_UNKNOWN", message);
    assert_error(&client.delete(&manifest("app", "v2")).await, 404, &[], "MANIFEST_UNKNOWN", message);
}

#[tokio::test]
async fn a_manifest_without_its_blobs_is_refused_naming_each_and_leaves_nothing() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    let reply = client.put_manifest("app", "v1", &image.manifest).await;
    let error = |missing: &Content| {
        let digest = &missing.digest;
        let message = format!("{digest} is unknown to repository app");
        json!({ "code": "MANIFEST_BLOB_UNKNOWN", "message": message, "detail": { "digest": digest } })
    };
    let body = json!({ "errors": [error(&image.config), error(&image.layer)] }).to_string();
    let actual: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status.as_u16(), actual.to_string()), (400, body));
    assert_eq!(world.stored().await, stored(&[]));
}

#[tokio::test]
async fn what_is_still_needed_is_not_deleted_and_the_answer_names_who_needs_it() {
    let (world, client, image) = pushed().await;
    let index = Content::index(&[&image.manifest]);
    client.put_manifest("app", "all", &index).await.expect(201);
    let before = world.stored().await;
    let blob_delete = client.delete(&blob("app", &image.layer.digest)).await;
    let (layer, digest) = (&image.layer.digest, &image.manifest.digest);
    let message = format!("blob {layer} is referenced by manifest {digest}; delete that manifest first");
    assert_error(&blob_delete, 405, &[("allow", "GET, HEAD")], "UNSUPPORTED", &message);
    let child_delete = client.delete(&manifest("app", digest)).await;
    let message =
        format!("manifest {digest} is referenced by index {}; delete that index first", index.digest);
    assert_error(&child_delete, 405, &[("allow", "GET, HEAD, PUT")], "UNSUPPORTED", &message);
    assert_eq!(world.stored().await, before);
    world.fsck().await;
}

#[tokio::test]
async fn a_deleted_tag_leaves_its_manifest_and_its_history() {
    let (world, client, image) = pushed().await;
    assert_reply(&client.delete(&manifest("app", "v1")).await, 202, &[], "");
    client.get(&manifest("app", "v1")).await.expect(404);
    client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
    let json_type = [("content-type", "application/json")];
    assert_reply(&client.get("/v2/app/tags/list").await, 200, &json_type, r#"{"name":"app","tags":[]}"#);
    let left = world.stored().await;
    assert_eq!((left.get("tag"), left["history"], left["edge"], left["event"]), (None, 1, 3, 2));
}

#[tokio::test]
async fn a_deleted_manifest_takes_its_tags_and_leaves_its_blobs() {
    let (world, client, image) = pushed().await;
    client.put_manifest("app", "v2", &image.manifest).await.expect(201);
    assert_reply(&client.delete(&manifest("app", &image.manifest.digest)).await, 202, &[], "");
    for reference in ["v1", "v2", &image.manifest.digest] {
        client.get(&manifest("app", reference)).await.expect(404);
    }
    let expected = stored(&[
        ("blob", 2),
        ("blob_edge", 2),
        ("catalog", 1),
        ("event", 5),
        ("history", 2),
        ("link", 2),
        ("object", 2),
        ("repository", 1),
        ("suspect", 7),
        ("upload", 2),
    ]);
    assert_eq!(world.stored().await, expected);
    client.delete(&blob("app", &image.layer.digest)).await.expect(202);
}

#[tokio::test]
async fn lists_come_in_pages_in_the_order_of_bytes() {
    let (_, client, image) = pushed().await;
    for tag in ["v10", "V2", "a"] {
        client.put_manifest("app", tag, &image.manifest).await.expect(201);
    }
    let json_type = ("content-type", "application/json");
    let page = client.get("/v2/app/tags/list?n=2").await;
    let link = ("link", "</v2/app/tags/list?n=2&last=a>; rel=\"next\"");
    assert_reply(&page, 200, &[json_type, link], r#"{"name":"app","tags":["V2","a"]}"#);
    let page = client.get("/v2/app/tags/list?n=2&last=a").await;
    assert_reply(&page, 200, &[json_type], r#"{"name":"app","tags":["v1","v10"]}"#);
    let none = client.get("/v2/app/tags/list?n=0").await;
    assert_reply(&none, 200, &[json_type], r#"{"name":"app","tags":[]}"#);
    let unknown = client.get("/v2/other/tags/list").await;
    assert_error(&unknown, 404, &[], "NAME_UNKNOWN", "repository other is unknown");
    let garbled = client.get("/v2/app/tags/list?n=two").await;
    let message = "the parameter n has to be a number of entries";
    assert_error(&garbled, 400, &[], "UNSUPPORTED", message);
}

#[tokio::test]
async fn the_catalog_lists_a_repository_from_its_first_manifest_on() {
    let (_, client, image) = pushed().await;
    client.push_blob("only/blobs", &image.layer).await.expect(201);
    client.push_image("abc", "v1", &Image::named("abc")).await.expect(201);
    let json_type = ("content-type", "application/json");
    let whole = client.get("/v2/_catalog").await;
    assert_reply(&whole, 200, &[json_type], r#"{"repositories":["abc","app"]}"#);
    let link = ("link", "</v2/_catalog?n=1&last=abc>; rel=\"next\"");
    let page = client.get("/v2/_catalog?n=1").await;
    assert_reply(&page, 200, &[json_type, link], r#"{"repositories":["abc"]}"#);
}

#[tokio::test]
async fn referrers_come_as_an_index_with_their_types_and_in_pages() {
    let (_, client, image) = pushed().await;
    let types = ["application/vnd.example.sbom", "application/vnd.example.signature"];
    let [sbom, signature] = types.map(|kind| Content::referrer(&image.config, &image.manifest, kind));
    for referrer in [&signature, &sbom] {
        client.put_manifest("app", &referrer.digest, referrer).await.expect(201);
    }
    let path = format!("/v2/app/referrers/{}", image.manifest.digest);
    let line = |content: &Content, artifact_type: &str| {
        let mut descriptor = content.descriptor();
        descriptor["artifactType"] = artifact_type.into();
        descriptor
    };
    let (sbom, signature) = (line(&sbom, types[0]), line(&signature, types[1]));
    let listed = |reply: &Reply| {
        assert_eq!(reply.header("content-type"), INDEX);
        serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap()
    };
    let index = |manifests: &[&serde_json::Value]| json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    assert_eq!(listed(&client.get(&path).await), index(&[&sbom, &signature]));
    let filtered = client.get(&format!("{path}?artifactType={}", types[1])).await;
    assert_eq!(listed(&filtered), index(&[&signature]));
    assert_eq!(filtered.header("oci-filters-applied"), "artifactType");
    let first = client.get(&format!("{path}?n=1")).await;
    assert_eq!(listed(&first), index(&[&sbom]));
    let next = first.header("link").trim_start_matches('<').split('>').next().unwrap();
    let second = client.get(next).await;
    assert_eq!(listed(&second), index(&[&signature]));
    assert!(!second.headers.contains_key("link"));
}

#[tokio::test]
async fn nobody_refers_to_what_is_unknown() {
    let client = World::new().client();
    let path = format!("/v2/app/referrers/{}", Content::blob("nothing").digest);
    let body = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}","manifests":[]}}"#);
    assert_reply(&client.get(&path).await, 200, &[("content-type", INDEX)], &body);
    let garbled = client.get("/v2/app/referrers/sha256:123").await;
    assert_eq!((garbled.status.as_u16(), garbled.header("content-type")), (400, "application/json"));
}

#[tokio::test]
async fn a_manifest_of_another_digest_or_too_long_is_refused() {
    let (_, client, image) = pushed().await;
    let other = Content::image(&image.config, &[]);
    let (expected, actual) = (&image.manifest.digest, &other.digest);
    let reply = client.put_manifest("app", expected, &other).await;
    let message = format!("the content has digest {actual}, not {expected}");
    assert_error(&reply, 400, &[], "DIGEST_INVALID", &message);
    let headers = [("content-type", image.manifest.media_type)];
    let body = bytes_body(vec![b' '; 4 * 1024 * 1024 + 1]);
    let reply = client.send(Method::PUT, &manifest("app", "v1"), &headers, body).await;
    assert_eq!((reply.status.as_u16(), reply.text().contains("SIZE_INVALID")), (413, true));
}
