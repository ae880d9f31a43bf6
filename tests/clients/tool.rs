//! Command lines of clients, with an end to waiting.

use std::fmt::{Debug, Formatter, Result as FormatResult};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How long one command of a client may take; docker waits 5, 10, 15 … seconds before it tries again, and compresses
/// a layer of 1 GiB each time.
const SECONDS: &str = "900";

/// Why a client failed; it prints as it is, lines and all, where a test unwraps it.
pub(crate) struct Failure(pub(crate) String);

impl Debug for Failure {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> FormatResult {
        formatter.write_str(&self.0)
    }
}

/// Returns where `tests/setup.sh` puts the tool `path`.
pub(crate) fn installed(path: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("test-tools").join(path)
}

/// Returns the command `program`, killed when it takes too long.
pub(crate) fn command(program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", SECONDS]).arg(program.as_ref());
    command
}

/// Runs `command` and returns what it printed.
///
/// # Errors
///
/// The command line and all that it printed, when it fails.
pub(crate) fn run(command: &mut Command) -> Result<String, Failure> {
    let output = command.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() {
        return Ok(printed);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(Failure(format!("{command:?} ended with {}\n{printed}\n{errors}", output.status)))
}
