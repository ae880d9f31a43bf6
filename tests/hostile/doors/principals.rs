//! Uploads in the hands of somebody else than who began them. That an altered URL lets nothing in is in `signatures`.

use cloud::{CloudOptions, Delivery};
use test_support::access::{PASSWORD, basic};

use super::{Door, blob};
use crate::request::{AUTHORIZATION, Request};

/// Makes a user who may push to `app`, and returns what it shows.
fn pusher(door: &Door, name: &str) -> String {
    for (line, body, status) in [
        ("POST /api/v1/users", format!(r#"{{"name":"{name}","password":"{PASSWORD}"}}"#), 201),
        ("POST /api/v1/repositories", r#"{"name":"app"}"#.to_owned(), 201),
        (&format!("PUT /api/v1/repositories/app/grants/user:{name}"), r#"{"role":"push"}"#.to_owned(), 204),
    ] {
        let request = Request::new(line).with_header("Content-Type: application/json").with_body(body);
        let reply = door.ask(&request);
        assert_eq!(reply.status, status, "{line}: {}", String::from_utf8_lossy(&reply.body));
    }
    basic(name, PASSWORD)
}

/// Asks for everything that can be done with an upload but to send it to S3.
fn assert_refused(door: &Door, path: &str, queries: [&str; 2], status: u16, code: &str) {
    for query in queries {
        for (method, query, body) in [
            ("GET", query, ""),
            ("PATCH", query, "bytes"),
            ("PUT", query, ""),
            ("PUT", queries[0], "bytes"),
            ("DELETE", query, ""),
        ] {
            let reply = door.ask(&Request::new(format!("{method} {path}?{query}")).with_body(body));
            let said = String::from_utf8_lossy(&reply.body).into_owned();
            assert!(
                reply.status == status && said.contains(code),
                "{method} {query}: {} {said}",
                reply.status
            );
        }
    }
}

/// Returns how many requests the edge has sent to S3.
fn at_s3(door: &Door) -> u64 {
    door.cloud.edge_counts().unwrap()["origins"]["s3"]["requests"].as_u64().unwrap()
}

fn assert_gives_nothing_but_bytes(test: &str, has_capability: bool) {
    let options = CloudOptions { has_capability, ..CloudOptions::default() };
    let Some(mut door) = Door::deployed(test, Delivery::Dropped, &options) else { return };
    let other = pusher(&door, "mallory");
    let owner = door.words.get(AUTHORIZATION).to_owned();
    let (layer, digest) = blob("a layer");
    let offer = door.begin("app");
    let with_digest = format!("digest={digest}");
    let queries = [with_digest.as_str(), &format!("{}&{with_digest}", offer.query)];

    // Who may push to the same repository has no part in the upload of another, nor has who shows nothing.
    door.words.set(AUTHORIZATION, &other);
    assert_refused(&door, &offer.path, queries, 404, "BLOB_UPLOAD_UNKNOWN");
    door.words = door.words.without(AUTHORIZATION);
    assert_refused(&door, &offer.path, queries, 401, "UNAUTHORIZED");
    assert_eq!(at_s3(&door), 0);

    // S3 asks for nothing but the URL; what comes by it is the upload's, and nobody's who sent it.
    assert_eq!(door.put(&offer, &digest, &layer), 201);
    assert_eq!(at_s3(&door), 1);
    door.words.set(AUTHORIZATION, &other);
    let (status, body) = door.push_manifest("app", &digest, layer.len());
    assert!(status == 400 && body.contains("MANIFEST_BLOB_UNKNOWN"), "{status}: {body}");
    assert_eq!([door.pull("app", &digest), door.pull("mallory/app", &digest)], [Err(404), Err(404)]);
    door.words.set(AUTHORIZATION, &owner);
    let (status, body) = door.push_manifest("app", &digest, layer.len());
    assert_eq!(status, 201, "{body}");
    door.words.set(AUTHORIZATION, &other);
    assert_eq!([door.pull("app", &digest), door.pull("mallory/app", &digest)], [Ok(layer), Err(404)]);
    assert_eq!(door.close("link"), 1);
}

#[test]
fn a_signed_upload_url_gives_others_than_its_owner_nothing() {
    assert_gives_nothing_but_bytes("doors::principals::signed", false);
}

#[test]
fn a_capability_gives_others_than_its_owner_nothing() {
    assert_gives_nothing_but_bytes("doors::principals::capability", true);
}
