//! A table and a bucket of their own for each test.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use aws::{Clients, DynamoDb, S3, Settings};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::{AsyncSleep, Credentials, SharedAsyncSleep, SharedCredentialsProvider, Sleep};
use aws_smithy_async::time::SharedTimeSource;
use dynamodb_standin::DynamoDbStandin;
use registry::ports::Key;
use s3_standin::S3Standin;

const BUCKET: &str = "standin";
const TABLE: &str = "slipway";

/// The adapters on a table and a bucket.
pub(crate) struct Stores {
    pub(crate) items: Arc<DynamoDb>,
    pub(crate) objects: Arc<S3>,
    /// Where clients find the bucket.
    pub(crate) bucket_url: String,
}

/// Both stand-ins, and the adapters on them.
pub(crate) struct World {
    pub(crate) dynamodb: DynamoDbStandin,
    pub(crate) s3: S3Standin,
    stores: Stores,
    operator: aws_sdk_s3::Client,
}

impl Deref for World {
    type Target = Stores;

    fn deref(&self) -> &Stores {
        &self.stores
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(s3_standin::Options::default()).await
    }

    pub(crate) async fn with(options: s3_standin::Options) -> Self {
        Self::with_sleep(options, SharedAsyncSleep::new(TokioSleep)).await
    }

    /// Returns a world in which the adapter's waits between two attempts pass at once.
    pub(crate) async fn hasty() -> Self {
        Self::with_sleep(s3_standin::Options::default(), SharedAsyncSleep::new(HastySleep)).await
    }

    async fn with_sleep(options: s3_standin::Options, sleep: SharedAsyncSleep) -> Self {
        let dynamodb = DynamoDbStandin::start(dynamodb_standin::Options::default()).await;
        dynamodb.create_table(TABLE);
        let token = options.session_token.clone();
        let keys = Credentials::new(&options.access_key, &options.secret_key, token, None, "tests");
        let s3 = S3Standin::start(options).await.unwrap();
        let items = Arc::new(items(&dynamodb, SharedTimeSource::default()));
        let settings = Settings { s3_endpoint: Some(s3.endpoint()), ..settings() };
        let config = config(keys, dynamodb.region(), SharedTimeSource::default());
        let config = config.into_builder().sleep_impl(sleep).build();
        let operator = Clients::new(&config, &settings).s3;
        let objects = Arc::new(S3::new(operator.clone(), BUCKET));
        let stores = Stores { items, objects, bucket_url: format!("{}/{BUCKET}", s3.endpoint()) };
        Self { dynamodb, s3, stores, operator }
    }

    /// Returns a client of the bucket, as an operator has one.
    pub(crate) fn s3_client(&self) -> aws_sdk_s3::Client {
        self.operator.clone()
    }

    /// Writes a row as a newer version of the program has it, in place of what is there.
    pub(crate) async fn write_newer(&self, key: &Key) {
        let client = dynamodb(&self.dynamodb, SharedTimeSource::default());
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let put = client.put_item().table_name(TABLE).item("pk", text(&key.pk)).item("sk", text(&key.sk));
        let put = put.item("format", AttributeValue::N("99".to_owned())).item("version", text("newer"));
        put.item("record", text("newer")).send().await.unwrap();
    }

    /// Returns the items as another process has them, whose clock shows this time.
    pub(crate) fn items_at(&self, time: SharedTimeSource) -> DynamoDb {
        items(&self.dynamodb, time)
    }
}

fn settings() -> Settings {
    let (table, bucket) = (TABLE.to_owned(), BUCKET.to_owned());
    Settings { table, bucket, is_path_style: true, ..Settings::default() }
}

fn items(standin: &DynamoDbStandin, time: SharedTimeSource) -> DynamoDb {
    DynamoDb::new(dynamodb(standin, time), TABLE)
}

fn dynamodb(standin: &DynamoDbStandin, time: SharedTimeSource) -> aws_sdk_dynamodb::Client {
    let own = standin.credentials();
    let keys = Credentials::new(&own.access_key_id, &own.secret_access_key, None, None, "tests");
    let config = config(keys, standin.region(), time);
    let settings = Settings { dynamodb_endpoint: Some(standin.endpoint()), ..settings() };
    Clients::new(&config, &settings).dynamodb
}

/// Returns what the clients of both services share.
pub(crate) fn config(keys: Credentials, region: &str, time: SharedTimeSource) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(keys))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep))
        .time_source(time)
        .build()
}

#[derive(Debug)]
struct TokioSleep;

impl AsyncSleep for TokioSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(tokio::time::sleep(duration))
    }
}

#[derive(Debug)]
struct HastySleep;

impl AsyncSleep for HastySleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        // No wait between two attempts is longer; what is longer is a timeout.
        const LONGEST_WAIT: Duration = Duration::from_secs(2);
        match duration > LONGEST_WAIT {
            true => TokioSleep.sleep(duration),
            false => Sleep::new(tokio::task::yield_now()),
        }
    }
}
