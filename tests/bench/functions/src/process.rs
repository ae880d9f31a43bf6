//! The process of a function.

use std::fs;
use std::path::Path;

use slipway_bench::Result;

/// Returns the process that runs `binary` as the function `name`.
pub(crate) fn pid_of(binary: &Path, name: &str) -> Result<u32> {
    let variable = format!("AWS_LAMBDA_FUNCTION_NAME={name}\0");
    for entry in fs::read_dir("/proc")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let is_binary = fs::read_link(entry.path().join("exe")).is_ok_and(|exe| exe == binary);
        let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
        if is_binary && String::from_utf8_lossy(&environment).contains(&variable) {
            return Ok(pid);
        }
    }
    Err(format!("no process runs {name}").into())
}
