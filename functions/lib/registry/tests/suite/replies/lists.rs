//! Answers of the base, and of everything that lists.

use serde_json::json;

use super::{assert_error, assert_reply, pushed};
use crate::client::Reply;
use crate::content::{Content, INDEX, Image};
use crate::world::World;

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
