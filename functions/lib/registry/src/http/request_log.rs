//! What the log has of each request.

use std::time::Instant;

use http::{Method, Request, Response};

/// What the log says about a request, if anybody wants to know. The query stays out: it may carry a signature.
pub struct RequestLog(Option<(Method, String, Instant)>);

impl RequestLog {
    /// Notes what is asked, and when.
    pub fn begin<B>(request: &Request<B>) -> Self {
        let is_wanted = tracing::enabled!(tracing::Level::DEBUG);
        Self(is_wanted.then(|| (request.method().clone(), request.uri().path().to_owned(), Instant::now())))
    }

    /// Writes the line.
    pub fn end<B>(self, response: &Response<B>) {
        if let Some((method, path, began)) = self.0 {
            let duration_ms = began.elapsed().as_secs_f64() * 1000.0;
            tracing::debug!(%method, path, status = response.status().as_u16(), duration_ms, "answered");
        }
    }
}
