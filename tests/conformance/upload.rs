//! An upload session, followed from `Location` to `Location` as a client does.

use reqwest::Method;

use crate::client::{Registry, Repository, Request};
use crate::reply::Reply;

/// An open upload session.
pub(crate) struct Upload<'a> {
    registry: &'a Registry,
    location: String,
}

impl<'a> Repository<'a> {
    /// Opens an upload session.
    #[track_caller]
    pub(crate) fn start_upload(&self) -> Upload<'a> {
        self.continue_upload(&self.post("blobs/uploads/").expect(202))
    }

    /// Returns the session that `reply` points to by its `Location`.
    #[track_caller]
    pub(crate) fn continue_upload(&self, reply: &Reply) -> Upload<'a> {
        self.upload_at(reply.header("Location"))
    }

    /// Returns the session at `location`, which may never have been opened.
    pub(crate) fn upload_at(&self, location: &str) -> Upload<'a> {
        Upload { registry: self.registry, location: location.to_owned() }
    }
}

impl Upload<'_> {
    /// Returns where the session is now.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    /// Starts a request to the location as it is.
    pub(crate) fn request(&self, method: Method) -> Request {
        self.registry.request(method, &self.location).header("Content-Type", "application/octet-stream")
    }

    /// Starts the closing PUT, with `digest` as the client's last query parameter.
    pub(crate) fn closing_request(&self, digest: &str) -> Request {
        let separator = if self.location.contains('?') { '&' } else { '?' };
        let target = format!("{}{separator}digest={digest}", self.location);
        self.registry.request(Method::PUT, &target).header("Content-Type", "application/octet-stream")
    }

    /// Uploads `chunk` at `offset`; an accepted chunk moves the session to its new location.
    pub(crate) fn patch(&mut self, offset: usize, chunk: &[u8]) -> Reply {
        let request = self.request(Method::PATCH).header("Content-Range", &content_range(offset, chunk));
        let reply = request.body(chunk).send();
        self.follow(&reply);
        reply
    }

    /// Uploads `bytes` without a range.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Reply {
        let reply = self.request(Method::PATCH).body(bytes).send();
        self.follow(&reply);
        reply
    }

    /// Uploads `bytes` as one stream of unannounced length and without a range.
    pub(crate) fn stream(&mut self, bytes: &[u8]) -> Reply {
        let reply = self.request(Method::PATCH).streamed_body(bytes).send();
        self.follow(&reply);
        reply
    }

    /// Closes the session with an empty PUT.
    pub(crate) fn finish(&self, digest: &str) -> Reply {
        self.closing_request(digest).header("Content-Length", "0").send()
    }

    /// Closes the session with a PUT that carries the last chunk.
    pub(crate) fn finish_with(&self, offset: usize, chunk: &[u8], digest: &str) -> Reply {
        let request = self.closing_request(digest).header("Content-Range", &content_range(offset, chunk));
        request.body(chunk).send()
    }

    /// Asks how far the upload has come.
    pub(crate) fn status(&self) -> Reply {
        self.request(Method::GET).send()
    }

    /// Cancels the session.
    pub(crate) fn cancel(&self) -> Reply {
        self.request(Method::DELETE).send()
    }

    fn follow(&mut self, reply: &Reply) {
        if let Some(location) = reply.optional_header("Location") {
            location.clone_into(&mut self.location);
        }
    }
}

fn content_range(offset: usize, chunk: &[u8]) -> String {
    format!("{offset}-{}", offset + chunk.len() - 1)
}
