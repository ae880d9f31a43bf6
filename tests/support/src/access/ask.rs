//! How a service is asked, and how answers are looked at.

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;

/// An answer, read to its end.
pub type Answer = http::Response<Bytes>;

/// A service that can be asked.
pub trait Ask {
    /// Sends the request; its URI is a path, with a query perhaps.
    fn ask(&self, request: http::Request<Bytes>) -> impl Future<Output = Answer>;

    /// Lets time pass for the service; returns `false` if it cannot be turned.
    fn turn(&self, by: Duration) -> bool;

    /// Returns all that is stored, each item as a text, but for audit entries and what counts the use of
    /// credentials; `None` if it cannot be seen.
    fn stored(&self) -> impl Future<Output = Option<Vec<String>>>;
}

/// Returns the value of `Authorization` for Basic authentication.
pub fn basic(user: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{secret}")))
}

/// Returns the value of `Authorization` for an access token.
pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// Returns a parameter of the challenge, such as `scope` or `error`.
pub fn challenge_word(answer: &Answer, parameter: &str) -> Option<String> {
    let challenge = answer.headers().get("www-authenticate")?.to_str().ok()?;
    let (_, rest) = challenge.split_once(&format!("{parameter}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// Returns status, headers and body as one text, without what every answer has its own of.
pub fn text_of(answer: &Answer) -> String {
    const OWN: [&str; 8] = [
        "date",
        "apigw-requestid",
        "x-amzn-requestid",
        "x-amz-cf-id",
        "x-amz-cf-pop",
        "via",
        "x-cache",
        "connection",
    ];
    let mut headers: Vec<String> = answer
        .headers()
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    let body = String::from_utf8_lossy(answer.body());
    format!("{}\n{}\n\n{body}", answer.status().as_u16(), headers.join("\n"))
}
