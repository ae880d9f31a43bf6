//! The stream of what was written.

use dynamodb_standin::{EventName, Fault, StreamRecord, lambda_event};
use serde_json::json;

use crate::batches::{keys, puts};
use crate::world::{TABLE, World, add_one, check_present, delete, item, key, n, put, put_if_absent};

fn summary(records: &[StreamRecord]) -> Vec<(EventName, &str)> {
    records.iter().map(|record| (record.event_name, record.keys["sk"]["S"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_record_holds_the_keys_and_the_new_item() {
    let world = World::new().await;
    world.put(item("EV#1", "one", n(7))).await;
    let records = world.standin.stream().take();
    let keys = json!({ "pk": { "S": "EV#1" }, "sk": { "S": "one" } });
    let image = json!({ "pk": { "S": "EV#1" }, "sk": { "S": "one" }, "value": { "N": "7" } });
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].table.as_str(), records[0].event_name), (TABLE, EventName::Insert));
    assert_eq!((&records[0].keys, &records[0].new_image), (&keys, &Some(image)));
}

#[tokio::test]
async fn the_stream_tells_insert_modify_and_remove_apart() {
    let world = World::new().await;
    world.put(key("a", "1")).await;
    world.put(item("a", "1", n(1))).await;
    world.client.delete_item().table_name(TABLE).set_key(Some(key("a", "1"))).send().await.unwrap();
    let records = world.standin.stream().take();
    let events: Vec<_> = records.iter().map(|record| record.event_name).collect();
    assert_eq!(events, [EventName::Insert, EventName::Modify, EventName::Remove]);
    assert_eq!(records[2].new_image, None);
}

#[tokio::test]
async fn every_write_of_transactions_and_batches_is_in_the_stream() {
    let world = World::new().await;
    world.client.batch_write_item().request_items(TABLE, puts(1)).send().await.unwrap();
    let actions = vec![add_one("a", "0"), put(key("a", "1")), check_present("a", "0"), delete("a", "9")];
    world.transact(actions).await.unwrap_err();
    world.transact(vec![add_one("a", "0"), put(key("a", "1")), delete("a", "9")]).await.unwrap();
    let records = world.standin.stream().take();
    let expected = [(EventName::Insert, "0"), (EventName::Modify, "0"), (EventName::Insert, "1")];
    assert_eq!(summary(&records), expected);
}

#[tokio::test]
async fn a_write_that_was_refused_or_changes_nothing_leaves_no_record() {
    let world = World::new().await;
    world.put(key("a", "1")).await;
    world.standin.stream().take();
    world.put(key("a", "1")).await;
    world.transact(vec![put(key("a", "2")), put_if_absent(key("a", "1"))]).await.unwrap_err();
    world.standin.faults().plan("PutItem", 1, Fault::Throttled);
    let refused = world.client.put_item().table_name(TABLE).set_item(Some(key("a", "3"))).send().await;
    refused.unwrap_err();
    world.client.batch_get_item().request_items(TABLE, keys(2)).send().await.unwrap();
    assert_eq!(world.standin.stream().take(), []);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_in_the_stream() {
    let world = World::new().await;
    world.standin.faults().plan("TransactWriteItems", 1, Fault::AppliedThenLost);
    world.transact(vec![put(key("a", "1"))]).await.unwrap_err();
    assert_eq!(summary(&world.standin.stream().take()), [(EventName::Insert, "1")]);
}

#[tokio::test]
async fn sequence_numbers_grow_and_records_are_taken_once() {
    let world = World::new().await;
    world.fill("a", (0..12).map(|number| number.to_string())).await;
    let mut records = world.standin.stream().take();
    assert_eq!(records.len(), 12);
    assert!(records.is_sorted_by(|one, next| one.sequence_number < next.sequence_number));
    world.put(key("a", "more")).await;
    let next = world.standin.stream().next().await;
    assert!(records.pop().unwrap().sequence_number < next.sequence_number);
    assert_eq!(world.standin.stream().take(), []);
}

#[tokio::test]
async fn records_of_racing_writes_are_in_the_order_of_the_writes() {
    let world = World::new().await;
    let racers: Vec<_> = (0..32)
        .map(|_| {
            let add = world.client.update_item().table_name(TABLE).set_key(Some(key("a", "1")));
            let add = add.update_expression("ADD hits :one").expression_attribute_values(":one", n(1));
            tokio::spawn(add.send())
        })
        .collect();
    for racer in racers {
        racer.await.unwrap().unwrap();
    }
    let images = world.standin.stream().take().into_iter().map(|record| record.new_image.unwrap());
    let hits: Vec<_> = images.map(|image| image["hits"]["N"].as_str().unwrap().to_owned()).collect();
    assert_eq!(hits, (1..=32).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_waiting_reader_gets_the_next_record() {
    let world = World::new().await;
    let (record, ()) = tokio::join!(world.standin.stream().next(), world.put(key("a", "1")));
    assert_eq!(record.keys["sk"]["S"], "1");
}

#[tokio::test]
async fn the_lambda_event_has_the_fields_of_a_stream_with_new_images() {
    let world = World::new().await;
    world.put(item("a", "1", n(7))).await;
    world.client.delete_item().table_name(TABLE).set_key(Some(key("a", "1"))).send().await.unwrap();
    let event = lambda_event(&world.standin.stream().take(), "eu-central-1");
    let [insert, remove] = event["Records"].as_array().unwrap().as_slice() else { panic!("{event}") };
    assert_eq!((&insert["eventName"], &insert["eventSource"]), (&json!("INSERT"), &json!("aws:dynamodb")));
    assert_eq!(insert["dynamodb"]["NewImage"]["value"]["N"], "7");
    assert_eq!(insert["dynamodb"]["StreamViewType"], "NEW_IMAGE");
    assert!(insert["eventSourceARN"].as_str().unwrap().contains("table/slipway/stream/"));
    assert_eq!((&remove["eventName"], remove["dynamodb"].get("NewImage")), (&json!("REMOVE"), None));
}
