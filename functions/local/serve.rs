//! The registry as a server.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use registry::http::Service;
use server::Patience;
use tokio::net::TcpListener;

use crate::settings::Settings;
use crate::storage::{Storage, forget_address, note_address};

/// Clients come by themselves, and whoever stops the server waits for it.
const PATIENCE: Patience =
    Patience { head: Duration::from_secs(30), silence: Duration::from_secs(60), stop: Duration::ZERO };

/// Serves until a signal comes; then the requests under way end, and uploads keep what has arrived.
pub(crate) async fn serve(settings: &Settings) -> Result<()> {
    let storage = Storage::open(&settings.data)?;
    let service = Service::new(storage.registry());
    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("listen on {}", settings.listen))?;
    let address = listener.local_addr()?;
    let stop = server::stop_signal()?;
    note_address(&settings.data, address)?;
    greet(settings, address);
    let answer = move |request| {
        let service = service.clone();
        async move { service.handle(request).await }
    };
    server::serve(listener, answer, PATIENCE, stop).await;
    forget_address(&settings.data);
    Ok(())
}

fn greet(settings: &Settings, address: SocketAddr) {
    let shown = if address.ip().is_loopback() {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    };
    println!("Slipway {} listens on http://{address}", env!("CARGO_PKG_VERSION"));
    println!("  data      {}", settings.data.display());
    if address.ip().is_loopback() {
        println!("  access    open to everybody on this machine");
    } else {
        println!("  access    OPEN TO EVERYBODY who can reach {address}, unencrypted");
    }
    println!("  try       docker tag IMAGE {shown}/hello && docker push {shown}/hello");
}
