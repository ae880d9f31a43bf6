//! Skips that say so: a test whose tool is missing prints why, and fails where the tool is required.

use std::io::Write;
use std::path::{Path, PathBuf};

/// Returns where `tool` is, or prints that `test` is skipped.
///
/// # Panics
///
/// When `SLIPWAY_REQUIRE` (a comma-separated list, or `all`) names the tool and it is missing.
pub fn tool(test: &str, tool: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|file| is_executable(file))
    });
    if found.is_none() {
        skip(test, tool, "it is not installed");
    }
    found
}

/// Prints that `test` is skipped because of `feature`, or fails when `feature` is required.
///
/// # Panics
///
/// When `SLIPWAY_REQUIRE` names the feature.
pub fn skip(test: &str, feature: &str, reason: &str) {
    let required = std::env::var("SLIPWAY_REQUIRE").unwrap_or_default();
    let is_required = required.split(',').any(|name| name.trim() == feature || name.trim() == "all");
    assert!(!is_required, "{test} needs {feature}, but {reason}");
    let line = format!("SKIPPED {test}: needs {feature}, but {reason}\n");
    // Not eprintln!, which the test harness keeps to itself when a test passes.
    let _unseen = std::io::stderr().write_all(line.as_bytes());
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
