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
        match std::env::var("SLIPWAY_CONFORMANCE_URL") {
            Ok(url) if !url.is_empty() => Self { registry: Registry::at(&url), _server: None },
            _ => Self::start(),
        }
    }

    fn start() -> Self {
        let server = Server::start(Path::new(env!("CARGO_BIN_EXE_slipway")));
        Self { registry: Registry::at(&server.url("")), _server: Some(server) }
    }

    /// Returns the registry.
    pub(crate) fn registry(&self) -> &Registry {
        &self.registry
    }
}
