//! Batches.

use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, WriteRequest};

use crate::world::{Item, TABLE, World, code, item, key, n};

pub(crate) fn put_request(item: Item) -> WriteRequest {
    WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
}

pub(crate) fn keys(count: usize) -> KeysAndAttributes {
    let keys = (0..count).map(|number| key("a", &number.to_string())).collect();
    KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build().unwrap()
}

pub(crate) fn puts(count: usize) -> Vec<WriteRequest> {
    (0..count).map(|number| put_request(key("a", &number.to_string()))).collect()
}

#[tokio::test]
async fn twenty_five_writes_are_allowed_and_one_more_is_refused() {
    let world = World::new().await;
    let write = |count| world.client.batch_write_item().request_items(TABLE, puts(count)).send();
    assert_eq!(code(&write(26).await.unwrap_err()), "ValidationException");
    assert_eq!(world.get("a", "0").await, None);
    let written = write(25).await.unwrap();
    assert!(written.unprocessed_items().unwrap().is_empty());
    assert!(world.get("a", "24").await.is_some());
}

#[tokio::test]
async fn a_hundred_keys_are_allowed_and_one_more_is_refused() {
    let world = World::new().await;
    world.fill("a", ["0", "99"]).await;
    let read = |count| world.client.batch_get_item().request_items(TABLE, keys(count)).send();
    assert_eq!(code(&read(101).await.unwrap_err()), "ValidationException");
    let answer = read(100).await.unwrap();
    assert_eq!(answer.responses().unwrap()[TABLE].len(), 2);
    assert!(answer.unprocessed_keys().unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_puts_and_deletes() {
    let world = World::new().await;
    world.fill("a", ["old"]).await;
    let delete = DeleteRequest::builder().set_key(Some(key("a", "old"))).build().unwrap();
    let requests =
        vec![put_request(item("a", "new", n(1))), WriteRequest::builder().delete_request(delete).build()];
    world.client.batch_write_item().request_items(TABLE, requests).send().await.unwrap();
    assert_eq!(world.get("a", "old").await, None);
    assert_eq!(world.get("a", "new").await, Some(item("a", "new", n(1))));
}

#[tokio::test]
async fn one_key_twice_in_a_batch_is_refused() {
    let world = World::new().await;
    let twice = KeysAndAttributes::builder().keys(key("a", "1")).keys(key("a", "1")).build().unwrap();
    let error = world.client.batch_get_item().request_items(TABLE, twice).send().await.unwrap_err();
    assert_eq!(code(&error), "ValidationException");
    let twice = vec![put_request(key("a", "1")), put_request(key("a", "1"))];
    let error = world.client.batch_write_item().request_items(TABLE, twice).send().await.unwrap_err();
    assert_eq!(code(&error), "ValidationException");
}
