//! Counted calls.

use dynamodb_standin::{Count, Fault};

use crate::batches::{keys, puts};
use crate::world::{TABLE, World, check_present, key, put, s};

#[tokio::test]
async fn calls_are_counted_by_operation_until_reset() {
    let world = World::new().await;
    world.fill("a", ["1", "2"]).await;
    world.get("a", "1").await;
    let calls = world.standin.calls();
    assert_eq!((calls.of("PutItem"), calls.of("GetItem"), calls.of("Query")), (2, 1, 0));
    assert_eq!(calls.total(), 3);
    assert_eq!(calls.all()["PutItem"], Count { calls: 2, items: 2 });
    calls.reset();
    assert_eq!((calls.total(), calls.all().len()), (0, 0));
}

#[tokio::test]
async fn items_are_counted_by_what_was_read_and_written() {
    let world = World::new().await;
    let client = &world.client;
    client.batch_write_item().request_items(TABLE, puts(3)).send().await.unwrap();
    client.batch_get_item().request_items(TABLE, keys(5)).send().await.unwrap();
    let query = client.query().table_name(TABLE).key_condition_expression("pk = :pk");
    let query = query.expression_attribute_values(":pk", s("a")).filter_expression("sk <> :pk");
    query.send().await.unwrap_err();
    let query = client.query().table_name(TABLE).key_condition_expression("pk = :pk");
    query.expression_attribute_values(":pk", s("a")).limit(2).send().await.unwrap();
    world.transact(vec![put(key("a", "new")), check_present("a", "0")]).await.unwrap();
    let items = |operation| world.standin.calls().items_of(operation);
    assert_eq!((items("BatchWriteItem"), items("BatchGetItem")), (3, 5));
    assert_eq!((items("Query"), items("TransactWriteItems")), (2, 2));
}

#[tokio::test]
async fn what_comes_back_unprocessed_is_not_counted() {
    let world = World::new().await;
    world.standin.faults().plan("BatchGetItem", 1, Fault::Unprocessed(2));
    world.client.batch_get_item().request_items(TABLE, keys(5)).send().await.unwrap();
    assert_eq!(world.standin.calls().items_of("BatchGetItem"), 3);
}

#[tokio::test]
async fn a_refused_call_is_a_call_without_items() {
    let world = World::new().await;
    world.transact(vec![check_present("a", "missing")]).await.unwrap_err();
    let counted = world.standin.calls().all()["TransactWriteItems"];
    assert_eq!(counted, Count { calls: 1, items: 0 });
}
