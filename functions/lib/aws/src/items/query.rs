//! Walks over one partition.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use registry::ports::{Direction, Key, Query, StoreError};

use super::DynamoDb;
use super::row::{Row, key_row};
use crate::error::store_error;

/// The longest sort key (DynamoDB, "Quotas"). It refuses to look for what begins with more, and nothing does.
const SORT_KEY_BYTES_MAX: usize = 1024;

/// Returns the rows of the walk, over as many pages of 1 MB as it takes.
pub(super) async fn rows(store: &DynamoDb, query: &Query) -> Result<Vec<Row>, StoreError> {
    let Some(mut start) = start(query).filter(|_| query.prefix.len() <= SORT_KEY_BYTES_MAX) else {
        return Ok(Vec::new());
    };
    let mut rows = Vec::new();
    while rows.len() < query.limit {
        let (condition, values) = key_condition(query);
        let page = store
            .client
            .query()
            .table_name(&store.table)
            .consistent_read(true)
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .set_exclusive_start_key(start)
            .scan_index_forward(query.direction == Direction::Ascending)
            .limit(page_limit(query.limit - rows.len()))
            .send()
            .await
            .map_err(|error| store_error(format!("query of {}", query.pk), error))?;
        rows.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key;
        // Only its absence says that there is no more; a page may end early, or even be empty.
        if start.is_none() {
            break;
        }
    }
    Ok(rows)
}

/// As many items as one call may return; DynamoDB takes no more than this number.
pub(super) fn page_limit(items: usize) -> i32 {
    i32::try_from(items).unwrap_or(i32::MAX)
}

/// Where the walk begins: `None` if nothing can follow, `Some(None)` at its beginning.
///
/// DynamoDB refuses a start that the key condition does not cover.
fn start(query: &Query) -> Option<Option<Row>> {
    let Some(after) = &query.after else { return Some(None) };
    if after.starts_with(&query.prefix) && !after.is_empty() {
        return Some(Some(key_row(&Key::new(query.pk.clone(), after.clone()))));
    }
    let is_before_all = match query.direction {
        Direction::Ascending => *after < query.prefix || after.is_empty(),
        Direction::Descending => *after > query.prefix,
    };
    is_before_all.then_some(None)
}

fn key_condition(query: &Query) -> (&'static str, HashMap<String, AttributeValue>) {
    let value = |text: &str| AttributeValue::S(text.to_owned());
    let mut values = HashMap::from([(":pk".to_owned(), value(&query.pk))]);
    if query.prefix.is_empty() {
        return ("pk = :pk", values);
    }
    values.insert(":prefix".to_owned(), value(&query.prefix));
    ("pk = :pk AND begins_with(sk, :prefix)", values)
}
