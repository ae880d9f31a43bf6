//! How a request came in: through the edge, or to the registry itself.

use std::sync::Arc;

use http::HeaderMap;
use http::uri::Authority;

/// The header in which the edge passes on the host that the client knows. It always overwrites it, and a client
/// that sends it by another way deceives only itself.
const VIEWER_HOST: &str = "x-viewer-host";

/// What is known of the edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    edge_host: Option<Arc<str>>,
    url: Option<Arc<str>>,
    is_tls: bool,
}

impl Entry {
    /// Returns the same with an edge of this host, if it has one that is known beforehand.
    pub(crate) fn with_edge(self, host: Option<String>) -> Self {
        Self { edge_host: host.map(Into::into), ..self }
    }

    /// Returns the same under this address.
    pub(crate) fn at(self, url: Option<String>) -> Self {
        Self { url: url.map(|url| url.trim_end_matches('/').into()), ..self }
    }

    /// Returns the same with TLS, or without, on the connections themselves.
    pub(crate) fn with_tls(self, is_tls: bool) -> Self {
        Self { is_tls, ..self }
    }

    /// Returns what a location has to begin with so that it leads through the edge; `None` if no edge is known.
    pub(crate) fn edge_prefix(&self, headers: &HeaderMap) -> Option<String> {
        if headers.contains_key(VIEWER_HOST) {
            // Several clients refuse a location on another host, so this one stays on theirs.
            return Some(String::new());
        }
        self.edge_host.as_ref().map(|host| format!("https://{host}"))
    }

    /// Returns scheme and host as the client knows them, such as `https://registry.example.com`.
    ///
    /// Whoever forges these headers is told to log in where they said themselves.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.url {
            return url.to_string();
        }
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let host = text(VIEWER_HOST).or_else(|| text("x-forwarded-host")).or_else(|| text("host"));
        let host = host.and_then(|host| host.parse::<Authority>().ok());
        let host = host.as_ref().map_or("localhost", Authority::as_str);
        let scheme = match text("x-forwarded-proto") {
            _ if self.is_tls => "https",
            Some("https") => "https",
            _ => "http",
        };
        format!("{scheme}://{host}")
    }
}
