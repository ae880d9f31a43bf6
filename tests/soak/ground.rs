//! The server, who collects its garbage, and who kills it.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use test_support::server::Server;
use tokio::task::JoinHandle;

use crate::tally::Tally;

/// How often the end of all garbage is looked for, each time after a lease.
const PATIENCE: usize = 60;

pub(crate) struct Ground {
    server: Arc<Mutex<Server>>,
    url: String,
    lease: Duration,
}

impl Ground {
    pub(crate) fn new(lease: Duration) -> Self {
        let server = crate::start();
        let url = server.url("");
        Self { server: Arc::new(Mutex::new(server)), url, lease }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }

    /// Collects garbage as fast as it goes, beside the server's own collector, until the tally is full.
    pub(crate) fn collect(&self, tally: Arc<Tally>) -> JoinHandle<()> {
        let server = Arc::clone(&self.server);
        tokio::task::spawn_blocking(move || {
            while !tally.is_over() {
                collect_once(&server.lock().unwrap(), &tally);
            }
        })
    }

    /// Kills the server at moments that have nothing to do with what it does, until the tally is full.
    pub(crate) fn kill(&self, tally: Arc<Tally>) -> JoinHandle<()> {
        let server = Arc::clone(&self.server);
        tokio::task::spawn_blocking(move || {
            while !tally.is_over() {
                std::thread::sleep(Duration::from_millis(fastrand::u64(20..300)));
                let mut server = server.lock().unwrap();
                server.kill();
                server.restart();
                tally.kills.fetch_add(1, Relaxed);
                tally.tell_of_every(100, &tally.kills);
            }
        })
    }

    /// Waits until nothing is left of what was deleted.
    pub(crate) async fn collect_until_empty(&self, tally: &Tally) {
        for _ in 0..PATIENCE {
            tokio::time::sleep(self.lease).await;
            collect_once(&self.server(), tally);
            if files(&self.server().data().join("data")) == 0 {
                return;
            }
        }
        tally.complain(format!("{} files are left", files(&self.server().data().join("data"))));
    }

    /// Stops the server, and checks what it leaves.
    pub(crate) fn end(self) {
        let mut server = self.server();
        assert!(server.stop());
        let (status, stdout, stderr) = server.command(&["fsck", "--deep"]);
        assert_eq!(status, 0, "{stdout}{stderr}");
    }
}

fn collect_once(server: &Server, tally: &Tally) {
    let (status, stdout, stderr) = server.command(&["gc", "--json"]);
    if status != 0 {
        return tally.complain(format!("gc: {stdout}{stderr}"));
    }
    let report: Value = serde_json::from_str(&stdout).unwrap();
    let gone = report["gone"].as_array().unwrap();
    let blobs = gone.iter().filter(|gone| gone["kind"] == "blob").count();
    tally.blobs_gone.fetch_add(blobs as u64, Relaxed);
    tally.collections.fetch_add(1, Relaxed);
    tally.tell_of_every(50, &tally.collections);
    if report["failures"] != serde_json::json!([]) {
        tally.complain(format!("gc: {}", report["failures"]));
    }
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}
