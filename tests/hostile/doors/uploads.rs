//! Direct uploads that do not come, come twice, or are not what they are said to be.

use super::{Door, blob};
use crate::request::Request;

#[test]
fn an_upload_that_never_comes_is_missed_and_stays_open() {
    let Some(door) = Door::open("doors::never") else { return };
    let (layer, digest) = blob("a layer that never comes");
    let offer = door.begin("app");
    assert_eq!(door.adopt(), 0);
    let (status, body) = door.push_manifest("app", &digest, layer.len());
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("MANIFEST_BLOB_UNKNOWN"), "{body}");
    let empty = format!("PUT {}?{}&digest={digest}", offer.path, offer.query);
    assert_eq!(door.status(&empty), 400, "nothing was sent");
    assert_eq!(door.pull("app", &digest), Err(404));
    assert_eq!(door.status(&format!("GET {}", offer.path)), 204);
    assert_eq!(door.status(&format!("DELETE {}", offer.path)), 204);
    assert_eq!(door.put(&offer, &digest, &layer), 201, "S3 knows nothing of the end of a session");
    assert_eq!(door.adopt(), 0, "it is over");
    assert_eq!(door.pull("app", &digest), Err(404));
    assert_eq!(door.close("blob"), 0);
}

#[test]
fn an_upload_that_comes_again_is_one_blob_and_keeps_its_bytes() {
    let Some(door) = Door::open("doors::again") else { return };
    let (layer, digest) = blob("a layer");
    let (other, other_digest) = blob("other bytes, sent later");
    let offer = door.begin("app");
    assert_eq!([door.put(&offer, &digest, &layer), door.put(&offer, &digest, &layer)], [201, 201]);
    assert_eq!((door.adopt(), door.adopt()), (1, 0));
    assert_eq!(door.put(&offer, &other_digest, &other), 201, "the URL is still good");
    assert_eq!(door.adopt(), 0);
    assert_eq!(door.pull("app", &digest), Ok(layer));
    assert_eq!(door.pull("app", &other_digest), Err(404));
    let (status, body) = door.push_manifest("app", &other_digest, other.len());
    assert_eq!(status, 400, "{body}");
    assert_eq!(door.close("blob"), 1);
}

#[test]
fn bytes_get_their_own_digest_whatever_the_url_says() {
    let Some(door) = Door::open("doors::lie") else { return };
    let (layer, digest) = blob("what is said");
    let (sent, sent_digest) = blob("what is sent");
    assert_eq!(door.put(&door.begin("app"), &digest, &sent), 201, "the edge does not hash");
    let (status, body) = door.push_manifest("app", &digest, layer.len());
    assert_eq!(status, 400, "{body}");
    assert_eq!(door.pull("app", &digest), Err(404));
    assert_eq!(door.pull("app", &sent_digest), Ok(sent));
    assert_eq!(door.close("blob"), 1);
}

#[test]
fn an_upload_belongs_to_the_repository_that_opened_it() {
    let Some(door) = Door::open("doors::repository") else { return };
    let (layer, digest) = blob("a layer of app");
    let offer = door.begin("app");
    let elsewhere = offer.path.replace("/app/", "/other/");
    let through_other = Request::new(format!("PUT {elsewhere}?{}&digest={digest}", offer.query));
    assert_eq!(door.ask(&through_other.with_body(&layer[..])).status, 201, "S3 knows no repositories");
    assert_eq!(door.push_manifest("other", &digest, layer.len()).0, 400);
    for method in ["GET", "PATCH", "DELETE"] {
        assert_eq!(door.status(&format!("{method} {elsewhere}?{}", offer.query)), 404, "{method}");
    }
    let unsigned = Request::new(format!("PUT {elsewhere}?digest={digest}")).with_body(&layer[..]);
    assert_eq!(door.ask(&unsigned).status, 404);
    assert_eq!(door.adopt(), 1);
    assert_eq!((door.pull("app", &digest), door.pull("other", &digest)), (Ok(layer), Err(404)));
    assert_eq!(door.close("link"), 1);
}
