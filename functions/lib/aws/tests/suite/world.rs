//! A table and a bucket of their own for each test.

use std::sync::Arc;

use aws::{Clients, DynamoDb, S3, Settings};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use dynamodb_standin::DynamoDbStandin;
use s3_standin::S3Standin;

const BUCKET: &str = "standin";
const TABLE: &str = "slipway";

/// Both stand-ins, and the adapters on them.
pub(crate) struct World {
    pub(crate) dynamodb: DynamoDbStandin,
    pub(crate) s3: S3Standin,
    pub(crate) items: Arc<DynamoDb>,
    pub(crate) objects: Arc<S3>,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(s3_standin::Options::default()).await
    }

    pub(crate) async fn with(options: s3_standin::Options) -> Self {
        let dynamodb = DynamoDbStandin::start(dynamodb_standin::Options::default()).await;
        dynamodb.create_table(TABLE);
        let keys = (options.access_key.clone(), options.secret_key.clone());
        let s3 = S3Standin::start(options).await.unwrap();
        let settings = Settings {
            table: TABLE.to_owned(),
            bucket: BUCKET.to_owned(),
            dynamodb_endpoint: Some(dynamodb.endpoint()),
            s3_endpoint: Some(s3.endpoint()),
            is_path_style: true,
        };
        let own = dynamodb.credentials();
        let dynamodb_keys = (own.access_key_id.clone(), own.secret_access_key.clone());
        let items = Clients::new(&config(dynamodb_keys, dynamodb.region()), &settings).dynamodb;
        let objects = Clients::new(&config(keys, dynamodb.region()), &settings).s3;
        let items = Arc::new(DynamoDb::new(items, TABLE));
        let objects = Arc::new(S3::new(objects, BUCKET));
        Self { dynamodb, s3, items, objects }
    }
}

fn config((id, secret): (String, String), region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            id, secret, None, None, "tests",
        )))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .sleep_impl(aws_sdk_s3::config::SharedAsyncSleep::new(TokioSleep))
        .build()
}

#[derive(Debug)]
struct TokioSleep;

impl aws_sdk_s3::config::AsyncSleep for TokioSleep {
    fn sleep(&self, duration: std::time::Duration) -> aws_sdk_s3::config::Sleep {
        aws_sdk_s3::config::Sleep::new(tokio::time::sleep(duration))
    }
}
