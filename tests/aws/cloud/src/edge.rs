//! The edge: node runs the function of `infra/edge.yaml`, behind a stand-in for the rest of what that template says.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use serde_json::Value;
use test_support::daemon::Daemon;

use crate::programs::{Programs, root};

/// A running edge.
pub(crate) struct Edge {
    _daemon: Daemon,
    pub(crate) url: String,
    control: String,
}

/// On which terms layers go to S3.
pub(crate) struct Terms {
    /// The resources of `infra/edge.yaml` as they are deployed.
    pub(crate) stack: Value,
    /// Values of the function's settings, in place of the stack's.
    pub(crate) settings: Value,
    /// The keys of an origin access control, if there is one.
    pub(crate) access_control: Option<Value>,
    /// What `Authorization` is of a request that has none.
    pub(crate) authorization: Option<String>,
    /// More flags of the stand-in.
    pub(crate) flags: Vec<&'static str>,
}

impl Edge {
    /// Starts an edge before the origins of its stack.
    pub(crate) fn start(programs: &Programs, folder: &Path, terms: &Terms) -> Result<Self> {
        let (log, stack) = (folder.join("edge.log"), folder.join("edge.json"));
        std::fs::write(&stack, terms.stack.to_string())?;
        let mut command = Command::new(&programs.node);
        command.arg(root().join("tests/aws/edge/stand-in.mjs"));
        command.arg("--stack").arg(stack);
        command.arg("--settings").arg(terms.settings.to_string());
        command.args(&terms.flags);
        if let Some(keys) = &terms.access_control {
            command.arg("--access-control").arg(keys.to_string());
        }
        if let Some(authorization) = &terms.authorization {
            command.arg("--authorization").arg(authorization);
        }
        let said = |word: &str| {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            text.lines().find_map(|line| line.strip_prefix(word).map(|url| url.trim().to_owned()))
        };
        let daemon = Daemon::start(&mut command, &log, || said("control ").is_some())
            .map_err(|error| anyhow!("the edge does not start: {error}"))?;
        let url = said("listening ").context("the edge does not say where it listens")?;
        let control = said("control ").context("the edge does not say where it is controlled")?;
        Ok(Self { _daemon: daemon, url, control })
    }

    /// Returns what has passed.
    pub(crate) fn counts(&self) -> Result<Value> {
        let text = reqwest::blocking::get(format!("{}/__edge/counts", self.control))?.text()?;
        Ok(serde_json::from_str(&text)?)
    }
}
