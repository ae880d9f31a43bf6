//! How a function binary is run.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// A function binary and its configuration.
#[derive(Clone, Debug)]
pub struct FunctionOptions {
    /// The name of the function.
    pub name: String,
    /// The runtime interface emulator for this machine: `aws-lambda-rie-x86_64` or `-arm64`.
    pub emulator: PathBuf,
    /// The binary that Lambda would know as `bootstrap`.
    pub binary: PathBuf,
    /// The function's own variables, with the region and the credentials, which the service would set.
    pub environment: BTreeMap<String, String>,
    /// The configured memory: the function reads it, nothing enforces it.
    pub memory_mb: u32,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// How many events may be under way at once.
    pub instances: usize,
}

impl FunctionOptions {
    /// Returns what the function finds in its environment: what the service sets, and its own.
    pub(crate) fn whole_environment(&self) -> BTreeMap<String, String> {
        let service = [
            ("PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin".to_owned()),
            ("LANG", "en_US.UTF-8".to_owned()),
            ("TZ", ":UTC".to_owned()),
            ("_HANDLER", "bootstrap".to_owned()),
            ("LAMBDA_TASK_ROOT", "/var/task".to_owned()),
            ("LAMBDA_RUNTIME_DIR", "/var/runtime".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", self.name.clone()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", self.memory_mb.to_string()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", self.name)),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "standin".to_owned()),
            // Not of the service: this is how the emulator is told.
            ("AWS_LAMBDA_FUNCTION_TIMEOUT", self.timeout.as_secs().max(1).to_string()),
        ];
        let service = service.into_iter().map(|(name, value)| (name.to_owned(), value));
        service.chain(self.environment.clone()).collect()
    }
}
