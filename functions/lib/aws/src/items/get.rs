//! Strong reads, one or many.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::KeysAndAttributes;
use backon::Retryable;
use futures_util::StreamExt;
use registry::ports::{Item, Key, StoreError, StoreErrorKind};

use super::row::{Row, decode, key_row};
use super::{DynamoDb, patience};
use crate::error::store_error;

/// How many keys one `BatchGetItem` may name.
const BATCH_KEYS_MAX: usize = 100;

/// How many batches are asked for at once.
const BATCHES_AT_ONCE: usize = 4;

/// Returns the items in the order of `keys`.
pub(super) async fn get(store: &DynamoDb, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
    if let [key] = keys {
        return Ok(vec![get_one(store, key).await?]);
    }
    // DynamoDB has no empty keys, and refuses to look for one, or for the same one twice.
    let possible: BTreeSet<Key> =
        keys.iter().filter(|key| !key.pk.is_empty() && !key.sk.is_empty()).cloned().collect();
    let possible: Vec<Key> = possible.into_iter().collect();
    let batches: Vec<_> = possible.chunks(BATCH_KEYS_MAX).map(|batch| get_batch(store, batch)).collect();
    let mut batches = futures_util::stream::iter(batches).buffer_unordered(BATCHES_AT_ONCE);
    let mut found = HashMap::new();
    while let Some(items) = batches.next().await {
        found.extend(items?.into_iter().map(|item| (item.key.clone(), item)));
    }
    Ok(keys.iter().map(|key| found.get(key).cloned()).collect())
}

async fn get_one(store: &DynamoDb, key: &Key) -> Result<Option<Item>, StoreError> {
    let answer = store
        .client
        .get_item()
        .table_name(&store.table)
        .set_key(Some(key_row(key)))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| store_error(format!("item {}/{}", key.pk, key.sk), error))?;
    answer.item.map(decode).transpose()
}

/// DynamoDB may leave keys over when it is busy or the answer grows beyond 16 MB; they are asked for again.
async fn get_batch(store: &DynamoDb, keys: &[Key]) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::with_capacity(keys.len());
    let mut left: Vec<Row> = keys.iter().map(key_row).collect();
    while !left.is_empty() {
        let (found, over) = get_some(store, &left).await?;
        items.extend(found);
        left = over;
    }
    Ok(items)
}

/// Asks until at least one of the rows was looked at.
async fn get_some(store: &DynamoDb, wanted: &[Row]) -> Result<(Vec<Item>, Vec<Row>), StoreError> {
    let ask = || async {
        let (found, over) = batch_get_item(store, wanted).await?;
        match over.len() < wanted.len() {
            true => Ok((found, over)),
            false => Err(StoreError::new(StoreErrorKind::Throttled, "a batch of items was left over")),
        }
    };
    ask.retry(patience()).when(is_left_over).await
}

/// What the SDK gave up on is not asked for again here.
fn is_left_over(error: &StoreError) -> bool {
    error.kind == StoreErrorKind::Throttled && error.source.is_none()
}

async fn batch_get_item(store: &DynamoDb, wanted: &[Row]) -> Result<(Vec<Item>, Vec<Row>), StoreError> {
    let request = KeysAndAttributes::builder()
        .set_keys(Some(wanted.to_vec()))
        .consistent_read(true)
        .build()
        .map_err(|error| StoreError::caused(StoreErrorKind::Unavailable, "a batch of items", error))?;
    let answer = store
        .client
        .batch_get_item()
        .request_items(&store.table, request)
        .send()
        .await
        .map_err(|error| store_error("a batch of items", error))?;
    let rows = answer.responses.unwrap_or_default().into_values().flatten();
    let found = rows.map(decode).collect::<Result<_, _>>()?;
    let over = answer.unprocessed_keys.unwrap_or_default().into_values().flat_map(|over| over.keys);
    Ok((found, over.collect()))
}
