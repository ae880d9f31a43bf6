//! Every planned fault, once.

use std::time::Duration;

use aws_sdk_dynamodb::error::SdkError;
use dynamodb_standin::Fault;

use crate::batches::{keys, puts};
use crate::world::{TABLE, World, add_one, code, delete, key, n, put, s};

#[tokio::test]
async fn a_refused_call_is_not_applied_and_the_next_one_is() {
    let table = [
        (Fault::Throttled, "ThrottlingException", 400),
        (Fault::ThroughputExceeded, "ProvisionedThroughputExceededException", 400),
        (Fault::TransactionConflict, "TransactionConflictException", 400),
        (Fault::InternalServerError, "InternalServerError", 500),
        (Fault::Unavailable, "ServiceUnavailable", 503),
    ];
    for (fault, name, status) in table {
        let world = World::new().await;
        world.standin.faults().plan("PutItem", 1, fault);
        let put = || world.client.put_item().table_name(TABLE).set_item(Some(key("a", "1"))).send();
        let error = put().await.unwrap_err();
        assert_eq!(code(&error), name);
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{name}");
        assert_eq!(world.get("a", "1").await, None, "{name}");
        put().await.unwrap();
    }
}

#[tokio::test]
async fn a_conflict_cancels_a_transaction_with_a_reason_per_action() {
    let world = World::new().await;
    world.standin.faults().plan("TransactWriteItems", 1, Fault::TransactionConflict);
    let refused = world.transact(vec![put(key("a", "1")), delete("a", "2")]).await.unwrap_err();
    assert_eq!(refused.code, "TransactionCanceledException");
    assert_eq!(refused.codes(), ["None", "TransactionConflict"]);
    assert_eq!(world.get("a", "1").await, None);
}

#[tokio::test]
async fn the_client_repeats_a_throttled_call() {
    for fault in [Fault::Throttled, Fault::ThroughputExceeded, Fault::InternalServerError, Fault::Unavailable]
    {
        let world = World::new().await;
        world.standin.faults().plan("PutItem", 1, fault);
        let put = world.patient_client().put_item().table_name(TABLE).set_item(Some(key("a", "1")));
        put.send().await.unwrap();
        assert_eq!(world.standin.calls().of("PutItem"), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn unprocessed_keys_come_back_and_the_others_are_read() {
    let world = World::new().await;
    world.fill("a", ["0", "1", "2", "3"]).await;
    world.standin.faults().plan("BatchGetItem", 1, Fault::Unprocessed(3));
    let asked = keys(4);
    let answer = world.client.batch_get_item().request_items(TABLE, asked.clone()).send().await.unwrap();
    assert_eq!(answer.responses().unwrap()[TABLE], [key("a", "0")]);
    let unprocessed = &answer.unprocessed_keys().unwrap()[TABLE];
    assert_eq!(unprocessed.keys(), &asked.keys()[1..]);
    assert_eq!(unprocessed.consistent_read(), Some(true));
}

#[tokio::test]
async fn unprocessed_items_come_back_and_the_others_are_written() {
    let world = World::new().await;
    world.standin.faults().plan("BatchWriteItem", 1, Fault::Unprocessed(1));
    let write = world.client.batch_write_item().request_items(TABLE, puts(2));
    let unprocessed = write.send().await.unwrap().unprocessed_items.unwrap();
    assert_eq!(unprocessed[TABLE], &puts(2)[1..]);
    assert!(world.get("a", "0").await.is_some());
    assert_eq!(world.get("a", "1").await, None);
}

#[tokio::test]
async fn unprocessed_keys_of_several_tables_are_as_many_as_planned() {
    let world = World::new().await;
    world.standin.create_table("another");
    world.standin.faults().plan("BatchGetItem", 1, Fault::Unprocessed(3));
    let read = world.client.batch_get_item().request_items(TABLE, keys(2)).request_items("another", keys(2));
    let unprocessed = read.send().await.unwrap().unprocessed_keys.unwrap();
    let counts: Vec<_> = ["another", TABLE].iter().map(|table| unprocessed[*table].keys().len()).collect();
    assert_eq!(counts, [2, 1]);
    assert_eq!(world.standin.calls().items_of("BatchGetItem"), 1);
}

#[tokio::test]
async fn a_batch_of_which_nothing_is_processed_is_refused() {
    let world = World::new().await;
    world.standin.faults().plan("BatchWriteItem", 1, Fault::Unprocessed(2));
    let error = world.client.batch_write_item().request_items(TABLE, puts(2)).send().await.unwrap_err();
    assert_eq!(code(&error), "ProvisionedThroughputExceededException");
}

#[tokio::test]
async fn a_short_page_ends_early_and_says_where() {
    let world = World::new().await;
    world.fill("a", ["1", "2", "3"]).await;
    world.standin.faults().plan("Query", 1, Fault::ShortPage(2));
    let query = || {
        let query = world.client.query().table_name(TABLE).key_condition_expression("pk = :pk");
        query.expression_attribute_values(":pk", s("a")).limit(3)
    };
    let page = query().send().await.unwrap();
    assert_eq!((page.count(), page.last_evaluated_key()), (2, Some(&key("a", "2"))));
    assert_eq!(query().send().await.unwrap().count(), 3);
}

#[tokio::test]
async fn a_lost_answer_means_applied_and_no_answer() {
    let world = World::new().await;
    world.standin.faults().plan("UpdateItem", 1, Fault::AppliedThenLost);
    let update = world.client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let update = update.update_expression("ADD hits :one").expression_attribute_values(":one", n(1));
    let error = update.send().await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
    assert_eq!(world.get("a", "1").await.unwrap()["hits"], n(1));
}

#[tokio::test]
async fn a_client_that_repeats_after_a_lost_answer_applies_twice() {
    let world = World::new().await;
    world.standin.faults().plan("UpdateItem", 1, Fault::AppliedThenLost);
    let update = world.patient_client().update_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let update = update.update_expression("ADD hits :one").expression_attribute_values(":one", n(1));
    update.send().await.unwrap();
    assert_eq!(world.get("a", "1").await.unwrap()["hits"], n(2));
}

#[tokio::test]
async fn a_transaction_that_is_repeated_after_a_lost_answer_is_applied_once() {
    let world = World::new().await;
    world.standin.faults().plan("TransactWriteItems", 1, Fault::AppliedThenLost);
    let call = world.patient_client().transact_write_items().transact_items(add_one("a", "1"));
    call.send().await.unwrap();
    assert_eq!(world.standin.calls().of("TransactWriteItems"), 2);
    assert_eq!(world.get("a", "1").await.unwrap()["hits"], n(1));
}

#[tokio::test]
async fn a_delayed_call_is_applied_after_its_client_gave_up() {
    let world = World::new().await;
    world.standin.faults().plan("PutItem", 1, Fault::Delayed(Duration::from_millis(200)));
    let put = world.client.put_item().table_name(TABLE).set_item(Some(key("a", "1")));
    let client = tokio::spawn(put.send());
    while world.standin.faults().pending() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(world.standin.stream().take(), []);
    client.abort();
    assert!(client.await.unwrap_err().is_cancelled());
    let applied = tokio::time::timeout(Duration::from_secs(60), world.standin.stream().next()).await;
    assert_eq!(applied.expect("the call is applied").keys["sk"]["S"], "1");
}

#[tokio::test]
async fn a_fault_hits_the_planned_call_of_its_operation_only() {
    let world = World::new().await;
    world.standin.faults().plan("PutItem", 3, Fault::Throttled);
    world.fill("a", ["1", "2"]).await;
    world.get("a", "1").await;
    assert_eq!(world.standin.faults().pending(), 1);
    let put = world.client.put_item().table_name(TABLE).set_item(Some(key("a", "3")));
    assert_eq!(code(&put.send().await.unwrap_err()), "ThrottlingException");
    assert_eq!(world.standin.faults().pending(), 0);
    assert_eq!(world.standin.faults().injected(), [("PutItem".to_owned(), Fault::Throttled)]);
}

#[tokio::test]
#[should_panic(expected = "does not happen to PutItem")]
async fn a_plan_that_cannot_happen_is_an_error() {
    World::new().await.standin.faults().plan("PutItem", 1, Fault::Unprocessed(1));
}
