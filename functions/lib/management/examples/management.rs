//! A registry with its management API on stores in memory, for tools that test it over the network.
//!
//! `management PASSWORD` makes the administrator `admin` with that password, says on standard output where it listens,
//! and ends with SIGTERM.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use management::Management;
use registry::access::{Access, AccessOptions, KeyRing};
use registry::http::{Body, Service};
use registry::ports::{Abilities, Random, SystemClock, SystemRandom};
use registry::testing::{MemoryItems, MemoryObjects};
use registry::{Lifetimes, Registry, Stores};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let password = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: management PASSWORD"))?;
    let access = access();
    let made = access.first_administrator_create(&password.into()).await;
    made.map_err(io::Error::other)?;
    let (management, service) = (Management::new(access.clone()), Service::guarded(access));
    let stop = server::stop_signal()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    let answer = move |request| {
        let (management, service) = (management.clone(), service.clone());
        async move { answer(&management, &service, request).await }
    };
    let second = Duration::from_secs(1);
    let patience = server::Patience { head: 10 * second, silence: 10 * second, stop: second };
    server::serve(listener, answer, patience, stop).await;
    Ok(())
}

async fn answer(management: &Management, service: &Service, request: Request<Body>) -> Response<Body> {
    if request.uri().path().starts_with("/api/") {
        return management.handle(request).await;
    }
    service.handle(request).await
}

fn access() -> Access {
    let stores = Stores {
        items: Arc::new(MemoryItems::default()),
        objects: Arc::new(MemoryObjects::default()),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        abilities: Abilities::default(),
    };
    let keys = KeyRing::new("slipway", &SystemRandom.bits().to_ne_bytes().repeat(2), &[]);
    Access::new(Registry::new(stores, Lifetimes::default()), keys, AccessOptions::default(), None)
}
