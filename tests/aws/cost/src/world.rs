//! The registry on the real adapters, before stand-ins that count.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use aws::environment::{Backend, Environment};
use aws::{Clients, DynamoDb, Presigned, S3, Settings};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use dynamodb_standin::DynamoDbStandin;
use registry::ports::Abilities;
use registry::testing::{SeededRandom, SetClock};
use registry::{Lifetimes, Registry, Stores};
use s3_standin::{ObjectCreated, S3Standin};
use tokio::sync::broadcast::Receiver;

use crate::meter::Meter;
use crate::usage::Usage;

/// The bucket of the stand-in.
pub(crate) const BUCKET: &str = "standin";
const TABLE: &str = "slipway";

/// A table, a bucket, and what counts their calls.
pub(crate) struct World {
    pub(crate) dynamodb: DynamoDbStandin,
    pub(crate) s3: S3Standin,
    pub(crate) items: DynamoDb,
    pub(crate) objects: S3,
    created: Receiver<ObjectCreated>,
    meter: Meter,
    random: Arc<SeededRandom>,
}

impl World {
    /// Returns an empty one.
    pub(crate) async fn new() -> Result<Self> {
        let dynamodb = DynamoDbStandin::start(dynamodb_standin::Options::default()).await;
        dynamodb.create_table(TABLE);
        let keys = dynamodb.credentials();
        let s3 = S3Standin::start(s3_standin::Options {
            access_key: keys.access_key_id.clone(),
            secret_key: keys.secret_access_key.clone(),
            ..s3_standin::Options::default()
        })
        .await?;
        let settings = Settings {
            dynamodb_endpoint: Some(dynamodb.endpoint()),
            s3_endpoint: Some(s3.endpoint()),
            is_path_style: true,
            ..Settings::default()
        };
        let (meter, clients) = (Meter::default(), Clients::new(&config(&dynamodb), &settings));
        let metered = clients.dynamodb.config().to_builder().interceptor(meter.clone()).build();
        let items = DynamoDb::new(aws_sdk_dynamodb::Client::from_conf(metered), TABLE);
        let objects = S3::new(clients.s3, BUCKET);
        let (created, random) = (s3.events(), Arc::new(SeededRandom::new(1)));
        Ok(Self { dynamodb, s3, items, objects, created, meter, random })
    }

    /// Returns the registry as a process that has just started: nothing is remembered.
    pub(crate) fn registry(&self) -> Registry {
        self.registry_later(Duration::ZERO)
    }

    /// Returns it as it is that much later.
    pub(crate) fn registry_later(&self, later: Duration) -> Registry {
        let clock = SetClock::default();
        clock.advance(later);
        let presigned = Arc::new(Presigned::new(self.objects.clone()));
        let stores = Stores {
            items: Arc::new(self.items.clone()),
            objects: Arc::new(self.objects.clone()),
            clock: Arc::new(clock),
            random: self.random.clone(),
            abilities: Abilities {
                downloads: Some(presigned.clone()),
                uploads: Some(presigned),
                copies: Some(Arc::new(self.objects.clone())),
                trash: None,
                leaves_garbage: true,
            },
        };
        Registry::new(stores, Lifetimes::default())
    }

    /// Returns the stores as the functions have them that the clock starts.
    pub(crate) fn backend(&self) -> Result<Backend> {
        let names = [("SLIPWAY_TABLE", TABLE), ("SLIPWAY_BUCKET", BUCKET)];
        let set =
            |name: &str| names.iter().find(|(set, _)| *set == name).map(|(_, value)| (*value).to_owned());
        let mut backend = Environment::from(set)?.backend(&config(&self.dynamodb));
        (backend.items, backend.objects) = (self.items.clone(), self.objects.clone());
        Ok(backend)
    }

    /// Adds to `usage` what the stores were asked since the last time.
    pub(crate) fn take_calls(&mut self, usage: &mut Usage) -> Result<()> {
        let units = self.meter.take();
        let calls = self.dynamodb.calls().total();
        ensure!(units.calls == calls, "{calls} calls of DynamoDB, but {} were metered", units.calls);
        self.dynamodb.calls().reset();
        usage.item_calls += calls;
        usage.read_units += units.read;
        usage.write_units += units.write;
        for (operation, calls) in self.s3.calls().counts() {
            ensure!(usage.add_s3(&operation, u32::try_from(calls)?), "what does {operation} cost?");
        }
        self.s3.calls().reset();
        while let Ok(object) = self.created.try_recv() {
            match object.key.split('/').next() {
                Some("uploads") => usage.upload_bytes += object.size_bytes,
                Some("tails") => usage.tail_bytes += object.size_bytes,
                _ => {}
            }
        }
        Ok(())
    }
}

fn config(dynamodb: &DynamoDbStandin) -> SdkConfig {
    let keys = dynamodb.credentials();
    let keys = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "stand-in");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(dynamodb.region().to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .build()
}
