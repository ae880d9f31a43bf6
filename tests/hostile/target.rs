//! The registry that the corpus is sent to: a given one, or a server started for this run.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use test_support::server::Server;

use crate::client::{Outcome, exchange};
use crate::request::Request;
use crate::words::Words;

/// What comes and goes with the upload sessions of the corpus itself.
const TRANSIENT_KINDS: [&str; 3] = ["upload", "open_upload", "suspect"];

/// What fsck says: its findings, and how many items of each lasting kind there are.
#[derive(Debug, PartialEq, Deserialize)]
pub(crate) struct Report {
    findings: Vec<Value>,
    counts: BTreeMap<String, u64>,
}

impl Report {
    /// Returns whether every promise is kept.
    pub(crate) fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// The registry under test.
pub(crate) enum Target {
    /// A server of this run's own.
    Own(Server),
    /// A registry that is running already, Lambda's API if its functions can be asked for a check, and what logs in.
    Given { address: String, lambda: Option<String>, authorization: Option<String> },
}

impl Target {
    /// Takes the registry at `SLIPWAY_HOSTILE_URL`, or starts one if that is unset or empty.
    pub(crate) fn find_or_start() -> Self {
        match url("SLIPWAY_HOSTILE_URL") {
            Some(address) => Self::Given {
                address,
                lambda: url("SLIPWAY_HOSTILE_LAMBDA"),
                authorization: text("SLIPWAY_HOSTILE_AUTHORIZATION"),
            },
            None => Self::Own(Server::start(Path::new(env!("CARGO_BIN_EXE_slipway")))),
        }
    }

    /// Returns `<host>:<port>`.
    pub(crate) fn address(&self) -> &str {
        match self {
            Self::Own(server) => server.address(),
            Self::Given { address, .. } => address,
        }
    }

    /// Returns what `Authorization` has to be, if anything.
    pub(crate) fn authorization(&self) -> Option<&str> {
        match self {
            Self::Own(_) => None,
            Self::Given { authorization, .. } => authorization.as_deref(),
        }
    }

    /// Reads every stored byte with fsck; `None` where nobody can be asked for it.
    pub(crate) fn fsck(&mut self) -> Option<Report> {
        match self {
            Self::Own(server) => Some(stopped_fsck(server)),
            Self::Given { lambda, .. } => lambda.as_deref().map(invoked_fsck),
        }
    }
}

/// Returns host and port of the plain HTTP URL in a variable.
fn url(variable: &str) -> Option<String> {
    let url = text(variable)?;
    let address = url.strip_prefix("http://").unwrap_or_else(|| panic!("{variable} is not http: {url}"));
    Some(address.trim_end_matches('/').to_owned())
}

fn text(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|text| !text.is_empty())
}

/// Stops the server for the check, and starts it again.
fn stopped_fsck(server: &mut Server) -> Report {
    assert!(server.stop(), "the server did not live until now");
    let (code, stdout, stderr) = server.command(&["fsck", "--deep", "--json"]);
    server.restart();
    let report = report(stdout.as_bytes()).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"));
    assert!(code == 0 || !report.is_sound(), "fsck exited with {code}: {stdout}{stderr}");
    report
}

/// Asks the function that an operator asks. Garbage is no fault here: a function may not delete, and what an upload
/// has left waits for a collector.
fn invoked_fsck(lambda: &str) -> Report {
    let mut words = Words::default();
    words.set("host", lambda);
    let invoke = Request::new("POST /2015-03-31/functions/ScheduledFunction/invocations");
    let request = invoke.with_body(r#"{"job":"fsck","deep":true}"#).encode(&words);
    let Outcome::Reply(reply) = exchange(lambda, &request, false) else { panic!("no fsck at {lambda}") };
    let text = String::from_utf8_lossy(&reply.body);
    let mut report = report(&reply.body).unwrap_or_else(|error| panic!("{error}: {text}"));
    report.findings.retain(|finding| finding["severity"] != "garbage");
    report
}

fn report(json: &[u8]) -> Result<Report, serde_json::Error> {
    let mut report: Report = serde_json::from_slice(json)?;
    report.counts.retain(|kind, _| !TRANSIENT_KINDS.contains(&kind.as_str()));
    Ok(report)
}
