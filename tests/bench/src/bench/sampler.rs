//! How much the memory of a server rises while something happens.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use slipway_bench::{Result, process};

/// Samples the resident memory of a process each 50 ms while something happens.
pub(crate) struct Sampler {
    stop: Sender<()>,
    thread: thread::JoinHandle<u64>,
    before_bytes: u64,
}

impl Sampler {
    /// Starts to look at `pid`.
    pub(crate) fn start(pid: u32) -> Result<Self> {
        let (stop, stopped) = channel();
        let resident = move || process::memory(pid).map_or(0, |memory| memory.resident_bytes);
        let before_bytes = resident();
        let thread = thread::spawn(move || {
            let mut most = before_bytes;
            while stopped
                .recv_timeout(Duration::from_millis(50))
                .is_err_and(|error| error == RecvTimeoutError::Timeout)
            {
                most = most.max(resident());
            }
            most
        });
        Ok(Self { stop, thread, before_bytes })
    }

    /// Stops and returns by how many bytes the memory rose at most.
    pub(crate) fn rise_bytes(self) -> Result<u64> {
        drop(self.stop);
        let most = self.thread.join().map_err(|_| "the sampler panicked")?;
        Ok(most - self.before_bytes)
    }
}
