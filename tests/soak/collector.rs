//! Asks the server to collect garbage, whether it is just being killed or not.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde_json::{Value, json};

use crate::tally::Tally;

/// How long nobody collects between two collections.
const PAUSE: Duration = Duration::from_millis(20);

/// How long an answer may take; far longer than any does.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whoever holds the data folder, as `slipway gc` does, but without a process that would open the folder of a server
/// that is dead.
pub(crate) struct Collector {
    http: reqwest::Client,
    tally: Arc<Tally>,
}

impl Collector {
    pub(crate) fn new(data: &Path, tally: Arc<Tally>) -> Self {
        let socket = data.join("operator/socket");
        // Each request has a connection of its own: whether there was somebody to ask is seen by whether it was made.
        let http = reqwest::Client::builder().unix_socket(socket).pool_max_idle_per_host(0).timeout(PATIENCE);
        Self { http: http.build().unwrap(), tally }
    }

    /// Collects until the tally is full.
    pub(crate) async fn work(self) {
        while !self.tally.is_over() {
            match self.collect().await {
                Ok(()) => self.tally.collections.fetch_add(1, Relaxed),
                Err(error) if error.is_connect() => 0,
                Err(_) => self.tally.collections_cut.fetch_add(1, Relaxed),
            };
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn collect(&self) -> reqwest::Result<()> {
        let mut from = None;
        loop {
            let report = self.slice(from).await?;
            self.tally.add_report(&report);
            from = report["next"].as_u64();
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn slice(&self, from: Option<u64>) -> reqwest::Result<Value> {
        let task = json!({ "task": "collect", "from": from });
        let request = self.http.post("http://localhost/operator/tasks").body(task.to_string());
        let answer = request.send().await?.bytes().await?;
        Ok(serde_json::from_slice(&answer).unwrap())
    }
}
