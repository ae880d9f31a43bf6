//! Failed logins count against whom the edge serves, and nobody else can say whom that is.

use serde_json::Value;

use super::Door;
use crate::client::ask;
use crate::request::Request;
use crate::words::Words;

const STRANGER: &str = "203.0.113.9";

impl Door {
    /// Fails to log in, and returns the addresses that failures have counted against so far.
    fn guess(&self, host: &str, headers: &[&str]) -> Vec<String> {
        let mut words = Words::default();
        words.set("host", host);
        let mut guess = Request::new("GET /token?service=slipway").with_header("Authorization: Basic YTpi");
        for header in headers {
            guess = guess.with_header(*header);
        }
        assert_eq!(super::reply(ask(&guess, &words, false)).status, 401);
        let rows = self.cloud.dynamodb().items("slipway");
        let partition = |row: &Value| row["pk"]["S"].as_str().unwrap().to_owned();
        let counted = rows.iter().map(partition);
        counted.filter_map(|key| Some(key.strip_prefix("TH#address#")?.to_owned())).collect()
    }
}

#[test]
fn a_login_that_fails_counts_against_its_own_address_whatever_it_claims() {
    let Some(door) = Door::open("doors::addresses") else { return };
    let claimed = format!("X-Viewer-Address: {STRANGER}");
    let (edge, api) = (door.cloud.address(), door.cloud.api_address());
    for (host, headers) in [
        (&edge, vec![claimed.as_str()]),
        (&edge, vec![&claimed, "X-Slipway-Edge: guessed"]),
        (&api, vec![&claimed]),
        (&api, vec![&claimed, "X-Slipway-Edge: guessed"]),
        (&api, vec![&claimed, "X-Slipway-Edge:"]),
    ] {
        assert_eq!(door.guess(host, &headers), ["127.0.0.1"], "{headers:?} at {host}");
    }
}
