//! The listener, and what a test holds of it.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::auth::SimpleAuth;
use s3s::host::SingleDomain;
use s3s::service::{S3Service, S3ServiceBuilder};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::{JoinHandle, JoinSet};

use crate::calls::Calls;
use crate::events::{Delivery, Events, ObjectCreated};
use crate::faults::Faults;
use crate::gate::{Access, Gate};
use crate::guard::Guard;
use crate::service::Backend;
use crate::store::{Bucket, Store};

/// How a stand-in is to be; the default is S3 as it is, with one bucket, on a free loopback port.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Buckets that exist from the start.
    pub buckets: Vec<String>,
    /// The one access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Makes the key a temporary one: requests and presigned URLs must then carry this token.
    pub session_token: Option<String>,
    /// A domain whose subdomains are buckets; requests to an IP address remain path style.
    pub virtual_host_domain: Option<String>,
    /// Whether copies have a checksum; most other S3-compatible stores give none.
    pub copy_checksum: bool,
    /// The largest source of a copy: 5 GiB, as on S3.
    pub copy_limit_bytes: u64,
    /// Whether a second, equal `CompleteMultipartUpload` gets the first one's answer, as on S3; otherwise it gets
    /// `NoSuchUpload`, as on `MinIO`.
    pub repeat_complete: bool,
    /// Whether the first buckets keep versions of their objects.
    pub has_versions: bool,
    /// Whether `CloudFront`'s own `x-amz-cf-id`, unsigned, makes a request refused.
    pub refuse_cf_id: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            buckets: vec!["standin".to_owned()],
            access_key: "AKIDSTANDIN".to_owned(),
            secret_key: "standin-secret".to_owned(),
            session_token: None,
            virtual_host_domain: None,
            copy_checksum: true,
            copy_limit_bytes: 5 << 30,
            repeat_complete: true,
            has_versions: false,
            refuse_cf_id: false,
        }
    }
}

/// A running stand-in; it stops, and its bytes go, when it is dropped.
pub struct S3Standin {
    address: SocketAddr,
    store: Arc<Store>,
    calls: Arc<Calls>,
    faults: Arc<Faults>,
    events: Arc<Events>,
    accepting: JoinHandle<()>,
}

impl S3Standin {
    /// Starts to listen, on the runtime that calls.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind(options.listen).await?;
        let address = listener.local_addr()?;
        let (calls, faults) = (Arc::new(Calls::default()), Arc::new(Faults::default()));
        let events = Arc::new(Events::new());
        let store = Arc::new(Store::new(TempDir::with_prefix("s3-standin-")?, events.clone()));
        let history = options.has_versions.then(BTreeMap::new);
        let bucket = Bucket { history, ..Bucket::default() };
        store.buckets().extend(options.buckets.iter().map(|name| (name.clone(), bucket.clone())));
        let access = Access { calls: calls.clone(), faults: faults.clone() };
        let service = service(&options, store.clone(), access)?;
        let guard = Guard { session_token: options.session_token, refuse_cf_id: options.refuse_cf_id };
        let gate = Arc::new(Gate { guard, service, calls: calls.clone() });
        let accepting = tokio::spawn(accept(listener, gate));
        Ok(Self { address, store, calls, faults, events, accepting })
    }

    /// The URL to give to clients, for path-style requests.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes a bucket with the objects and uploads of another one, from then on each on its own; bytes are shared.
    ///
    /// No call is counted for it, and there are no events.
    ///
    /// # Panics
    /// When there is no bucket `from`.
    pub fn copy_bucket(&self, from: &str, to: &str) {
        let mut buckets = self.store.buckets();
        let copy = buckets.get(from).cloned().unwrap_or_else(|| panic!("there is no bucket {from}"));
        buckets.insert(to.to_owned(), copy);
    }

    /// What has been asked of it.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// What is to go wrong.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The events of all objects created from now on.
    pub fn events(&self) -> broadcast::Receiver<ObjectCreated> {
        self.events.subscribe()
    }

    /// Changes how events are delivered.
    pub fn deliver(&self, delivery: Delivery) {
        self.events.deliver(delivery);
    }
}

impl Drop for S3Standin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn service(options: &Options, store: Arc<Store>, access: Access) -> io::Result<S3Service> {
    let mut builder = S3ServiceBuilder::new(Backend {
        store,
        copy_checksum: options.copy_checksum,
        copy_limit_bytes: options.copy_limit_bytes,
        repeat_complete: options.repeat_complete,
    });
    builder.set_auth(SimpleAuth::from_single(&options.access_key, options.secret_key.as_str()));
    builder.set_access(access);
    if let Some(domain) = &options.virtual_host_domain {
        builder.set_host(SingleDomain::new(domain).map_err(io::Error::other)?);
    }
    Ok(builder.build())
}

async fn accept(listener: TcpListener, gate: Arc<Gate>) {
    // The connections end with this set.
    let mut connections = JoinSet::new();
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            connections.spawn(serve(stream, gate.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, gate: Arc<Gate>) {
    // Without it, small answers wait for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let answer = service_fn(move |request| {
        let gate = gate.clone();
        async move { gate.answer(request).await }
    });
    // An error here is a client that left or a planned cut; whoever waits for the answer sees it.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}
