//! Writes that happen all or not at all.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use backon::Retryable;
use registry::ports::{
    Condition, Conflict, Random, StoreError, StoreErrorKind, SystemRandom, TransactError, Version, Write,
};

use super::condition::Expression;
use super::put::put;
use super::row::{Row, decode, encode, key_row};
use super::{DynamoDb, patience};
use crate::error::{corrupt, store_error};

pub(super) const ALL_OLD: ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure::AllOld;

/// Writes; a lone put is not a transaction, which would cost twice as much.
pub(super) async fn transact(store: &DynamoDb, writes: &[Write]) -> Result<(), TransactError> {
    match writes {
        [] => Ok(()),
        [Write::Put(item, condition)] => put(store, item, condition).await,
        _ => transact_write(store, writes).await,
    }
}

/// A transaction that met another one is made again: nothing of it was written.
async fn transact_write(store: &DynamoDb, writes: &[Write]) -> Result<(), TransactError> {
    let actions = writes.iter().map(|write| action(store, write)).collect::<Result<Vec<_>, _>>()?;
    let attempt = || async { transact_write_items(store, writes, &actions).await };
    attempt.retry(patience()).when(has_met_another).await
}

/// Returns whether somebody else's transaction was in the way, and not what the SDK gave up on.
pub(super) fn has_met_another(error: &TransactError) -> bool {
    matches!(error, TransactError::Store(error) if error.kind == StoreErrorKind::Throttled && error.source.is_none())
}

/// The token is one for all attempts of the SDK, so that one whose answer was lost does not happen twice.
async fn transact_write_items(
    store: &DynamoDb,
    writes: &[Write],
    actions: &[TransactWriteItem],
) -> Result<(), TransactError> {
    let written = store
        .client
        .transact_write_items()
        .set_transact_items(Some(actions.to_vec()))
        .client_request_token(format!("{:032x}", SystemRandom.bits()))
        .send()
        .await;
    match written {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
                Err(cancellation(writes, cancelled.cancellation_reasons().to_vec()))
            }
            _ => Err(store_error(context(writes), error).into()),
        },
    }
}

/// One reason for each write, in their order; most of them say `None`.
fn cancellation(writes: &[Write], reasons: Vec<CancellationReason>) -> TransactError {
    let has_code = |code: &str| reasons.iter().any(|reason| reason.code.as_deref() == Some(code));
    let is_transient =
        ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"].into_iter().any(has_code);
    let texts: Vec<String> = reasons.iter().filter_map(|reason| reason.message.clone()).collect();
    for (write, reason) in writes.iter().zip(reasons) {
        if reason.code.as_deref() == Some("ConditionalCheckFailed") {
            return match reason.item.map(decode).transpose() {
                Ok(found) => TransactError::Conflict(Box::new(Conflict { key: write.key().clone(), found })),
                Err(error) => error.into(),
            };
        }
    }
    match is_transient {
        true => StoreError::new(StoreErrorKind::Throttled, context(writes)).into(),
        false => corrupt(context(writes), texts.join("; ")).into(),
    }
}

fn action(store: &DynamoDb, write: &Write) -> Result<TransactWriteItem, StoreError> {
    let built = match write {
        Write::Put(item, condition) => put_action(store, encode(item)?, condition.into()),
        Write::Delete(key, condition) => delete_action(store, key_row(key), condition.into()),
        // DynamoDB has no check without a condition; that something has a version or none is always true.
        Write::Check(key, Condition::Always) => {
            let mut always = Expression::from(&Condition::Version(Version::new("")));
            always.text = Some("attribute_not_exists(pk) OR #version <> :version".to_owned());
            check_action(store, key_row(key), always)
        }
        Write::Check(key, condition) => check_action(store, key_row(key), condition.into()),
    };
    built.map_err(|error| StoreError::caused(StoreErrorKind::Unavailable, "a transaction", error))
}

type Built = Result<TransactWriteItem, aws_sdk_dynamodb::error::BuildError>;

fn put_action(store: &DynamoDb, row: Row, condition: Expression) -> Built {
    let put = Put::builder()
        .table_name(&store.table)
        .set_item(Some(row))
        .set_condition_expression(condition.text)
        .set_expression_attribute_names(condition.names)
        .set_expression_attribute_values(condition.values)
        .return_values_on_condition_check_failure(ALL_OLD);
    Ok(TransactWriteItem::builder().put(put.build()?).build())
}

fn delete_action(store: &DynamoDb, key: Row, condition: Expression) -> Built {
    let delete = Delete::builder()
        .table_name(&store.table)
        .set_key(Some(key))
        .set_condition_expression(condition.text)
        .set_expression_attribute_names(condition.names)
        .set_expression_attribute_values(condition.values)
        .return_values_on_condition_check_failure(ALL_OLD);
    Ok(TransactWriteItem::builder().delete(delete.build()?).build())
}

fn check_action(store: &DynamoDb, key: Row, condition: Expression) -> Built {
    let check = ConditionCheck::builder()
        .table_name(&store.table)
        .set_key(Some(key))
        .set_condition_expression(condition.text)
        .set_expression_attribute_names(condition.names)
        .set_expression_attribute_values(condition.values)
        .return_values_on_condition_check_failure(ALL_OLD);
    Ok(TransactWriteItem::builder().condition_check(check.build()?).build())
}

fn context(writes: &[Write]) -> String {
    match writes.first().map(Write::key) {
        Some(first) => format!("{} writes, the first of {}/{}", writes.len(), first.pk, first.sk),
        None => "no writes".to_owned(),
    }
}
