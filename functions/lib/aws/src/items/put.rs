//! One item written by itself.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use backon::Retryable;
use registry::ports::{Condition, Conflict, Item, StoreError, StoreErrorKind, TransactError};

use super::condition::Expression;
use super::row::{Row, decode, encode};
use super::transact::{ALL_OLD, has_met_another};
use super::{DynamoDb, patience};
use crate::error::store_error;

/// Puts the item. What met a transaction is made again as transactions are; the SDK does not do it by itself.
pub(super) async fn put(store: &DynamoDb, item: &Item, condition: &Condition) -> Result<(), TransactError> {
    let row = encode(item)?;
    let attempt = || async { put_item(store, item, row.clone(), condition.into()).await };
    attempt.retry(patience()).when(has_met_another).await
}

async fn put_item(
    store: &DynamoDb,
    item: &Item,
    row: Row,
    condition: Expression,
) -> Result<(), TransactError> {
    let written = store
        .client
        .put_item()
        .table_name(&store.table)
        .set_item(Some(row))
        .set_condition_expression(condition.text)
        .set_expression_attribute_names(condition.names)
        .set_expression_attribute_values(condition.values)
        .return_values_on_condition_check_failure(ALL_OLD)
        .send()
        .await;
    let Err(error) = written else { return Ok(()) };
    let context = format!("put of {}/{}", item.key.pk, item.key.sk);
    match error.as_service_error() {
        Some(PutItemError::ConditionalCheckFailedException(failed)) => refused(item, failed.item.clone()),
        Some(PutItemError::TransactionConflictException(_)) => {
            Err(StoreError::new(StoreErrorKind::Throttled, context).into())
        }
        _ => Err(store_error(context, error).into()),
    }
}

/// The SDK repeats a call whose answer was lost, and then finds what that call wrote.
fn refused(item: &Item, found: Option<Row>) -> Result<(), TransactError> {
    let found = found.map(decode).transpose()?;
    match found.as_ref().is_some_and(|found| found.version == item.version) {
        true => Ok(()),
        false => Err(TransactError::Conflict(Box::new(Conflict { key: item.key.clone(), found }))),
    }
}
