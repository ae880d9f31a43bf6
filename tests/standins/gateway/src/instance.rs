//! One execution environment: a function binary under the runtime interface emulator, as bare processes.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::process::{kill_tree, peak_memory_mb};
use crate::report::ReportReader;
use crate::{FunctionOptions, Report};

/// How long the emulator may take to listen, on a machine that is busy.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the emulator's report may come after the answer.
const REPORT_TIMEOUT: Duration = Duration::from_secs(2);

/// Ports that the system gives to nobody by itself, so that none is taken while the emulator starts.
const PORTS: Range<u16> = 20_000..32_000;

/// How many lines of output are kept.
const LOG_LINES: usize = 10_000;

/// A running emulator; it and the function are killed when dropped.
pub(crate) struct Instance {
    emulator: Child,
    address: SocketAddr,
    reports: mpsc::Receiver<Report>,
}

/// The last lines that the instances of a function wrote.
#[derive(Default)]
pub(crate) struct Log(Mutex<VecDeque<String>>);

impl Log {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().iter().cloned().collect()
    }

    fn push(&self, line: String) {
        let mut lines = self.0.lock().unwrap();
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

impl Instance {
    /// Starts an emulator and waits until it listens; the function starts with its first event.
    pub(crate) async fn start(options: &FunctionOptions, log: &Arc<Log>) -> io::Result<Self> {
        let (runtime_api, address) = (free_address()?, free_address()?);
        // One pipe for both, so that the lines stay in order.
        let (output, writer) = io::pipe()?;
        let emulator = Command::new(&options.emulator)
            .arg("--runtime-api-address")
            .arg(runtime_api.to_string())
            .arg("--runtime-interface-emulator-address")
            .arg(address.to_string())
            .arg(&options.binary)
            .env_clear()
            .envs(options.whole_environment())
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let mut instance = Self { emulator, address, reports: keep_reading(output, log.clone()) };
        tokio::time::timeout(START_TIMEOUT, instance.until_it_listens()).await??;
        Ok(instance)
    }

    /// Sends an event and returns the answer, with what the emulator reports.
    ///
    /// # Errors
    ///
    /// When there is no answer, or none of a function; the instance is of no more use then.
    pub(crate) async fn invoke(
        &mut self,
        client: &reqwest::Client,
        event: Vec<u8>,
    ) -> Result<(Bytes, Option<Report>), String> {
        let url = format!("http://{}/2015-03-31/functions/function/invocations", self.address);
        let response = client.post(url).body(event).send().await.map_err(|error| error.to_string())?;
        let status = response.status();
        let answer = response.bytes().await.map_err(|error| error.to_string())?;
        if !status.is_success() {
            return Err(format!("the emulator answered {status}: {}", String::from_utf8_lossy(&answer)));
        }
        Ok((answer, self.report().await))
    }

    async fn report(&mut self) -> Option<Report> {
        let mut report = tokio::time::timeout(REPORT_TIMEOUT, self.reports.recv()).await.ok()??;
        report.max_memory_mb = peak_memory_mb(self.emulator.id());
        Some(report)
    }

    async fn until_it_listens(&mut self) -> io::Result<()> {
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            self.check_that_it_lives()?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Somebody else may have taken the port.
        self.check_that_it_lives()
    }

    fn check_that_it_lives(&mut self) -> io::Result<()> {
        match self.emulator.try_wait()? {
            None => Ok(()),
            Some(status) => Err(io::Error::other(format!("the emulator ended before it listened: {status}"))),
        }
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        kill_tree(self.emulator.id());
        // Reaps it; it was killed, so this does not block.
        let _status = self.emulator.wait();
    }
}

/// Returns an address that nobody listens on; the emulator takes addresses only, no open sockets.
fn free_address() -> io::Result<SocketAddr> {
    static STEPS: AtomicU32 = AtomicU32::new(0);
    for _ in PORTS {
        // Processes that run at the same time start at different places.
        let step = std::process::id().wrapping_mul(97).wrapping_add(STEPS.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + (step % u32::from(PORTS.end - PORTS.start)) as u16;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return Ok(address);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// Reads on, so that nothing blocks on a full pipe; ends with the processes.
fn keep_reading(output: PipeReader, log: Arc<Log>) -> mpsc::Receiver<Report> {
    let (sender, reports) = mpsc::channel(16);
    std::thread::spawn(move || {
        let mut reader = ReportReader::default();
        for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).into_owned();
            if let Some(report) = reader.read(&line) {
                // Nobody waits for it when the invocation was given up.
                let _unread = sender.try_send(report);
            }
            log.push(line);
        }
    });
    reports
}
