//! Single items: put, get, update, delete.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use crate::world::{TABLE, World, code, item, key, n, s};

#[tokio::test]
async fn an_item_comes_back_as_it_was_put() {
    let world = World::new().await;
    let mut put = item("a", "1", AttributeValue::M([("deep".to_owned(), n(7))].into()));
    put.insert("bytes".to_owned(), AttributeValue::B(vec![0, 255].into()));
    put.insert("words".to_owned(), AttributeValue::L(vec![s("one"), AttributeValue::Bool(true)]));
    world.put(put.clone()).await;
    assert_eq!(world.get("a", "1").await, Some(put));
}

#[tokio::test]
async fn a_put_replaces_the_whole_item() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    world.put(key("a", "1")).await;
    assert_eq!(world.get("a", "1").await, Some(key("a", "1")));
}

#[tokio::test]
async fn a_missing_item_is_no_error() {
    let world = World::new().await;
    assert_eq!(world.get("a", "1").await, None);
    let delete = world.client.delete_item().table_name(TABLE).set_key(Some(key("a", "1")));
    delete.send().await.unwrap();
}

#[tokio::test]
async fn a_delete_returns_the_old_item() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    let delete = world.client.delete_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let deleted = delete.return_values(ReturnValue::AllOld).send().await.unwrap();
    assert_eq!(deleted.attributes, Some(item("a", "1", n(1))));
    assert_eq!(world.get("a", "1").await, None);
}

#[tokio::test]
async fn an_update_sets_adds_and_removes() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    let update = world.client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let update = update.update_expression("SET size_bytes = :size ADD hits :one REMOVE #value");
    let update = update.expression_attribute_names("#value", "value");
    let update = update.expression_attribute_values(":size", n(5)).expression_attribute_values(":one", n(1));
    let new = update.return_values(ReturnValue::AllNew).send().await.unwrap().attributes.unwrap();
    assert_eq!((new.get("size_bytes"), new.get("hits"), new.get("value")), (Some(&n(5)), Some(&n(1)), None));
}

#[tokio::test]
async fn a_reserved_word_in_an_expression_is_refused() {
    let world = World::new().await;
    let update = world.client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
    let update = update.update_expression("SET name = :name").expression_attribute_values(":name", s("x"));
    let error = update.send().await.unwrap_err();
    assert_eq!(code(&error), "ValidationException");
    assert!(format!("{error:?}").contains("reserved keyword"), "{error:?}");
}

#[tokio::test]
async fn an_unused_expression_value_is_refused() {
    let world = World::new().await;
    let put = world.client.put_item().table_name(TABLE).set_item(Some(key("a", "1")));
    let put = put.condition_expression("attribute_not_exists(pk)").expression_attribute_values(":x", n(1));
    assert_eq!(code(&put.send().await.unwrap_err()), "ValidationException");
}

#[tokio::test]
async fn twenty_writers_that_add_ten_times_each_make_two_hundred() {
    let world = World::new().await;
    let writers: Vec<_> = (0..20)
        .map(|_| {
            let client = world.client.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let add = client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
                    let add = add.update_expression("ADD hits :one");
                    add.expression_attribute_values(":one", n(1)).send().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(world.get("a", "1").await.unwrap()["hits"], n(200));
}

#[tokio::test]
async fn a_table_that_is_not_there_is_an_error() {
    let world = World::new().await;
    let put = world.client.put_item().table_name("missing").set_item(Some(key("a", "1")));
    assert_eq!(code(&put.send().await.unwrap_err()), "ResourceNotFoundException");
}
