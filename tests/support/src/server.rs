//! A registry that runs as its own process on a free loopback port.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// A running `slipway serve`, killed when dropped; its data folder outlives restarts.
pub struct Server {
    binary: PathBuf,
    data: PathBuf,
    /// Removes the data folder in the end, if the server made it.
    _own_data: Option<TempDir>,
    extra: Vec<String>,
    address: String,
    child: Option<Child>,
}

impl Server {
    /// Starts `binary` on an empty data folder and waits until it listens.
    ///
    /// Give it `Path::new(env!("CARGO_BIN_EXE_slipway"))`.
    pub fn start(binary: &Path) -> Self {
        Self::start_with(binary, &[])
    }

    /// Starts `binary` with more arguments after `serve --data … --listen …`.
    pub fn start_with(binary: &Path, extra: &[&str]) -> Self {
        let own_data = tempfile::Builder::new().prefix("slipway-test-").tempdir().unwrap();
        Self::launched(binary, own_data.path().to_owned(), Some(own_data), extra)
    }

    /// Starts `binary` on a data folder of the caller's.
    pub fn start_at(binary: &Path, data: &Path) -> Self {
        Self::launched(binary, data.to_owned(), None, &[])
    }

    fn launched(binary: &Path, data: PathBuf, own_data: Option<TempDir>, extra: &[&str]) -> Self {
        let mut server = Self {
            binary: binary.to_owned(),
            data,
            _own_data: own_data,
            extra: extra.iter().map(|argument| (*argument).to_owned()).collect(),
            address: "127.0.0.1:0".to_owned(),
            child: None,
        };
        server.launch();
        server
    }

    /// Returns `127.0.0.1:<port>`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Returns the URL of `path` (which starts with a slash) on this server.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Kills the server as a power cut would (SIGKILL), leaving its data.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks the server to stop (SIGTERM) and waits for it; returns whether it exited with 0.
    pub fn stop(&mut self) -> bool {
        let Some(mut child) = self.child.take() else { return true };
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        child.wait().unwrap().success()
    }

    /// Starts the server again on the same data and the same port.
    pub fn restart(&mut self) {
        assert!(self.child.is_none(), "stop or kill the server first");
        self.launch();
    }

    /// Runs `slipway` with `arguments` and `--data` of this server; returns (exit code, stdout, stderr).
    pub fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let output =
            Command::new(&self.binary).args(arguments).arg("--data").arg(&self.data).output().unwrap();
        (
            output.status.code().unwrap_or(-1),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    }

    fn launch(&mut self) {
        let mut child = Command::new(&self.binary)
            .arg("serve")
            .arg("--data")
            .arg(&self.data)
            .args(["--listen", &self.address])
            .args(&self.extra)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        self.address = read_address(&mut stdout);
        // Keep reading, so that the server never blocks on a full pipe.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        self.child = Some(child);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server prints `listening on http://<address>` once it answers.
fn read_address(stdout: &mut impl BufRead) -> String {
    let mut line = String::new();
    loop {
        line.clear();
        assert!(stdout.read_line(&mut line).unwrap() > 0, "the server ended before it listened");
        if let Some((_, address)) = line.split_once("http://") {
            return address.trim().trim_end_matches('/').to_owned();
        }
    }
}
