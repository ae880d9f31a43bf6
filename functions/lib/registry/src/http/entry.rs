//! How a request came in: through the edge, or to the registry itself.

use std::sync::Arc;

use http::HeaderMap;

/// The header in which the edge passes on the host that the client knows. It always overwrites it, and a client
/// that sends it by another way deceives only itself.
const VIEWER_HOST: &str = "x-viewer-host";

/// What is known of the edge.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    edge_host: Option<Arc<str>>,
}

impl Entry {
    /// An edge with this host, if it has one that is known beforehand.
    pub(crate) fn new(edge_host: Option<String>) -> Self {
        Self { edge_host: edge_host.map(Into::into) }
    }

    /// Returns what a location has to begin with so that it leads through the edge; `None` if no edge is known.
    pub(crate) fn edge_prefix(&self, headers: &HeaderMap) -> Option<String> {
        if headers.contains_key(VIEWER_HOST) {
            // Several clients refuse a location on another host, so this one stays on theirs.
            return Some(String::new());
        }
        self.edge_host.as_ref().map(|host| format!("https://{host}"))
    }
}
