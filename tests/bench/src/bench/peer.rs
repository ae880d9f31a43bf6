//! The programs that are measured, each on a free loopback port with a folder of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use slipway_bench::{Result, process};

use crate::client::Client;
use crate::figures::Side;

const PATIENCE: Duration = Duration::from_secs(30);

/// A program that can be started.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) side: Side,
    pub(crate) binary: PathBuf,
}

/// A running server, killed and forgotten when dropped.
pub(crate) struct Peer {
    program: Program,
    folder: PathBuf,
    pub(crate) address: String,
    child: Option<Child>,
    /// The most memory that any process of this server had.
    pub(crate) peak_bytes: u64,
}

impl Peer {
    /// Starts `program` with an empty folder below `work`.
    pub(crate) fn start(program: &Program, work: &Path) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let folder = work.join(format!("{}-{port}", program.side.name()));
        fs::create_dir_all(&folder)?;
        let mut peer = Self {
            program: program.clone(),
            folder: folder.canonicalize()?,
            address: format!("127.0.0.1:{port}"),
            child: None,
            peak_bytes: 0,
        };
        peer.launch("/")?;
        Ok(peer)
    }

    /// Returns the process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Returns the server's folder.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Connects to the server.
    pub(crate) fn connect(&self) -> Result<Client> {
        Client::connect(&self.address)
    }

    /// Starts the program and returns how long it takes until `path` is answered.
    pub(crate) fn launch(&mut self, path: &str) -> Result<Duration> {
        let mut command = self.command()?;
        let begin = Instant::now();
        self.child = Some(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
        loop {
            let answer = self.connect().and_then(|mut client| client.call("GET", path, "", b""));
            if answer.is_ok() {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > PATIENCE || self.has_ended()? {
                return Err(format!("{} does not answer", self.program.binary.display()).into());
            }
            thread::sleep(Duration::from_micros(500));
        }
    }

    /// Ends the program with `signal` and waits for it; the folder stays.
    pub(crate) fn end(&mut self, signal: Signal) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            self.peak_bytes = self.peak_bytes.max(process::memory(child.id())?.peak_bytes);
            kill_process(Pid::from_child(&child), signal)?;
            child.wait()?;
        }
        Ok(())
    }

    fn has_ended(&mut self) -> Result<bool> {
        Ok(match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => true,
        })
    }

    fn command(&self) -> Result<Command> {
        let mut command = Command::new(&self.program.binary);
        match self.program.side {
            Side::Slipway => {
                command.arg("serve").arg("--data").arg(&self.folder).args(["--listen", &self.address]);
            }
            Side::Nginx => {
                command.arg("-p").arg(&self.folder).arg("-c").arg(self.configure("nginx.conf", NGINX)?);
            }
            _ => {
                command.arg("serve").arg(self.configure("config.yml", DOCKER_REGISTRY)?);
            }
        }
        Ok(command)
    }

    fn configure(&self, name: &str, template: &str) -> Result<PathBuf> {
        let folder = self.folder.to_str().ok_or("the work folder's name is not UTF-8")?;
        let file = self.folder.join(name);
        fs::write(&file, template.replace("ADDRESS", &self.address).replace("FOLDER", folder))?;
        Ok(file)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // A server that cannot be ended has ended; a folder that stays is emptied by the next run.
        let _ = self.end(Signal::KILL);
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// As Debian configures it, without its password file, its health check and its informational log.
const DOCKER_REGISTRY: &str = "\
version: 0.1
log: { level: error }
storage:
  cache: { blobdescriptor: inmemory }
  filesystem: { rootdirectory: FOLDER/data }
  delete: { enabled: true }
http:
  addr: ADDRESS
  secret: bench
  headers: { X-Content-Type-Options: [nosniff] }
";

const NGINX: &str = "\
daemon off;
master_process off;
user root;
pid FOLDER/nginx.pid;
error_log FOLDER/error.log;
events { worker_connections 256; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  client_body_temp_path FOLDER/body;
  proxy_temp_path FOLDER/proxy;
  fastcgi_temp_path FOLDER/fastcgi;
  uwsgi_temp_path FOLDER/uwsgi;
  scgi_temp_path FOLDER/scgi;
  server { listen ADDRESS; root FOLDER; }
}
";
