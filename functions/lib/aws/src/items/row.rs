//! Items as rows of the table. Persisted: keep stable.
//!
//! Every row has `pk`, `sk`, `format`, `version` and `record` (a map with one entry, named after the kind of record),
//! in DynamoDB's own types, so that people can read them in the console. Some have `ttl`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use bytes::Bytes;
use registry::jobs::expiry;
use registry::ports::{Item, Key, StoreError, Timestamp, Unreadable, Version};
use registry::records::{FORMAT, Record};
use serde::{Deserialize, Serialize};

use crate::error::corrupt;

/// A row as the SDK has it.
pub(crate) type Row = HashMap<String, AttributeValue>;

#[derive(Serialize)]
struct RowRef<'a> {
    pk: &'a str,
    sk: &'a str,
    format: u8,
    version: &'a Version,
    record: &'a Record,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
}

#[derive(Deserialize)]
struct OwnedRow {
    pk: String,
    sk: String,
    format: u8,
    version: Version,
    record: Record,
}

/// Returns the row to store.
pub(crate) fn encode(item: &Item) -> Result<Row, StoreError> {
    let row = RowRef {
        pk: &item.key.pk,
        sk: &item.key.sk,
        format: FORMAT,
        version: &item.version,
        record: &item.record,
        ttl: expiry::ends(&item.record).map(Timestamp::as_secs),
    };
    serde_dynamo::to_item(row)
        .map_err(|error| corrupt(format!("item {}/{}", item.key.pk, item.key.sk), error))
}

/// Returns what was stored.
pub(crate) fn decode(row: Row) -> Result<Item, StoreError> {
    item_of_image(row.into())
}

/// Returns what was stored, or what of it is known.
pub(crate) fn decode_row(row: Row) -> Result<Item, Unreadable> {
    let text = |name: &str| row.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    let key = Key::new(text("pk"), text("sk"));
    decode(row).map_err(|error| {
        let problem = error.source.map_or(error.context, |cause| cause.to_string());
        Unreadable { key, bytes: Bytes::new(), problem }
    })
}

/// Returns the item of a row as streams carry it.
pub fn item_of_image(row: serde_dynamo::Item) -> Result<Item, StoreError> {
    let context = format!("a row of the table with the key {:?} {:?}", row.get("pk"), row.get("sk"));
    let row: OwnedRow = match serde_dynamo::from_item(row) {
        Ok(row) => row,
        Err(error) => return Err(corrupt(context, error)),
    };
    if row.format > FORMAT {
        return Err(corrupt(context, format!("format {}, newer than {FORMAT}", row.format)));
    }
    Ok(Item { key: Key::new(row.pk, row.sk), version: row.version, record: row.record })
}

/// Returns the key as attributes.
pub(crate) fn key_row(key: &Key) -> Row {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(key.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(key.sk.clone())),
    ])
}
