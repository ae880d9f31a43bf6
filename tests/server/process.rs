//! A server with options of its own, of which everything that it says is kept.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::SLIPWAY;

/// A running `slipway serve`, killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// `127.0.0.1:<port>`.
    pub(crate) address: String,
    /// What it said at its start.
    pub(crate) greeting: String,
    said: Arc<Mutex<String>>,
}

impl Process {
    /// Starts a server on a free loopback port.
    pub(crate) fn start(data: &Path, arguments: &[&str]) -> Self {
        Self::try_start(data, arguments).unwrap_or_else(|said| panic!("it ended: {said}"))
    }

    /// Starts a server on a free loopback port; returns what it said if it ended instead, without dying.
    pub(crate) fn try_start(data: &Path, arguments: &[&str]) -> Result<Self, String> {
        let mut child = spawn(data, arguments);
        let said = Arc::<Mutex<String>>::default();
        let saying = keep(child.stderr.take().unwrap(), &said);
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        while !greeting.contains("\n  try ") {
            if stdout.read_line(&mut greeting).unwrap() == 0 {
                saying.join().unwrap();
                let said = said.lock().unwrap().clone();
                assert_eq!(child.wait().unwrap().code(), Some(1), "{said}");
                return Err(said);
            }
        }
        keep(stdout, &said);
        let (_, address) = greeting.lines().next().unwrap().split_once("://").unwrap();
        Ok(Self { child, address: address.to_owned(), greeting, said })
    }

    /// Starts a server that has to refuse it; returns why it did.
    pub(crate) fn refusal(data: &Path, arguments: &[&str]) -> String {
        let mut child = spawn(data, arguments);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if !line.is_empty() {
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        assert!(line.is_empty(), "{arguments:?} was not refused: {line}");
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    }

    /// Returns the URL of a path, without TLS.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the password that the greeting tells.
    pub(crate) fn password(&self) -> Option<&str> {
        let line = self.greeting.lines().find(|line| line.trim_start().starts_with("password"))?;
        line.split_whitespace().nth(1)
    }

    /// Returns what it has said since its greeting.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Waits until it says this.
    pub(crate) fn wait_for_word(&self, word: &str) {
        wait_until(word, || self.said().contains(word));
    }

    /// Asks it to stop, and waits for it.
    pub(crate) fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until something is so.
pub(crate) fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..600 {
        if is_so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("still not so: {what}");
}

/// Runs a command on a data folder; returns what it prints.
pub(crate) fn command(data: &Path, arguments: &[&str]) -> String {
    let output = Command::new(SLIPWAY).args(arguments).arg("--data").arg(data).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn spawn(data: &Path, arguments: &[&str]) -> Child {
    let listen = if arguments.contains(&"--listen") { &[][..] } else { &["--listen", "127.0.0.1:0"] };
    Command::new(SLIPWAY)
        .args(["serve", "--data"])
        .arg(data)
        .args(listen)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn keep(source: impl Read + Send + 'static, said: &Arc<Mutex<String>>) -> JoinHandle<()> {
    let said = Arc::clone(said);
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            let mut said = said.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    })
}
