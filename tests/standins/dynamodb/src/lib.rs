//! A DynamoDB for tests, in memory, spoken to by the real clients over HTTP.
//!
//! The engine is `dynoxide`; the front before it adds what AWS has and the engine lacks:
//! verified signatures, [faults](Faults), [counted calls](Calls) and a [stream](Stream) of what
//! was written. Not simulated: deletion by TTL, stale reads (every read is consistent), throughput
//! limits other than injected ones, and IAM policies.

mod answer;
mod batch;
mod calls;
mod engine;
mod faults;
mod front;
mod lock;
mod query_keys;
mod signature;
mod stream;
mod target;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;

use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

pub use calls::{Calls, Count};
pub use faults::{Fault, Faults};
pub use signature::Credentials;
pub use stream::{EventName, Stream, StreamRecord, lambda_event};

use engine::Engine;
use front::Front;
use signature::Verifier;

/// Where a stand-in listens and whose signatures it takes.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address to listen on; port 0 takes a free one.
    pub address: SocketAddr,
    /// The region that requests must be signed for.
    pub region: String,
    /// The only credentials that it knows.
    pub credentials: Credentials,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            region: "eu-central-1".to_owned(),
            credentials: Credentials::default(),
        }
    }
}

/// A running DynamoDB without tables; it and everything in it ends when dropped.
pub struct DynamoDbStandin {
    options: Options,
    front: Arc<Front>,
    /// Its own threads, so that a test that blocks its runtime does not block the database.
    runtime: Option<Runtime>,
}

impl DynamoDbStandin {
    /// Starts an empty database; when this returns, it listens.
    ///
    /// # Panics
    /// When the address cannot be had.
    pub async fn start(mut options: Options) -> Self {
        let listener = listen(options.address);
        options.address = listener.local_addr().expect("a listener has an address");
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("threads can be started");
        let engine = runtime.spawn(Engine::start()).await.expect("the engine starts");
        let verifier = Verifier::new(options.credentials.clone(), options.region.clone());
        let front = Arc::new(Front::new(verifier, engine));
        runtime.spawn(Arc::clone(&front).listen(listener));
        Self { options, front, runtime: Some(runtime) }
    }

    /// Returns the URL for the client's `endpoint_url`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.options.address)
    }

    /// Returns the region that requests must be signed for.
    pub fn region(&self) -> &str {
        &self.options.region
    }

    /// Returns the credentials that requests must be signed with.
    pub fn credentials(&self) -> &Credentials {
        &self.options.credentials
    }

    /// Creates a table with the keys `pk` and `sk`, both strings.
    ///
    /// # Panics
    /// When the name is taken or not allowed.
    pub fn create_table(&self, name: &str) {
        self.front.engine().create_table(name);
    }

    /// Creates a table with the items of another one, from then on each on its own.
    ///
    /// No call is counted for it, and the stream has nothing of it.
    ///
    /// # Panics
    /// When there is no table `from`, or the name `to` is taken.
    pub fn copy_table(&self, from: &str, to: &str) {
        self.create_table(to);
        let engine = self.front.engine();
        engine.fill(to, engine.items(from));
    }

    /// Returns every item of a table as DynamoDB JSON, in no order; no call is counted for it.
    ///
    /// # Panics
    /// When there is no such table.
    pub fn items(&self, table: &str) -> Vec<Value> {
        let items = self.front.engine().items(table);
        items.iter().map(|item| serde_json::to_value(item).expect("an item is JSON")).collect()
    }

    /// Returns the counted calls.
    pub fn calls(&self) -> &Calls {
        self.front.calls()
    }

    /// Returns the faults to come.
    pub fn faults(&self) -> &Faults {
        self.front.faults()
    }

    /// Returns what was written to tables that have a stream.
    pub fn stream(&self) -> &Stream {
        self.front.stream()
    }
}

impl Drop for DynamoDbStandin {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn listen(address: SocketAddr) -> TcpListener {
    let listener = TcpListener::bind(address);
    let listener = listener.unwrap_or_else(|error| panic!("cannot listen on {address}: {error}"));
    listener.set_nonblocking(true).expect("a listener can be made not to block");
    listener
}
