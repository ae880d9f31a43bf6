//! Download URLs that were altered, have expired, or are used for something else.

use std::time::{Duration, SystemTime};

use super::{Door, blob};
use crate::client::exchange;
use crate::request::Request;

const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);

impl Door {
    /// Pushes a blob and returns the URL at S3 that a GET is sent to.
    fn download_url(&self, repository: &str, digest: &str, bytes: &[u8]) -> String {
        assert_eq!(self.put(&self.begin(repository), digest, bytes), 201);
        assert_eq!(self.adopt(), 1);
        let get = Request::new(format!("GET /v2/{repository}/blobs/{digest}"));
        let redirect = super::reply(exchange(self.words.get("host"), &get.encode(&self.words), false));
        assert_eq!(redirect.status, 307);
        redirect.header("Location").unwrap().to_owned()
    }
}

#[test]
fn a_download_url_is_good_for_a_get_of_its_own_object_only() {
    let Some(door) = Door::open("doors::downloads") else { return };
    let (layer, digest) = blob("a layer");
    let (secret, secret_digest) = blob("a secret of another repository");
    let url = door.download_url("app", &digest, &layer);
    let secret_url = door.download_url("other", &secret_digest, &secret);
    assert_eq!(door.ask_s3("GET", &url, b"").body, layer);
    let (path, query) = url.split_once('?').unwrap();
    let secret_path = secret_url.split_once('?').unwrap().0;
    let bucket = format!("{}/slipway-objects", door.cloud.s3().endpoint());
    let longer = query.replace("X-Amz-Expires=300", "X-Amz-Expires=604800");
    assert_ne!(longer, query);
    for (what, url) in [
        ("another object", format!("{secret_path}?{query}")),
        ("the bucket", format!("{bucket}?{query}")),
        ("the list of the bucket", format!("{bucket}/?list-type=2&{query}")),
        ("a longer life", format!("{path}?{longer}")),
        ("another type", format!("{path}?{}", query.replace("octet-stream", "x-script"))),
        ("more in the answer", format!("{url}&response-content-disposition=inline")),
        ("no signature", path.to_owned()),
    ] {
        let status = door.ask_s3("GET", &url, b"").status;
        assert_eq!(status, 403, "{what}");
    }
    for method in ["PUT", "DELETE", "POST"] {
        assert_eq!(door.ask_s3(method, &url, b"").status, 403, "{method}");
    }
    assert_eq!(door.pull("app", &secret_digest), Err(404));
    assert_eq!((door.pull("app", &digest), door.pull("other", &secret_digest)), (Ok(layer), Ok(secret)));
    assert_eq!(door.close("blob"), 2);
}

#[test]
fn a_download_url_serves_nothing_once_it_has_expired() {
    let Some(door) = Door::open("doors::late") else { return };
    let (layer, digest) = blob("a layer");
    let url = door.download_url("app", &digest, &layer);
    let path = url.split_once('?').unwrap().0;
    let key = path.split_once("/slipway-objects/").unwrap().1;
    let now = SystemTime::now();
    let signed = |began| door.cloud.signed_get(key, began, FIVE_MINUTES).unwrap();
    let refused = door.ask_s3("GET", &signed(now - FIVE_MINUTES - Duration::from_secs(1)), b"");
    assert_eq!(refused.status, 403);
    assert!(!refused.body.windows(layer.len()).any(|window| window == layer), "it tells nothing");
    assert_eq!(door.ask_s3("GET", &signed(now - FIVE_MINUTES / 2), b"").body, layer, "it was the time alone");
    assert_eq!(door.close("blob"), 1);
}
