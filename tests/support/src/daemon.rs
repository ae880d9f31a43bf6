//! Programs that a test starts and that must not outlive it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How long a program may take to get ready.
const READY_WITHIN: Duration = Duration::from_secs(60);

/// A program in the background, asked to stop (SIGTERM) when dropped.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `command`, its output going to the file `log`, and waits until `is_ready`.
    ///
    /// # Errors
    ///
    /// The end of the log, when the program ends before it is ready or is not ready within a minute.
    pub fn start(command: &mut Command, log: &Path, is_ready: impl Fn() -> bool) -> Result<Self, String> {
        let output = File::create(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut daemon = Self { child, log: log.to_owned() };
        let deadline = Instant::now() + READY_WITHIN;
        while !is_ready() {
            if daemon.child.try_wait().unwrap().is_some() || Instant::now() > deadline {
                return Err(daemon.end_of_log());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(daemon)
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _gone_already = kill_process(Pid::from_child(&self.child), Signal::TERM);
            let _exit = self.child.wait();
        }
    }
}
