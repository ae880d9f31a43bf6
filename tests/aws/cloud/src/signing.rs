//! URLs as the functions sign them, but of any object and any time.

use std::time::{Duration, SystemTime};

use anyhow::Result;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::{Client, Config};
use dynamodb_standin::Credentials as Keys;

/// Who signs, and for which bucket.
pub(crate) struct Signer {
    client: Client,
    bucket: &'static str,
}

impl Signer {
    pub(crate) fn new(endpoint: &str, region: &str, keys: Keys, bucket: &'static str) -> Self {
        let Keys { access_key_id, secret_access_key, session_token } = keys;
        let keys = Credentials::new(access_key_id, secret_access_key, session_token, None, "cloud");
        let config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(region.to_owned()))
            .credentials_provider(keys)
            .endpoint_url(endpoint)
            .force_path_style(true);
        Self { client: Client::from_conf(config.build()), bucket }
    }

    pub(crate) async fn put(&self, key: &str, began: SystemTime, lifetime: Duration) -> Result<String> {
        let put = self.client.put_object().bucket(self.bucket).key(key);
        Ok(put.presigned(config(began, lifetime)?).await?.uri().to_owned())
    }

    pub(crate) async fn get(&self, key: &str, began: SystemTime, lifetime: Duration) -> Result<String> {
        let get = self.client.get_object().bucket(self.bucket).key(key);
        Ok(get.presigned(config(began, lifetime)?).await?.uri().to_owned())
    }
}

fn config(began: SystemTime, lifetime: Duration) -> Result<PresigningConfig> {
    Ok(PresigningConfig::builder().start_time(began).expires_in(lifetime).build()?)
}
