//! Accounts before the registry, as far as a client sees them: a challenge, and tokens that open what they name.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use serde_json::json;

use crate::message::{Reply, Request};

/// What the only user shows: the name `admin` and the password of every run.
const BASIC: &str = "Basic YWRtaW46c2VjcmV0";

/// The password of every run.
pub(crate) const PASSWORD: &str = "secret";

/// Accounts. A token is its number and what it is for.
#[derive(Default)]
pub(crate) struct Accounts {
    pub(crate) given: AtomicU32,
    /// Whether a token is good until the next one only.
    pub(crate) is_brief: bool,
}

impl Accounts {
    /// Answers whoever wants a token, or shows no good one.
    pub(crate) fn answer(&self, request: &Request) -> Option<Reply> {
        let shown = request.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        if request.path == "/token" {
            return Some(match shown.as_deref() {
                None => self.token(""),
                Some(BASIC) => self.token(request.parameter("scope").unwrap_or_default()),
                Some(_) => Reply::oci(401, "UNAUTHORIZED"),
            });
        }
        let opens = shown.is_some_and(|shown| self.opens(&shown, &request.path));
        (!opens).then(|| Reply::oci(401, "UNAUTHORIZED").with("www-authenticate", &challenge(request)))
    }

    fn token(&self, scope: &str) -> Reply {
        let number = self.given.fetch_add(1, Ordering::Relaxed) + 1;
        let life_secs = if self.is_brief { 0 } else { 300 };
        let answer = json!({ "token": format!("{number}-{scope}"), "expires_in": life_secs });
        Reply { body: Bytes::from(answer.to_string()), ..Reply::new(200) }
    }

    fn opens(&self, shown: &str, path: &str) -> bool {
        let Some((number, scope)) = shown.strip_prefix("Bearer ").and_then(|token| token.split_once('-'))
        else {
            return false;
        };
        let is_newest = number == self.given.load(Ordering::Relaxed).to_string();
        let repository = scope.split(':').nth(1).unwrap_or_default();
        let is_there = path == "/v2/" || path.starts_with(&format!("/v2/{repository}/"));
        (is_newest || !self.is_brief) && !repository.is_empty() && is_there
    }
}

fn challenge(request: &Request) -> String {
    let host = request.headers["host"].to_str().unwrap();
    format!("Bearer realm=\"http://{host}/token\",service=\"registry\"")
}
