//! Items in a DynamoDB table with the keys `pk` and `sk`.

mod condition;
mod get;
mod put;
mod query;
mod row;
mod transact;

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use backon::ExponentialBuilder;
use registry::ports::{Item, ItemScan, ItemStore, Key, Query, StoreError, TransactError, Unreadable, Write};

use row::Row;

use crate::error::store_error;

pub use row::item_of_image;

/// The items of a table.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    client: Client,
    table: String,
}

impl DynamoDb {
    /// The items of this table.
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self { client, table: table.into() }
    }

    /// Reads some rows of the table; returns where to go on, if there may be more.
    async fn scan_page(
        &self,
        start: Option<Row>,
        limit: usize,
    ) -> Result<(Vec<Row>, Option<Row>), StoreError> {
        let page = self
            .client
            .scan()
            .table_name(&self.table)
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .limit(query::page_limit(limit))
            .send()
            .await
            .map_err(|error| store_error("scan of the table", error))?;
        Ok((page.items.unwrap_or_default(), page.last_evaluated_key))
    }

    /// Asks for something that is not there, so that a first request finds the connection open.
    pub async fn warm_up(&self) -> Result<(), StoreError> {
        self.get(&[Key::new("WARM", "UP")]).await.map(drop)
    }
}

/// How often and after how long is asked again for what DynamoDB did not do although it answered: what it left over
/// of a batch, and writes that met transactions. (What it refused altogether the SDK has repeated already.)
fn patience() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(10))
        .with_max_delay(Duration::from_millis(640))
        .with_max_times(8)
}

#[async_trait]
impl ItemStore for DynamoDb {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        get::get(self, keys).await
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        query::rows(self, &query).await?.into_iter().map(row::decode).collect()
    }

    async fn query_each(&self, query: Query) -> Result<Vec<Result<Item, Unreadable>>, StoreError> {
        Ok(query::rows(self, &query).await?.into_iter().map(row::decode_row).collect())
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        transact::transact(self, &writes).await
    }
}

#[async_trait]
impl ItemScan for DynamoDb {
    async fn scan(&self, after: Option<&Key>, limit: usize) -> Result<Vec<Item>, StoreError> {
        let (mut items, mut start) = (Vec::new(), after.map(row::key_row));
        while items.len() < limit {
            let (rows, last) = self.scan_page(start, limit - items.len()).await?;
            // What is not understood is told by `unreadable`.
            items.extend(rows.into_iter().filter_map(|row| row::decode_row(row).ok()));
            start = last;
            if start.is_none() {
                break;
            }
        }
        Ok(items)
    }

    async fn unreadable(&self) -> Result<Vec<Unreadable>, StoreError> {
        let (mut unreadable, mut start) = (Vec::new(), None);
        loop {
            let (rows, last) = self.scan_page(start, usize::MAX).await?;
            unreadable.extend(rows.into_iter().filter_map(|row| row::decode_row(row).err()));
            start = last;
            if start.is_none() {
                return Ok(unreadable);
            }
        }
    }
}
