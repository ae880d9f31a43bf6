//! What is counted: a push by each lane and what the schedules do about it, a pull, an hour of those that find nothing.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use aws::environment::Backend;
use bytes::Bytes;
use http::Method;
use oci::UploadId;
use registry::jobs::garbage_collection::{Budget, Collector, Policy};
use registry::ports::{Clock, Condition, ItemScan, ItemStore, Key, SystemClock, Timestamp, Write};
use registry::testing::SetClock;
use scheduled::{Job, run_at};

use crate::client::{Client, location};
use crate::image::{Blob, Image, MANIFEST_TYPE};
use crate::usage::Usage;
use crate::world::World;

const REPOSITORY: &str = "/v2/team/app";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How often the clock looks for direct uploads.
const RUNS_A_DAY: f64 = 96.0;

/// How the bytes of layers come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// One PUT, through the edge to S3.
    Direct,
    /// Through the API and its function, in chunks.
    Inline,
    /// One PATCH, through the edge to the relay.
    Relay,
}

impl Lane {
    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Inline => "inline",
            Self::Relay => "relay",
        }
    }
}

/// Pushes as the clients of this lane do, with what the functions do afterwards.
pub(crate) async fn push(world: &mut World, image: &Image, lane: Lane, chunk_bytes: usize) -> Result<Usage> {
    let mut client = Client::new(world, lane != Lane::Inline);
    client.ask(Method::GET, "/v2/", 200).await?;
    for blob in &image.blobs {
        client.ask(Method::HEAD, &format!("{REPOSITORY}/blobs/{}", blob.digest), 404).await?;
        let begun = client.ask(Method::POST, &format!("{REPOSITORY}/blobs/uploads/"), 202).await?;
        match lane {
            Lane::Direct => push_direct(world, &mut client, &location(&begun)?, blob).await?,
            Lane::Inline => push_inline(&mut client, &location(&begun)?, blob, chunk_bytes).await?,
            Lane::Relay => push_by_relay(&mut client, &location(&begun)?, blob).await?,
        }
    }
    let manifest = format!("{REPOSITORY}/manifests/v1");
    client.ask(Method::HEAD, &manifest, 404).await?;
    client.api(Method::PUT, &manifest, MANIFEST_TYPE, image.manifest.clone(), 201).await?;
    deliver(world, &mut client.usage).await?;
    world.take_calls(&mut client.usage)?;
    Ok(client.usage)
}

/// The events function takes the upload over as soon as it is there.
async fn push_direct(world: &World, client: &mut Client, location: &str, blob: &Blob) -> Result<()> {
    let (path, query) = location.split_once('?').context("no direct upload was offered")?;
    let id: UploadId = path.rsplit('/').next().unwrap_or_default().parse()?;
    client.put_s3(id.as_str(), query, blob.bytes()).await?;
    let adopted = world.registry().upload_adopt(&id).await?.context("nothing was adopted")?;
    client.usage.adoptions += 1;
    client.usage.copied_bytes += usize::try_from(adopted.size_bytes)?;
    Ok(())
}

/// What fits is one PUT; a longer blob is a PATCH for each chunk, and an empty PUT.
async fn push_inline(client: &mut Client, location: &str, blob: &Blob, chunk_bytes: usize) -> Result<()> {
    let mut bytes = blob.bytes();
    if bytes.len() > chunk_bytes {
        while !bytes.is_empty() {
            let chunk = bytes.split_to(bytes.len().min(chunk_bytes));
            client.api(Method::PATCH, location, "", chunk, 202).await?;
        }
    }
    commit(client, location, blob, bytes).await
}

async fn push_by_relay(client: &mut Client, begun: &str, blob: &Blob) -> Result<()> {
    let appended = client.patch_relay(begun, blob.bytes()).await?;
    commit(client, &location(&appended)?, blob, Bytes::new()).await
}

async fn commit(client: &mut Client, location: &str, blob: &Blob, rest: Bytes) -> Result<()> {
    let target = format!("{location}?digest={}", blob.digest);
    client.api(Method::PUT, &target, "", rest, 201).await.map(drop)
}

/// The events function tells the bus, and takes what it told out of the outbox.
async fn deliver(world: &World, usage: &mut Usage) -> Result<()> {
    for record in world.dynamodb.stream().take() {
        let key = |name: &str| record.keys[name]["S"].as_str().unwrap_or_default().to_owned();
        if record.event_name.as_str() == "INSERT" && key("pk").starts_with("EV#") {
            let told = Write::Delete(Key::new(key("pk"), key("sk")), Condition::Always);
            world.items.transact(vec![told]).await?;
            usage.deliveries += 1;
        }
    }
    Ok(())
}

/// Pulls what was pushed before, from processes that have just started.
pub(crate) async fn pull(world: &mut World, image: &Image) -> Result<Usage> {
    let mut client = Client::new(world, true);
    client.ask(Method::GET, "/v2/", 200).await?;
    client.ask(Method::HEAD, &format!("{REPOSITORY}/manifests/v1"), 200).await?;
    client.ask(Method::GET, &format!("{REPOSITORY}/manifests/{}", image.digest()), 200).await?;
    for blob in &image.blobs {
        let path = format!("{REPOSITORY}/blobs/{}", blob.digest);
        let elsewhere = client.ask(Method::GET, &path, 307).await?;
        client.get_s3(&location(&elsewhere)?).await?;
    }
    world.take_calls(&mut client.usage)?;
    Ok(client.usage)
}

/// Does what the clock starts in an hour, where there is nothing to do: looks for direct uploads whose event was lost
/// four times, and for garbage once.
pub(crate) async fn scheduled(world: &mut World) -> Result<Usage> {
    const ADOPTIONS: u32 = 4;
    let mut usage = Usage { scheduled_runs: ADOPTIONS + 1, ..Usage::default() };
    adopt(&world.backend()?, ADOPTIONS).await?;
    collect(world, Duration::ZERO).await?;
    world.take_calls(&mut usage)?;
    Ok(usage)
}

/// Does what the clock starts for as long as a push is in its way: looks at what has arrived until the bucket removes it
/// after so many days, and for garbage each day until the sessions are forgotten, too.
pub(crate) async fn afterwards(world: &mut World, upload_days: f64) -> Result<Usage> {
    const COLLECTIONS: u32 = 9;
    let mut usage = Usage::default();
    adopt(&world.backend()?, (upload_days * RUNS_A_DAY) as u32).await?;
    for day in 1..=COLLECTIONS {
        collect(world, day * DAY).await?;
    }
    world.take_calls(&mut usage)?;
    Ok(usage)
}

/// Runs the job that often, every 15 minutes from the next minute on.
async fn adopt(backend: &Backend, runs: u32) -> Result<()> {
    const NEVER: Timestamp = Timestamp::from_millis(u64::MAX);
    let first = SystemClock.now().after(Duration::from_secs(60));
    for run in 0..runs {
        let clock = Arc::new(SetClock::at(first.after(run * DAY.div_f64(RUNS_A_DAY))));
        let answer = run_at(backend, Job::Adopt, NEVER, clock).await.map_err(|error| anyhow!(error))?;
        ensure!(answer["failed"] == 0 && answer["adopted"] == 0, "{answer}");
    }
    Ok(())
}

async fn collect(world: &World, later: Duration) -> Result<()> {
    let registry = world.registry_later(later);
    let collected = Collector::new(registry, Policy::default()).run(&Budget::ALL, None).await;
    ensure!(collected.error.is_none() && collected.failures.is_empty(), "{collected:?}");
    Ok(())
}

/// Returns the size of the table, to 4 KB: that is a read unit of a scan.
pub(crate) async fn table_bytes(world: &mut World) -> Result<f64> {
    let mut usage = Usage::default();
    world.items.scan(None, usize::MAX).await?;
    world.take_calls(&mut usage)?;
    Ok(usage.read_units * 4096.0)
}
