//! The execution environments of one function.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tokio::sync::Semaphore;

use crate::instance::{Instance, Log};
use crate::{FunctionOptions, Report};

/// Instances, each with one event at a time; new ones are started on demand up to a number.
///
/// Beyond that number AWS would refuse; here invocations wait.
pub(crate) struct Pool {
    options: FunctionOptions,
    client: reqwest::Client,
    idle: Mutex<Vec<Instance>>,
    free: Semaphore,
    started: AtomicU64,
    restart_always: AtomicBool,
    log: Arc<Log>,
}

impl Pool {
    pub(crate) fn new(options: FunctionOptions) -> io::Result<Self> {
        for file in [&options.emulator, &options.binary] {
            check_that_it_exists(file)?;
        }
        let client = reqwest::Client::builder().no_proxy().build().map_err(io::Error::other)?;
        let free = Semaphore::new(options.instances);
        Ok(Self {
            options,
            client,
            idle: Mutex::default(),
            free,
            started: AtomicU64::new(0),
            restart_always: AtomicBool::new(false),
            log: Arc::default(),
        })
    }

    /// Sends `event` to an idle instance, or to a new one.
    pub(crate) async fn invoke(&self, event: Vec<u8>) -> Result<(Bytes, Option<Report>), String> {
        let _place = self.free.acquire().await.map_err(|error| error.to_string())?;
        let idle = self.idle.lock().unwrap().pop();
        let mut instance = match idle {
            Some(instance) => instance,
            None => self.start().await.map_err(|error| format!("no instance started: {error}"))?,
        };
        let (answer, report) = instance.invoke(&self.client, event).await?;
        if !self.restart_always.load(Ordering::Relaxed) {
            self.idle.lock().unwrap().push(instance);
        }
        Ok((answer, report))
    }

    pub(crate) fn restart_always(&self, always: bool) {
        self.restart_always.store(always, Ordering::Relaxed);
        if always {
            self.idle.lock().unwrap().clear();
        }
    }

    pub(crate) fn started(&self) -> u64 {
        self.started.load(Ordering::Relaxed)
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.lines()
    }

    async fn start(&self) -> io::Result<Instance> {
        self.started.fetch_add(1, Ordering::Relaxed);
        Instance::start(&self.options, &self.log).await
    }
}

fn check_that_it_exists(file: &Path) -> io::Result<()> {
    match file.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(()),
        _ => Err(io::Error::new(io::ErrorKind::NotFound, format!("{} is not a file", file.display()))),
    }
}
