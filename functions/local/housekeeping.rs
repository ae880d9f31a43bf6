//! What a registry does for itself: it collects garbage, by the clock and when whoever holds the data folder asks.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use embedded::{Files, Items};
use futures_util::StreamExt;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use oci::{Digest, RepositoryName};
use registry::Registry;
use registry::access::Access;
use registry::http::{Body, Service};
use registry::jobs::expiry::expire;
use registry::jobs::garbage_collection::{Budget, Collector, Report};
use registry::ports::{Clock, SystemClock};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::collection_settings::CollectionSettings;
use crate::storage::Storage;

/// Where tasks are asked for. Only whoever holds the data folder is answered.
pub(crate) const PATH: &str = "/operator/tasks";

/// How many suspects are looked at before others have their turn.
const SLICE: Budget = Budget { suspects: 200, until: None };

/// How long others have it.
const PAUSE: Duration = Duration::from_millis(100);

/// How often what ends by itself is looked for.
const EXPIRY: Duration = Duration::from_secs(24 * 60 * 60);

/// Collects garbage. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Housekeeping {
    collector: Collector,
    settings: CollectionSettings,
    items: Arc<Items>,
    files: Arc<Files>,
    service: Service,
}

/// What may be asked.
#[derive(Debug, Deserialize)]
#[serde(tag = "task", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Task {
    /// How much is waiting.
    Waiting,
    /// What would go.
    Rehearse,
    /// Collect for a while.
    Collect {
        /// Where the run before ended.
        from: Option<u64>,
    },
    /// Bring a blob back.
    Undelete {
        /// Into which repository.
        repository: RepositoryName,
        /// Which.
        digest: Digest,
    },
}

impl Housekeeping {
    /// Keeps this registry in order; `access` lets whoever holds the data folder in.
    pub(crate) fn new(
        storage: &Storage,
        registry: &Registry,
        access: Access,
        settings: CollectionSettings,
    ) -> Self {
        Self {
            collector: Collector::new(registry.clone(), settings.policy),
            settings,
            items: Arc::clone(&storage.items),
            files: Arc::clone(&storage.objects),
            service: Service::guarded(access),
        }
    }

    /// Answers a request of whoever holds the data folder.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let answered = async {
            if request.method() != Method::POST {
                bail!("only POST is possible here");
            }
            let body = request.into_body().collect().await.map_err(anyhow::Error::from_boxed)?.to_bytes();
            self.do_task(serde_json::from_slice(&body)?).await
        };
        let (status, body) = match answered.await {
            Ok(body) => (StatusCode::OK, body),
            Err(error) => (StatusCode::BAD_REQUEST, json!({ "detail": format!("{error:#}") })),
        };
        let body = Full::new(Bytes::from(body.to_string())).map_err(|never| match never {}).boxed_unsync();
        let mut response = Response::new(body);
        *response.status_mut() = status;
        let json = http::HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        response
    }

    async fn do_task(&self, task: Task) -> Result<Value> {
        match task {
            Task::Waiting => Ok(json!({ "waiting": self.collector.waiting().await? })),
            Task::Rehearse => Ok(serde_json::to_value(self.collector.rehearse(&Budget::ALL, None).await)?),
            Task::Collect { from } => {
                let report = self.collector.run(&SLICE, from).await;
                if report.next.is_none() {
                    self.empty_trash().await;
                }
                Ok(serde_json::to_value(report)?)
            }
            Task::Undelete { repository, digest } => self.undelete(&repository, &digest).await,
        }
    }

    /// Pushes the blob from the trash as any client would.
    async fn undelete(&self, repository: &RepositoryName, digest: &Digest) -> Result<Value> {
        let (size_bytes, bytes) =
            self.files.read_trashed(digest)?.with_context(|| {
                format!("{digest} is not in the trash; a blob gets there an hour after it was collected, with `slipway gc` or by itself")
            })?;
        let frames = bytes.map(|piece| Ok(http_body::Frame::data(piece?)));
        let body = http_body_util::StreamBody::new(frames).boxed_unsync();
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let response = self.service.handle(Request::post(path).body(body)?).await;
        match response.status() {
            StatusCode::CREATED => Ok(json!({ "size_bytes": size_bytes })),
            status => bail!("the registry answered {status}"),
        }
    }

    /// Collects what is due, a slice after the other, so that others have their turn in between.
    async fn collect(&self) {
        let (mut total, mut from) = (Total::default(), None);
        loop {
            let report = self.collector.run(&SLICE, from).await;
            from = report.next;
            total.add(&report);
            if let Some(error) = &report.error {
                tracing::warn!(error, "the collection of garbage ended early");
            }
            if from.is_none() || report.error.is_some() {
                return total.log();
            }
            total.log_progress();
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Collects by the clock, until the server ends. Stopping it anywhere is fine.
    pub(crate) async fn run(self, every: Duration) {
        let mut expired = None;
        loop {
            tokio::time::sleep(every).await;
            self.collect().await;
            self.empty_trash().await;
            if expired.is_none_or(|at: tokio::time::Instant| at.elapsed() >= EXPIRY) {
                expired = Some(tokio::time::Instant::now());
                self.expire().await;
            }
        }
    }

    async fn expire(&self) {
        match expire(&*self.items, SystemClock.now()).await {
            Ok(0) => {}
            Ok(items) => tracing::info!(items, "expired tokens, log entries and the like are gone"),
            Err(error) => tracing::warn!(error = %error, "what has expired stays for now"),
        }
    }

    /// Throws away for good what was in the trash for long enough.
    async fn empty_trash(&self) {
        let (files, days) = (Arc::clone(&self.files), self.settings.trash_days);
        match tokio::task::spawn_blocking(move || files.empty_trash(days)).await {
            Ok(Ok(emptied)) if emptied.blobs > 0 => {
                tracing::info!(blobs = emptied.blobs, bytes = emptied.size_bytes, "the trash was emptied");
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "the trash stays for now"),
            Err(error) => tracing::warn!(%error, "the trash stays for now"),
        }
    }
}

/// What the slices of a collection have done.
#[derive(Default)]
struct Total {
    slices: u64,
    suspects: u64,
    gone: u64,
    gone_bytes: u64,
    freed_bytes: u64,
    failures: u64,
}

impl Total {
    fn add(&mut self, report: &Report) {
        for gone in &report.gone {
            tracing::debug!(kind = ?gone.kind, what = gone.what, why = %gone.why, bytes = gone.size_bytes, "collected");
        }
        self.slices += 1;
        self.suspects += report.suspects;
        self.gone += report.gone.len() as u64;
        self.gone_bytes += report.gone_bytes();
        self.freed_bytes += report.freed_bytes;
        self.failures += report.failures.len() as u64;
    }

    fn log_progress(&self) {
        const SLICES: u64 = 100;
        if self.slices.is_multiple_of(SLICES) {
            tracing::info!(looked_at = self.suspects, gone = self.gone, "garbage is being collected");
        }
    }

    fn log(&self) {
        let Self { suspects, gone, gone_bytes, freed_bytes, failures, .. } = self;
        match (*gone, *freed_bytes, *failures) {
            (0, 0, 0) => tracing::debug!(looked_at = suspects, "no garbage"),
            _ => tracing::info!(
                looked_at = suspects,
                gone,
                gone_bytes,
                freed_bytes,
                failures,
                "collected garbage"
            ),
        }
    }
}
