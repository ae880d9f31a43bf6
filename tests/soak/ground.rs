//! The server, who collects its garbage, and who kills it.

use std::path::Path;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use test_support::server::Server;
use tokio::task::JoinHandle;

use crate::collector::Collector;
use crate::tally::Tally;

/// How often the end of all garbage is looked for, each time after a lease.
const PATIENCE: usize = 60;

/// How many of its lives are short for each one that is long.
const KILLS_PER_LONG_LIFE: u64 = 8;

/// After how many kills all that is stored is checked.
const KILLS_PER_CHECK: u64 = 50;

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

    /// Collects garbage beside the kills, until the tally is full.
    pub(crate) fn collect_through_kills(&self, tally: &Arc<Tally>) -> JoinHandle<()> {
        let collector = Collector::new(self.server().data(), Arc::clone(tally));
        tokio::spawn(collector.work())
    }

    /// Kills the server at moments that have nothing to do with what it does, until the tally is full: mostly soon, at
    /// times so late that a collection has ended.
    pub(crate) fn kill(&self, tally: Arc<Tally>) -> JoinHandle<()> {
        let server = Arc::clone(&self.server);
        tokio::task::spawn_blocking(move || {
            while !tally.is_over() {
                let is_long = fastrand::u64(..KILLS_PER_LONG_LIFE) == 0;
                let life_ms = if is_long { fastrand::u64(200..1500) } else { fastrand::u64(20..200) };
                std::thread::sleep(Duration::from_millis(life_ms));
                let mut server = server.lock().unwrap();
                server.kill();
                if (tally.kills.fetch_add(1, Relaxed) + 1).is_multiple_of(KILLS_PER_CHECK) {
                    check(&server, &tally);
                }
                server.restart();
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
    pub(crate) fn end(self, tally: &Tally) {
        let mut server = self.server();
        assert!(server.stop());
        check(&server, tally);
    }
}

/// Nothing that a stopped or killed server leaves is broken.
fn check(server: &Server, tally: &Tally) {
    let (status, stdout, stderr) = server.command(&["fsck", "--deep"]);
    if status != 0 {
        tally.complain(format!("fsck: {stdout}{stderr}"));
    }
}

fn collect_once(server: &Server, tally: &Tally) {
    let (status, stdout, stderr) = server.command(&["gc", "--json"]);
    if status != 0 {
        return tally.complain(format!("gc: {stdout}{stderr}"));
    }
    tally.add_report(&serde_json::from_str(&stdout).unwrap());
    tally.collections.fetch_add(1, Relaxed);
    tally.tell_of_every(50, &tally.collections);
}

fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}
