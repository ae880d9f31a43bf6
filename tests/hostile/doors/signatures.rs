//! Upload URLs that were altered, have expired, or are used for something else: S3 lets nothing in.

use std::time::{Duration, SystemTime};

use super::{Door, Offer, blob};
use crate::request::Request;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// More than the edge sends to the functions.
const LARGE_BYTES: usize = (4 << 20) + 1;

/// Returns how many objects were put by whom S3 took for the owner of its key.
fn puts(door: &Door) -> u64 {
    door.cloud.s3().calls().count("PutObject")
}

fn id(offer: &Offer) -> &str {
    offer.path.rsplit('/').next().unwrap()
}

/// Returns `query` with another value of one parameter.
fn altered(query: &str, name: &str, value: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((found, _)) if found == name => format!("{name}={value}"),
        _ => pair.to_owned(),
    });
    let altered = pairs.collect::<Vec<_>>().join("&");
    assert_ne!(altered, query, "there is no {name}");
    altered
}

#[test]
fn an_altered_upload_url_lets_nothing_in_through_the_edge() {
    let Some(door) = Door::open("doors::altered") else { return };
    let (layer, digest) = blob("a layer that must not come in");
    let (offer, other) = (door.begin("app"), door.begin("other"));
    let before = puts(&door);
    let query = offer.query.as_str();
    let nothing = "0".repeat(64);
    for (what, path, query) in [
        ("the upload of another repository", &other.path, query.to_owned()),
        ("a longer life", &offer.path, altered(query, "X-Amz-Expires", "604800")),
        ("a later beginning", &offer.path, altered(query, "X-Amz-Date", "20990101T000000Z")),
        ("another signature", &offer.path, altered(query, "X-Amz-Signature", &nothing)),
        ("no signature", &offer.path, altered(query, "X-Amz-Signature", "")),
        ("a signature alone", &offer.path, format!("X-Amz-Signature={nothing}")),
        ("more headers signed", &offer.path, altered(query, "X-Amz-SignedHeaders", "host%3Bx-amz-acl")),
        ("another operation", &offer.path, altered(query, "x-id", "DeleteObject")),
        ("a part of another upload", &offer.path, format!("{query}&X-Amz-Copy-Source=%2Fa")),
    ] {
        let put = Request::new(format!("PUT {path}?{query}&digest={digest}")).with_body(&layer[..]);
        let status = door.ask(&put).status;
        assert!(matches!(status, 400 | 403), "{what}: {status}");
    }
    assert_eq!((puts(&door) - before, door.adopt()), (0, 0));
    assert_eq!(door.put(&offer, &digest, &layer), 201, "unaltered it is good");
    assert_eq!(door.adopt(), 1);
    assert_eq!(door.close("blob"), 1);
}

#[test]
fn an_upload_url_is_good_at_s3_for_a_put_of_its_own_key_only() {
    let Some(door) = Door::open("doors::keys") else { return };
    let (layer, digest) = blob("a layer");
    assert_eq!(door.put(&door.begin("victim"), &digest, &layer), 201);
    assert_eq!(door.adopt(), 1);
    let (offer, other) = (door.begin("app"), door.begin("victim"));
    let (before, bucket) = (puts(&door), "/slipway-objects");
    for key in [
        "data/00/00000000000000000000000000",
        &format!("data/{}", id(&offer)),
        &format!("uploads/{}", id(&other)),
        &format!("uploads/{}/x", id(&offer)),
        &format!("uploads/../data/{}", id(&offer)),
        &format!("uploads/{}%2F..%2F..%2Fdata%2Fx", id(&offer)),
        "",
    ] {
        let status = door.ask_s3("PUT", &format!("{bucket}/{key}?{}", offer.query), &layer).status;
        assert!((400..500).contains(&status), "{key}: {status}");
    }
    let own = format!("{bucket}/uploads/{}", id(&offer));
    for method in ["GET", "HEAD", "DELETE", "POST"] {
        let status = door.ask_s3(method, &format!("{own}?{}", offer.query), b"").status;
        assert!((400..500).contains(&status), "{method}: {status}");
    }
    assert_eq!(door.ask_s3("PUT", &own, &layer).status, 403, "without a signature");
    assert_eq!((puts(&door) - before, door.adopt()), (0, 0));
    assert_eq!(door.pull("victim", &digest), Ok(layer.clone()));
    assert_eq!(door.ask_s3("PUT", &format!("{own}?{}", offer.query), &layer).status, 200, "so it is good");
    assert_eq!((door.adopt(), door.close("link")), (1, 2));
}

#[test]
fn an_upload_url_lets_nothing_in_once_it_has_expired() {
    let Some(door) = Door::open("doors::expired") else { return };
    let (layer, digest) = blob("a layer that comes too late");
    let offer = door.begin("app");
    let key = format!("uploads/{}", id(&offer));
    let signed = |began| door.cloud.signed_put(&key, began, HOUR).unwrap();
    let of = |url: &str| Offer { path: offer.path.clone(), query: url.split_once('?').unwrap().1.to_owned() };
    let (now, before) = (SystemTime::now(), puts(&door));
    let late = signed(now - HOUR - Duration::from_secs(1));
    assert_eq!(door.put(&of(&late), &digest, &layer), 403, "through the edge");
    assert_eq!(door.ask_s3("PUT", &late, &layer).status, 403, "at S3");
    assert_eq!((puts(&door) - before, door.adopt()), (0, 0));
    assert_eq!(door.put(&of(&signed(now - HOUR / 2)), &digest, &layer), 201, "it was the time alone");
    assert_eq!(door.adopt(), 1);
    assert_eq!(door.close("blob"), 1);
}

#[test]
fn nothing_reaches_s3_by_an_upload_url_without_a_signature_or_by_a_path_that_is_none() {
    let Some(door) = Door::open("doors::unsigned") else { return };
    let (layer, digest) = blob("a layer");
    let offer = door.begin("app");
    let put = |path: &str, query: &str, body: &[u8]| {
        let line = format!("PUT {path}?{query}&digest={digest}");
        door.ask(&Request::new(line).with_body(body))
    };
    let at_s3 = || door.cloud.edge_counts().unwrap()["origins"]["s3"]["requests"].clone();
    let refusal = put(&offer.path, "x=y", &vec![0; LARGE_BYTES]);
    assert_eq!(refusal.status, 413);
    assert!(String::from_utf8_lossy(&refusal.body).contains("UNSUPPORTED"));
    for path in [
        "/v2/app/blobs/uploads/../../data/x",
        "/v2/app/blobs/uploads/..%2f..%2fdata%2fx",
        "/v2/app/blobs/uploads/%2e%2e",
        "/v2/app/blobs/uploads/",
        &format!("{}/..", offer.path),
        &format!("{}%00", offer.path),
        &format!("{}.x", offer.path),
        "/slipway-objects/uploads/x",
        "/uploads/x",
        "/data/x",
    ] {
        let status = put(path, &offer.query, &layer).status;
        assert!((400..500).contains(&status), "{path}: {status}");
    }
    let line = format!("PUT {}?{}&digest={digest}", offer.path, offer.query);
    let chunked = Request::new(line).with_header("Transfer-Encoding: chunked").with_body("0\r\n\r\n");
    assert_eq!(door.ask(&chunked).status, 411);
    let without_digest = Request::new(format!("PUT {}?{}", offer.path, offer.query)).with_body(&layer[..]);
    assert_eq!(door.ask(&without_digest).status, 400);
    assert_eq!(at_s3(), 0);
    assert_eq!(put(&offer.path, "x=y", &layer).status, 201, "a small one is the function's");
    assert_eq!((at_s3(), door.pull("app", &digest)), (0.into(), Ok(layer)));
    assert_eq!(door.close("blob"), 1);
}
