//! Answers to pushes and pulls of manifests.

use http::Method;
use serde_json::json;

use super::{assert_error, assert_reply, etag, pushed, stored};
use crate::client::{bytes_body, manifest};
use crate::content::{Content, Image};
use crate::world::World;

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
