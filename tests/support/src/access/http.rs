//! A service asked over HTTP.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::Request;
use reqwest::Client;
use reqwest::redirect::Policy;

use super::ask::Answer;

/// A client that keeps its connections, and follows no redirects.
///
/// Each request comes from an address of its own: what one role is refused must not throttle the next.
pub struct OverHttp {
    client: Client,
    origin: String,
    address_header: &'static str,
    asked: AtomicU32,
}

impl OverHttp {
    /// Returns a client of the service at an origin, `http://<host>:<port>`, which reads in this header whom it serves.
    pub fn new(origin: &str, address_header: &'static str) -> Self {
        let client = Client::builder().redirect(Policy::none()).build().unwrap();
        Self { client, origin: origin.to_owned(), address_header, asked: AtomicU32::new(0) }
    }

    /// Sends the request; its URI is a path, with a query perhaps.
    pub async fn ask(&self, request: Request<Bytes>) -> Answer {
        let (head, body) = request.into_parts();
        let [_, b, c, d] = self.asked.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let mut sent = self.client.request(head.method, format!("{}{}", self.origin, head.uri));
        sent = sent.headers(head.headers).header(self.address_header, format!("10.{b}.{c}.{d}"));
        if !body.is_empty() {
            sent = sent.body(body);
        }
        let answered = sent.send().await.unwrap();
        let mut answer = Answer::new(Bytes::new());
        *answer.status_mut() = answered.status();
        *answer.headers_mut() = answered.headers().clone();
        *answer.body_mut() = answered.bytes().await.unwrap();
        answer
    }
}
