//! A client that hides nothing: each helper is one request, and each reply comes back whole.

use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use reqwest::Method;
use reqwest::blocking::{Body, Client, RequestBuilder};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap};
use reqwest::redirect::Policy;

use crate::content::{DOCKER_IMAGE, DOCKER_LIST, IMAGE, INDEX};
use crate::reply::Reply;

/// A registry at a base URL.
pub(crate) struct Registry {
    base: String,
    direct: Client,
    following: Client,
}

impl Registry {
    /// Returns the registry at `base`, such as `http://127.0.0.1:5000`.
    ///
    /// `authorization` is the value of that header in every request, where the registry asks for accounts.
    pub(crate) fn at(base: &str, authorization: Option<&str>) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        let client = |policy| {
            let mut headers = accept_every_manifest();
            headers.extend(authorization.map(|value| (AUTHORIZATION, value.parse().unwrap())));
            let builder = Client::builder().default_headers(headers).redirect(policy);
            builder.no_proxy().timeout(Duration::from_secs(60)).build().unwrap()
        };
        Self { base, direct: client(Policy::none()), following: client(Policy::limited(3)) }
    }

    /// Returns the base URL.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Starts a request to `target`: a path on this registry, or a whole URL as a `Location` may be.
    ///
    /// Only GET follows redirects: a registry must not redirect a HEAD or a request with a body.
    pub(crate) fn request(&self, method: Method, target: &str) -> Request {
        let is_whole_url = target.starts_with("http://") || target.starts_with("https://");
        let url = if is_whole_url { target.to_owned() } else { format!("{}{target}", self.base) };
        let client = if method == Method::GET { &self.following } else { &self.direct };
        Request { line: format!("{method} {target}"), builder: client.request(method, url) }
    }

    /// Starts a GET of `target`, a path or a whole URL.
    pub(crate) fn get(&self, target: &str) -> Request {
        self.request(Method::GET, target)
    }

    /// Returns a repository that nobody has used before, with `label` in its name.
    pub(crate) fn fresh_repository(&self, label: &str) -> Repository<'_> {
        Repository { registry: self, name: format!("conformance/{label}-{:x}", unique_number()) }
    }
}

/// A repository of the registry; it exists once something is pushed to it.
pub(crate) struct Repository<'a> {
    pub(crate) registry: &'a Registry,
    pub(crate) name: String,
}

impl<'a> Repository<'a> {
    /// Returns the repository `<this name><suffix>`, which is another one.
    pub(crate) fn sibling(&self, suffix: &str) -> Repository<'a> {
        Repository { registry: self.registry, name: format!("{}{suffix}", self.name) }
    }

    /// Returns the path of `rest` in this repository: `/v2/<name>/<rest>`.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.name)
    }

    /// Starts a request to `/v2/<name>/<rest>`.
    pub(crate) fn request(&self, method: Method, rest: &str) -> Request {
        self.registry.request(method, &self.path(rest))
    }

    /// Starts `GET /v2/<name>/<rest>`.
    pub(crate) fn get(&self, rest: &str) -> Request {
        self.request(Method::GET, rest)
    }

    /// Starts `HEAD /v2/<name>/<rest>`.
    pub(crate) fn head(&self, rest: &str) -> Request {
        self.request(Method::HEAD, rest)
    }

    /// Starts `DELETE /v2/<name>/<rest>`.
    pub(crate) fn delete(&self, rest: &str) -> Request {
        self.request(Method::DELETE, rest)
    }

    /// Starts `POST /v2/<name>/<rest>` with an empty body.
    pub(crate) fn post(&self, rest: &str) -> Request {
        self.request(Method::POST, rest).header("Content-Length", "0")
    }
}

/// A request under construction.
#[must_use]
pub(crate) struct Request {
    line: String,
    builder: RequestBuilder,
}

impl Request {
    /// Adds a header.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self { builder: self.builder.header(name, value), ..self }
    }

    /// Sets the body, announced by its `Content-Length`.
    pub(crate) fn body(self, bytes: &[u8]) -> Self {
        Self { builder: self.builder.body(bytes.to_vec()), ..self }
    }

    /// Sets the body, sent with `Transfer-Encoding: chunked` and no length.
    pub(crate) fn streamed_body(self, bytes: &[u8]) -> Self {
        Self { builder: self.builder.body(Body::new(Cursor::new(bytes.to_vec()))), ..self }
    }

    /// Sends the request and reads the whole reply.
    #[track_caller]
    pub(crate) fn send(self) -> Reply {
        let response = self.builder.send().unwrap_or_else(|error| panic!("{}: {error:?}", self.line));
        Reply::read(self.line, response)
    }

    /// Sends the request and checks the status of the reply.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Reply {
        self.send().expect(status)
    }

    /// Sends the request and checks that it is refused with an OCI error.
    #[track_caller]
    pub(crate) fn expect_error(self, status: u16, code: &str) -> Reply {
        self.send().expect_error(status, code)
    }
}

/// "The client SHOULD include an `Accept` header indicating which manifest content types it supports."
fn accept_every_manifest() -> HeaderMap {
    let types = [IMAGE, INDEX, DOCKER_IMAGE, DOCKER_LIST, "*/*"].join(", ");
    HeaderMap::from_iter([(ACCEPT, types.parse().unwrap())])
}

/// Returns a number that no other call has returned, in this run or an earlier one.
pub(crate) fn unique_number() -> u64 {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let microseconds = u64::try_from(since_epoch.as_micros()).unwrap();
    (microseconds << 12) | (CALLS.fetch_add(1, Ordering::Relaxed) & 0xfff)
}
