//! A stand-in with one table, and clients for it.

use std::collections::HashMap;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Config, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use dynamodb_standin::{Credentials, DynamoDbStandin, Options};

pub(crate) const TABLE: &str = "slipway";

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A stand-in with the table, and a client that does not repeat anything.
pub(crate) struct World {
    pub(crate) standin: DynamoDbStandin,
    pub(crate) client: Client,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Options::default()).await
    }

    pub(crate) async fn with(options: Options) -> Self {
        let standin = DynamoDbStandin::start(options).await;
        standin.create_table(TABLE);
        let client = Client::from_conf(config(&standin).build());
        Self { standin, client }
    }

    /// Returns a client with a changed configuration.
    pub(crate) fn client_with(&self, change: impl FnOnce(Builder) -> Builder) -> Client {
        Client::from_conf(change(config(&self.standin)).build())
    }

    /// Returns a client that repeats a failed call up to twice, at once.
    pub(crate) fn patient_client(&self) -> Client {
        let retries = RetryConfig::standard().with_max_attempts(3);
        let retries = retries.with_initial_backoff(std::time::Duration::from_millis(1));
        self.client_with(|config| config.retry_config(retries))
    }

    pub(crate) async fn put(&self, item: Item) {
        self.client.put_item().table_name(TABLE).set_item(Some(item)).send().await.unwrap();
    }

    /// Puts one item per sort key into partition `pk`.
    pub(crate) async fn fill(&self, pk: &str, sks: impl IntoIterator<Item = impl AsRef<str>>) {
        for sk in sks {
            self.put(key(pk, sk.as_ref())).await;
        }
    }

    pub(crate) async fn get(&self, pk: &str, sk: &str) -> Option<Item> {
        let get = self.client.get_item().table_name(TABLE).set_key(Some(key(pk, sk)));
        get.consistent_read(true).send().await.unwrap().item
    }

    pub(crate) async fn transact(&self, actions: Vec<TransactWriteItem>) -> Result<(), Refused> {
        let call = self.client.transact_write_items().set_transact_items(Some(actions));
        call.send().await.map(drop).map_err(|error| {
            let code = code(&error);
            let reasons = match error.into_service_error() {
                TransactWriteItemsError::TransactionCanceledException(canceled) => {
                    canceled.cancellation_reasons.unwrap_or_default()
                }
                _ => Vec::new(),
            };
            Refused { code, reasons }
        })
    }
}

/// A refused transaction.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) reasons: Vec<CancellationReason>,
}

impl Refused {
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.reasons.iter().filter_map(|reason| reason.code()).collect()
    }
}

fn config(standin: &DynamoDbStandin) -> Builder {
    Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(standin.region().to_owned()))
        .credentials_provider(provider(standin.credentials()))
        .endpoint_url(standin.endpoint())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .retry_config(RetryConfig::disabled())
}

pub(crate) fn provider(credentials: &Credentials) -> aws_sdk_dynamodb::config::Credentials {
    let Credentials { access_key_id, secret_access_key, session_token } = credentials.clone();
    aws_sdk_dynamodb::config::Credentials::new(access_key_id, secret_access_key, session_token, None, "test")
}

/// Returns the error's name, empty when the service gave none.
pub(crate) fn code(error: &impl ProvideErrorMetadata) -> String {
    error.code().unwrap_or_default().to_owned()
}

pub(crate) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn n(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(crate) fn key(pk: &str, sk: &str) -> Item {
    HashMap::from([("pk".to_owned(), s(pk)), ("sk".to_owned(), s(sk))])
}

/// Returns an item with one more attribute, `value`.
pub(crate) fn item(pk: &str, sk: &str, value: AttributeValue) -> Item {
    let mut item = key(pk, sk);
    item.insert("value".to_owned(), value);
    item
}

/// Returns an item of `size_bytes` by DynamoDB's rules: names and values count.
pub(crate) fn item_of_size(pk: &str, sk: &str, size_bytes: usize) -> Item {
    let names = "pk".len() + "sk".len() + "value".len();
    item(pk, sk, s("x".repeat(size_bytes - names - pk.len() - sk.len())))
}

pub(crate) fn put(item: Item) -> TransactWriteItem {
    let put = Put::builder().table_name(TABLE).set_item(Some(item)).build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

pub(crate) fn put_if_absent(item: Item) -> TransactWriteItem {
    let put = Put::builder().table_name(TABLE).set_item(Some(item));
    let put = put.condition_expression("attribute_not_exists(pk)");
    let put = put.return_values_on_condition_check_failure("ALL_OLD".into()).build().unwrap();
    TransactWriteItem::builder().put(put).build()
}

pub(crate) fn delete(pk: &str, sk: &str) -> TransactWriteItem {
    let delete = Delete::builder().table_name(TABLE).set_key(Some(key(pk, sk))).build().unwrap();
    TransactWriteItem::builder().delete(delete).build()
}

pub(crate) fn check_present(pk: &str, sk: &str) -> TransactWriteItem {
    let check = ConditionCheck::builder().table_name(TABLE).set_key(Some(key(pk, sk)));
    let check = check.condition_expression("attribute_exists(pk)").build().unwrap();
    TransactWriteItem::builder().condition_check(check).build()
}

pub(crate) fn add_one(pk: &str, sk: &str) -> TransactWriteItem {
    let update = Update::builder().table_name(TABLE).set_key(Some(key(pk, sk)));
    let update = update.update_expression("ADD hits :one").expression_attribute_values(":one", n(1));
    TransactWriteItem::builder().update(update.build().unwrap()).build()
}
