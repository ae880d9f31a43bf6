//! One run of `slipway smoke`.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

static RUNS: AtomicU32 = AtomicU32::new(0);

/// What a run said.
pub(crate) struct Run {
    pub(crate) passes: bool,
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Runs it against this URL, in a repository of its own.
    pub(crate) fn of(url: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let repository = format!("smoke/run-{}", RUNS.fetch_add(1, Ordering::Relaxed));
        let output = Command::new(env!("CARGO_BIN_EXE_slipway"))
            .args(["smoke", url, "--repository", &repository])
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let (passes, code) = (output.status.success(), output.status.code());
        Self { passes, code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Returns the checks of a run with `--json`.
    pub(crate) fn checks(&self) -> Vec<Value> {
        let report: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("{}", self.stderr));
        report["checks"].as_array().unwrap().clone()
    }

    /// Returns the names of the checks with this outcome.
    pub(crate) fn names(&self, outcome: &str) -> Vec<String> {
        let checks = self.checks().into_iter().filter(|check| check["outcome"] == outcome);
        checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    }

    /// Returns what a check found.
    pub(crate) fn fact(&self, name: &str) -> String {
        let check = self.checks().into_iter().find(|check| check["name"] == name);
        let check = check.unwrap_or_else(|| panic!("no check {name:?}"));
        format!("{}: {}", check["outcome"].as_str().unwrap(), check["fact"].as_str().unwrap())
    }
}
