//! From settings to clients.

use std::time::Duration;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::meta::region::ProvideRegion;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_s3::config::retry::{RetryPartition, TokenBucket};
use aws_sdk_s3::config::{RequestChecksumCalculation, ResponseChecksumValidation};
use aws_sdk_s3::config::{SharedCredentialsProvider, SharedHttpClient};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};

/// How often the SDK makes a call before it gives up: between two attempts it waits longer each time, with jitter.
const ATTEMPTS: u32 = 4;

/// How long it waits before the second attempt, at most; a client is waiting too.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// How long it waits before any attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// How much of the SDK's quota of retries comes back each second; all of it is 500, and a retry costs 5 or 10.
///
/// By itself it comes back only by calls that succeed, 1 by each. After a bad minute a function that serves one request
/// at a time would show its clients every single fault for a hundred calls.
const QUOTA_PER_SECOND: f32 = 10.0;

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long DynamoDB may take for an answer; it is usually there in milliseconds.
const ITEMS_TIMEOUT: Duration = Duration::from_secs(5);

/// How long S3 may take for an answer; a function that serves requests ends after 29 s.
const OBJECTS_TIMEOUT: Duration = Duration::from_secs(8);

/// How long S3 may take to copy: 5 GB are answered when they are done.
pub(crate) const COPY_TIMEOUT: Duration = Duration::from_secs(300);

/// How long S3 may take to put parts together, all attempts in all: the client is waiting.
pub(crate) const COMPLETION_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the configuration for the completion of an upload.
pub(crate) fn completing() -> aws_sdk_s3::config::Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(COMPLETION_TIMEOUT)
        .operation_timeout(COMPLETION_TIMEOUT);
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts.build())
}

/// Returns the configuration for copies of whole uploads.
pub(crate) fn patient() -> aws_sdk_s3::config::Builder {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(COPY_TIMEOUT);
    aws_sdk_s3::config::Builder::new().timeout_config(timeouts.build())
}

/// Where table and bucket are.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The DynamoDB table.
    pub table: String,
    /// The S3 bucket.
    pub bucket: String,
    /// Where DynamoDB is, if not at AWS.
    pub dynamodb_endpoint: Option<String>,
    /// Where S3 is, if not at AWS. Signed URLs carry this host, so clients have to reach it by the same name.
    pub s3_endpoint: Option<String>,
    /// Whether the bucket is part of the path instead of the host name.
    pub is_path_style: bool,
}

/// Clients of both services. Cloning them is cheap.
#[derive(Clone, Debug)]
pub struct Clients {
    /// DynamoDB.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// S3.
    pub s3: aws_sdk_s3::Client,
}

/// Returns what all clients of the API's functions share, and of the clock's. Region and credentials are in their
/// environment; the other places that [`sdk_config`] knows are of no use there, and make a program larger by a tenth.
pub async fn function_config() -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client())
        .region(EnvironmentVariableRegionProvider::new().region().await)
        .credentials_provider(SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()))
        .build()
}

/// Returns what all clients share elsewhere; region, credentials and endpoints come from where AWS programs expect them.
pub async fn sdk_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest()).http_client(http_client()).load().await
}

fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc)).build_https()
}

fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_WAIT)
        .with_max_backoff(LONGEST_WAIT)
}

/// Returns a quota of retries that no other client shares.
fn quota() -> RetryPartition {
    let bucket = TokenBucket::builder().refill_rate(QUOTA_PER_SECOND).build();
    RetryPartition::custom("slipway").token_bucket(bucket).build()
}

impl Clients {
    /// Makes clients.
    pub fn new(shared: &SdkConfig, settings: &Settings) -> Self {
        Self { dynamodb: dynamodb(shared, settings), s3: s3(shared, settings) }
    }
}

/// Returns a client of Secrets Manager.
pub(crate) fn secrets_client(shared: &SdkConfig, endpoint: Option<&str>) -> aws_sdk_secretsmanager::Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ITEMS_TIMEOUT);
    let mut config = aws_sdk_secretsmanager::config::Builder::from(shared)
        .retry_config(retries())
        .timeout_config(timeouts.build());
    if let Some(endpoint) = endpoint {
        config = config.endpoint_url(endpoint);
    }
    aws_sdk_secretsmanager::Client::from_conf(config.build())
}

fn dynamodb(shared: &SdkConfig, settings: &Settings) -> aws_sdk_dynamodb::Client {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ITEMS_TIMEOUT);
    let mut config = aws_sdk_dynamodb::config::Builder::from(shared)
        .retry_config(retries())
        .retry_partition(quota())
        .timeout_config(timeouts.build());
    if let Some(endpoint) = &settings.dynamodb_endpoint {
        config = config.endpoint_url(endpoint);
    }
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

fn s3(shared: &SdkConfig, settings: &Settings) -> aws_sdk_s3::Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(OBJECTS_TIMEOUT);
    let mut config = aws_sdk_s3::config::Builder::from(shared)
        .retry_config(retries())
        .retry_partition(quota())
        .timeout_config(timeouts.build())
        .force_path_style(settings.is_path_style)
        // Signed URLs must not demand headers that no client sends; bytes are covered by the signature itself.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired);
    if let Some(endpoint) = &settings.s3_endpoint {
        config = config.endpoint_url(endpoint);
    }
    aws_sdk_s3::Client::from_conf(config.build())
}
