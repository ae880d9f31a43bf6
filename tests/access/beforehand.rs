//! The data folder while no server has it: what is prepared there, and what is stored.
//!
//! The accounts and uploads are made some minutes ago, so that what expires in minutes has done so when the server
//! starts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use embedded::{Files, Items};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use registry::access::{Access, AccessOptions, KeyRing};
use registry::http::Service;
use registry::ports::{Abilities, Clock, ItemScan, ObjectScan, SystemClock, SystemRandom, Timestamp};
use registry::testing::SetClock;
use registry::{Lifetimes, Registry, Stores};
use test_support::access::{Answer, Ask, Cast, texts_of_stored};

/// What the server calls itself in tokens.
const SERVICE: &str = "slipway";

/// By how much a cast turns the clock.
const TURNED: Duration = Duration::from_secs(5 * 60 + 1 + 5);

/// The registry of the folder, some minutes ago.
struct Before {
    service: Service,
    clock: Arc<SetClock>,
}

impl Ask for Before {
    async fn ask(&self, request: Request<Bytes>) -> Answer {
        let body = |bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync();
        let (head, body) = self.service.handle(request.map(body)).await.into_parts();
        Response::from_parts(head, body.collect().await.unwrap().to_bytes())
    }

    fn turn(&self, by: Duration) -> bool {
        self.clock.advance(by);
        true
    }

    async fn stored(&self) -> Option<Vec<String>> {
        None
    }
}

/// Makes everybody and everything in the folder of a server that has made its keys and its first administrator.
pub(crate) async fn prepare(data: &Path) -> Cast {
    let now_ms = SystemClock.now().as_millis();
    let then = Timestamp::from_millis(now_ms - u64::try_from(TURNED.as_millis()).unwrap());
    let clock = Arc::new(SetClock::at(then));
    let stores = Stores {
        items: Arc::new(Items::open(data).unwrap()),
        objects: Arc::new(Files::open(data).unwrap()),
        clock: Arc::clone(&clock) as _,
        random: Arc::new(SystemRandom),
        abilities: Abilities::default(),
    };
    let registry = Registry::new(stores, Lifetimes::default());
    let options = AccessOptions { notes_use: true, ..AccessOptions::default() };
    let access = Access::new(registry, keys(data), options, None);
    let before = Before { service: Service::guarded(access.clone()), clock };
    Cast::make(&access, &before).await
}

/// Reads the file in which the server keeps what it signs with.
fn keys(data: &Path) -> KeyRing {
    let text = std::fs::read_to_string(data.join("keys")).unwrap();
    KeyRing::new(SERVICE, &hex::decode(text.trim()).unwrap(), &[])
}

/// Returns what is stored, as far as refusals must not change it.
pub(crate) async fn stored(data: &Path) -> Vec<String> {
    let items = Items::open(data).unwrap().scan(None, usize::MAX).await.unwrap();
    texts_of_stored(&items, &Files::open(data).unwrap().scan().await.unwrap())
}
