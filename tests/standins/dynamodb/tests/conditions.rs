//! Conditions on single items.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure::AllOld;

use crate::world::{Item, TABLE, World, code, item, key, n, s};

#[tokio::test]
async fn a_second_create_is_refused_with_the_item_in_its_way() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    let put = world.client.put_item().table_name(TABLE).set_item(Some(item("a", "1", n(2))));
    let put = put.condition_expression("attribute_not_exists(pk)");
    let error = put.return_values_on_condition_check_failure(AllOld).send().await.unwrap_err();
    let PutItemError::ConditionalCheckFailedException(refused) = error.into_service_error() else { panic!() };
    assert_eq!(refused.item(), Some(&item("a", "1", n(1))));
    assert_eq!(world.get("a", "1").await, Some(item("a", "1", n(1))));
}

#[tokio::test]
async fn a_refused_update_returns_the_item_in_its_way() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    let update = world.client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let update = update.update_expression("SET #value = :new").condition_expression("#value = :expected");
    let update = update.expression_attribute_names("#value", "value");
    let update =
        update.expression_attribute_values(":new", n(3)).expression_attribute_values(":expected", n(2));
    let error = update.return_values_on_condition_check_failure(AllOld).send().await.unwrap_err();
    let UpdateItemError::ConditionalCheckFailedException(refused) = error.into_service_error() else {
        panic!()
    };
    assert_eq!(refused.item(), Some(&item("a", "1", n(1))));
}

#[tokio::test]
async fn a_refused_delete_returns_the_item_in_its_way() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    let delete = world.client.delete_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let delete = delete.condition_expression("attribute_not_exists(pk)");
    let error = delete.return_values_on_condition_check_failure(AllOld).send().await.unwrap_err();
    let DeleteItemError::ConditionalCheckFailedException(refused) = error.into_service_error() else {
        panic!()
    };
    assert_eq!(refused.item(), Some(&item("a", "1", n(1))));
    assert_eq!(world.get("a", "1").await, Some(item("a", "1", n(1))));
}

#[tokio::test]
async fn an_update_of_a_missing_item_is_refused_when_it_must_exist() {
    let world = World::new().await;
    let update = world.client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let update = update.update_expression("ADD hits :one").expression_attribute_values(":one", n(1));
    let error = update.condition_expression("attribute_exists(pk)").send().await.unwrap_err();
    assert_eq!(code(&error), "ConditionalCheckFailedException");
    assert_eq!(world.get("a", "1").await, None);
}

#[tokio::test]
async fn conditions_compare_combine_and_call_functions() {
    let world = World::new().await;
    world.put(item("a", "1", s("sha256:abc"))).await;
    let table = [
        ("begins_with(#value, :text)", "sha256:", true),
        ("contains(#value, :text)", "256:a", true),
        ("#value < :text", "sha256:abd", true),
        ("#value <> :text", "sha256:abc", false),
        ("#value IN (:text)", "sha256:abc", true),
        ("#value BETWEEN :text AND :text", "sha256:abc", true),
        ("attribute_type(#value, :text)", "N", false),
        ("#value = :text AND size(#value) > size(pk)", "sha256:abc", true),
        ("NOT #value = :text OR attribute_not_exists(pk)", "sha256:abc", false),
    ];
    for (condition, text, holds) in table {
        let put = world.client.put_item().table_name(TABLE);
        let put = put.set_item(Some(item("a", "1", s("sha256:abc")))).condition_expression(condition);
        let put = put.expression_attribute_names("#value", "value");
        let outcome = put.expression_attribute_values(":text", s(text)).send().await;
        assert_eq!(outcome.is_ok(), holds, "{condition} with {text}: {outcome:?}");
    }
}

#[tokio::test]
async fn of_sixteen_creators_one_wins() {
    let world = World::new().await;
    let creators: Vec<_> = (0..16)
        .map(|number| {
            let put = world.client.put_item().table_name(TABLE).set_item(Some(item("a", "1", n(number))));
            tokio::spawn(put.condition_expression("attribute_not_exists(pk)").send())
        })
        .collect();
    let mut winners = Vec::<Item>::new();
    for (number, creator) in (0..).zip(creators) {
        match creator.await.unwrap() {
            Ok(_) => winners.push(item("a", "1", n(number))),
            Err(error) => assert_eq!(code(&error), "ConditionalCheckFailedException"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(world.get("a", "1").await, winners.pop());
}
