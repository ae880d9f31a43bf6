//! What every answer has, so that browsers and caches make no more of it than it is.

use registry::ports::ObjectScan;

use crate::client::{Reply, uploads};
use crate::content::Image;
use crate::world::World;

/// The headers of which this module speaks.
pub(crate) const OF_EVERY_ANSWER: &[&str] = &[
    "cache-control",
    "content-security-policy",
    "docker-distribution-api-version",
    "vary",
    "x-content-type-options",
];

/// Fails if an answer could be taken for something else, kept for somebody else, or read by a page of another site.
#[track_caller]
pub(crate) fn check(reply: &Reply) {
    assert_eq!(reply.header("docker-distribution-api-version"), "registry/2.0");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    let policy = reply.header("content-security-policy");
    for directive in ["default-src", "object-src", "base-uri", "frame-ancestors"] {
        assert!(policy.contains(&format!("{directive} 'none'")), "{reply:#?}");
    }
    match reply.header("cache-control") {
        "no-store" => {}
        "private, no-cache" => {
            assert_eq!(reply.header("vary"), "authorization");
            assert!(reply.headers.contains_key("etag"), "{reply:#?}");
        }
        _ => panic!("somebody may keep it: {reply:#?}"),
    }
    let is_temporary = matches!(reply.status.as_u16(), 429 | 503);
    assert_eq!(is_temporary, reply.headers.contains_key("retry-after"), "{reply:#?}");
    let tells_others = |name: &http::HeaderName| name.as_str().starts_with("access-control-");
    assert!(!reply.headers.keys().any(tells_others) && !reply.headers.contains_key("set-cookie"));
    let media_type = reply.headers.get("content-type").map_or("", |value| value.to_str().unwrap());
    // Neither has a charset: one is bytes, the other is UTF-8 by its definition (RFC 8259, section 8.1).
    let is_known = media_type == "application/octet-stream" || media_type.ends_with("json");
    assert!(is_known || reply.body.is_empty() && media_type.is_empty(), "{reply:#?}");
    let length = reply.headers.get("content-length").map(|value| value.to_str().unwrap());
    assert!(reply.body.is_empty() || length.is_none_or(|length| length == reply.body.len().to_string()));
}

#[tokio::test]
async fn no_object_has_a_name_that_a_client_chose() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    for repository in ["data", "tails/uploads", "a.b-c__d/data/00"] {
        client.push_image(repository, "data", &image).await.expect(201);
        client.begin(repository).await;
        for name in ["..", "%2e%2e", "%2e%2e%2fdata", "data%2f..%2f..", "a%00"] {
            client.put_manifest(repository, name, &image.manifest).await.expect(400);
            client.post(&uploads(&format!("{repository}/{name}")), "").await.expect(400);
            client.patch(&format!("{}{name}", uploads(repository)), "x").await.expect(404);
        }
    }
    let objects = world.objects.scan().await.unwrap();
    assert!(!objects.is_empty());
    for object in objects {
        let key = object.key.as_str().strip_prefix("data/").and_then(|key| key.split_once('/'));
        let is_hex = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(
            key.is_some_and(|(shard, id)| is_hex(shard) && id.parse::<ulid::Ulid>().is_ok()),
            "{object:?}"
        );
    }
}
