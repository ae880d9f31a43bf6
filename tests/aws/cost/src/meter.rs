//! The meter: asks DynamoDB what each call consumed, and adds it up.
//!
//! The stand-in's engine answers by the documented rules: a write unit per 1 KB of the larger image, doubled in
//! transactions, and a read unit per 4 KB of a strong read.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemInput, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::get_item::{GetItemInput, GetItemOutput};
use aws_sdk_dynamodb::operation::put_item::{PutItemInput, PutItemOutput};
use aws_sdk_dynamodb::operation::query::{QueryInput, QueryOutput};
use aws_sdk_dynamodb::operation::scan::{ScanInput, ScanOutput};
use aws_sdk_dynamodb::operation::transact_write_items::{TransactWriteItemsInput, TransactWriteItemsOutput};
use aws_sdk_dynamodb::types::{ConsumedCapacity, ReturnConsumedCapacity};

/// What was consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Units {
    /// Answers, refusals included.
    pub(crate) calls: u64,
    /// Read request units.
    pub(crate) read: f64,
    /// Write request units.
    pub(crate) write: f64,
}

/// A meter; its clones are the same meter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Meter(Arc<Mutex<Units>>);

impl Meter {
    /// Returns what was consumed since the last time.
    pub(crate) fn take(&self) -> Units {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, add: impl FnOnce(&mut Units)) {
        add(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

macro_rules! ask {
    ($input:expr, $($operation:ty),+) => {
        $($input.downcast_mut::<$operation>().map(|input| {
            input.return_consumed_capacity = Some(ReturnConsumedCapacity::Total);
        }).is_some())||+
    };
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "capacity meter"
    }

    fn modify_before_serialization(
        &self,
        context: &mut BeforeSerializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input_mut();
        let is_known = ask!(
            input,
            GetItemInput,
            BatchGetItemInput,
            QueryInput,
            ScanInput,
            PutItemInput,
            TransactWriteItemsInput
        );
        if is_known { Ok(()) } else { Err("an operation that the meter does not know".into()) }
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.add(|units| units.calls += 1);
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        let (mut read, mut write) = (0.0, 0.0);
        if let Some(output) = output.downcast_ref::<GetItemOutput>() {
            read = sum(output.consumed_capacity.iter())?;
        } else if let Some(output) = output.downcast_ref::<QueryOutput>() {
            read = sum(output.consumed_capacity.iter())?;
        } else if let Some(output) = output.downcast_ref::<ScanOutput>() {
            read = sum(output.consumed_capacity.iter())?;
        } else if let Some(output) = output.downcast_ref::<BatchGetItemOutput>() {
            read = sum(output.consumed_capacity.iter().flatten())?;
        } else if let Some(output) = output.downcast_ref::<PutItemOutput>() {
            write = sum(output.consumed_capacity.iter())?;
        } else if let Some(output) = output.downcast_ref::<TransactWriteItemsOutput>() {
            write = sum(output.consumed_capacity.iter().flatten())?;
        }
        self.add(|units| {
            units.read += read;
            units.write += write;
        });
        Ok(())
    }
}

/// Nothing consumes nothing, so an answer without units was not metered.
fn sum<'a>(capacities: impl Iterator<Item = &'a ConsumedCapacity>) -> Result<f64, BoxError> {
    let units: f64 = capacities.filter_map(|capacity| capacity.capacity_units).sum();
    if units > 0.0 { Ok(units) } else { Err("an answer without its consumed capacity".into()) }
}
