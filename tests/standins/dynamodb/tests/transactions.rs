//! Transactions.

use aws_sdk_dynamodb::types::{Get, TransactGetItem};

use crate::world::{TABLE, World, add_one, check_present, code, delete, item, key, n, put, put_if_absent};

#[tokio::test]
async fn all_actions_of_a_transaction_are_applied() {
    let world = World::new().await;
    world.fill("a", ["check", "delete"]).await;
    let actions = vec![
        put(item("a", "put", n(1))),
        add_one("a", "update"),
        delete("a", "delete"),
        check_present("a", "check"),
    ];
    world.transact(actions).await.unwrap();
    assert_eq!(world.get("a", "put").await, Some(item("a", "put", n(1))));
    assert_eq!(world.get("a", "update").await.unwrap()["hits"], n(1));
    assert_eq!(world.get("a", "delete").await, None);
}

#[tokio::test]
async fn a_refused_transaction_applies_nothing_and_says_why_per_action() {
    let world = World::new().await;
    world.put(item("a", "taken", n(1))).await;
    let actions = vec![put(key("a", "new")), put_if_absent(key("a", "taken")), delete("a", "other")];
    let refused = world.transact(actions).await.unwrap_err();
    assert_eq!(refused.code, "TransactionCanceledException");
    assert_eq!(refused.codes(), ["None", "ConditionalCheckFailed", "None"]);
    assert_eq!(refused.reasons[1].item(), Some(&item("a", "taken", n(1))));
    assert_eq!(world.get("a", "new").await, None);
}

#[tokio::test]
async fn a_failed_check_of_another_item_refuses_the_transaction() {
    let world = World::new().await;
    let refused = world.transact(vec![put(key("a", "new")), check_present("a", "missing")]).await;
    assert_eq!(refused.unwrap_err().codes(), ["None", "ConditionalCheckFailed"]);
    assert_eq!(world.get("a", "new").await, None);
}

#[tokio::test]
async fn a_hundred_actions_are_allowed_and_one_more_is_refused() {
    let world = World::new().await;
    let actions = |count: usize| (0..count).map(|number| put(key("a", &number.to_string()))).collect();
    assert_eq!(world.transact(actions(101)).await.unwrap_err().code, "ValidationException");
    assert_eq!(world.get("a", "0").await, None);
    world.transact(actions(100)).await.unwrap();
    assert!(world.get("a", "99").await.is_some());
}

#[tokio::test]
async fn two_actions_on_one_item_are_refused() {
    let world = World::new().await;
    let refused = world.transact(vec![put(key("a", "1")), add_one("a", "1")]).await.unwrap_err();
    assert_eq!(refused.code, "ValidationException");
    let refused = world.transact(vec![put(key("a", "1")), check_present("a", "1")]).await.unwrap_err();
    assert_eq!(refused.code, "ValidationException");
}

#[tokio::test]
async fn a_repeated_request_token_is_applied_once() {
    let world = World::new().await;
    for _ in 0..2 {
        let call = world.client.transact_write_items().client_request_token("one");
        call.transact_items(add_one("a", "1")).send().await.unwrap();
    }
    assert_eq!(world.get("a", "1").await.unwrap()["hits"], n(1));
}

#[tokio::test]
async fn a_request_token_with_other_actions_is_refused() {
    let world = World::new().await;
    let call = || world.client.transact_write_items().client_request_token("one");
    call().transact_items(put(key("a", "1"))).send().await.unwrap();
    let error = call().transact_items(put(key("a", "2"))).send().await.unwrap_err();
    assert_eq!(code(&error), "IdempotentParameterMismatchException");
}

#[tokio::test]
async fn of_sixteen_racing_transactions_one_wins() {
    let world = World::new().await;
    let racers: Vec<_> = (0..16)
        .map(|number| {
            let call = world.client.transact_write_items();
            let call = call.transact_items(put_if_absent(key("a", "prize")));
            tokio::spawn(call.transact_items(put(key("b", &format!("{number}")))).send())
        })
        .collect();
    let mut winners = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => winners += 1,
            Err(error) => assert_eq!(code(&error), "TransactionCanceledException"),
        }
    }
    let traces = world.client.query().table_name(TABLE).key_condition_expression("pk = :b");
    let traces = traces.expression_attribute_values(":b", crate::world::s("b")).send().await.unwrap();
    assert_eq!((winners, traces.count()), (1, 1));
}

#[tokio::test]
async fn a_transactional_read_returns_items_in_order_and_gaps() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    let get = |sk: &str| {
        let get = Get::builder().table_name(TABLE).set_key(Some(key("a", sk))).build().unwrap();
        TransactGetItem::builder().get(get).build()
    };
    let call = world.client.transact_get_items().transact_items(get("missing"));
    let read = call.transact_items(get("1")).send().await.unwrap();
    assert_eq!(read.responses()[0].item(), None);
    assert_eq!(read.responses()[1].item(), Some(&item("a", "1", n(1))));
}
