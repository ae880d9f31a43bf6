//! The registry under test: a given URL, or a server started for this run.

use std::path::Path;

use test_support::server::Server;

use crate::client::Registry;

/// The registry under test; a server that was started for it ends with it.
pub(crate) struct Target {
    registry: Registry,
    _server: Option<Server>,
}

impl Target {
    /// Takes the registry at `SLIPWAY_CONFORMANCE_URL`, or starts one if that is unset or empty.
    pub(crate) fn find_or_start() -> Self {
        let text = |variable| std::env::var(variable).ok().filter(|text| !text.is_empty());
        let Some(url) = text("SLIPWAY_CONFORMANCE_URL") else { return Self::start() };
        let authorization = text("SLIPWAY_CONFORMANCE_AUTHORIZATION");
        Self { registry: Registry::at(&url, authorization.as_deref()), _server: None }
    }

    fn start() -> Self {
        let server = Server::start(Path::new(env!("CARGO_BIN_EXE_slipway")));
        Self { registry: Registry::at(&server.url(""), None), _server: Some(server) }
    }

    /// Returns the registry.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }
}
