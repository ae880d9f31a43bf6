//! One registry for all runs, and the runtime of the proxies.

use std::path::Path;

use reqwest::blocking;
use test_support::server::Server;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::accounts::PASSWORD;
use crate::fault::Fault;
use crate::proxy::Proxy;
use crate::run::Run;
use crate::upstream::Upstream;

pub(crate) struct Site {
    server: Server,
    runtime: Runtime,
}

impl Site {
    pub(crate) fn new() -> Self {
        let server = Server::start(Path::new(env!("CARGO_BIN_EXE_slipway")));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        Self { server, runtime: runtime.unwrap() }
    }

    /// Puts a proxy with a fault before the registry; returns its URL.
    pub(crate) fn serve(&self, fault: Fault) -> String {
        format!("http://{}", self.start(fault, None))
    }

    /// The same, by https.
    pub(crate) fn serve_tls(&self, fault: Fault, tls: TlsAcceptor) -> String {
        format!("https://{}", self.start(fault, Some(tls)))
    }

    /// Runs `smoke --json` through a proxy with a fault.
    pub(crate) fn run(&self, fault: Fault, arguments: &[&str]) -> Run {
        let password = [("SLIPWAY_SMOKE_PASSWORD", PASSWORD)];
        Run::of(&self.serve(fault), &[&["--json"], arguments].concat(), &password)
    }

    /// Asks the registry itself.
    pub(crate) fn get(&self, path: &str) -> String {
        blocking::get(self.server.url(path)).unwrap().text().unwrap()
    }

    fn start(&self, fault: Fault, tls: Option<TlsAcceptor>) -> String {
        self.runtime.block_on(Proxy::start(Upstream::new(self.server.url("")), fault, tls))
    }
}
