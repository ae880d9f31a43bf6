//! A row of the stream that cannot be told must not cost the others more than their turn.

use gateway_standin::stream_event;
use serde_json::{Value, json};

use crate::client::Client;
use crate::content::Things;
use crate::world::{Cloud, World};

/// Returns the events that are waiting, oldest first.
fn waiting(world: &World) -> Vec<Value> {
    let mut rows = world.rows();
    rows.retain(|row| row["pk"]["S"].as_str().is_some_and(|pk| pk.starts_with("EV#")));
    rows.sort_by_key(|row| row["sk"]["S"].as_str().unwrap().to_owned());
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_is_reported_alone_and_the_others_are_told() {
    let (cloud, things) = (Cloud::start().await, Things::new());
    let world = cloud.world().await;
    let client = Client(world.settled());
    client.post_blob("app", &things.config).await.expect(201);
    for (tag, manifest) in [("v1", &things.old), ("v2", &things.new), ("v3", &things.referrer)] {
        client.put_manifest("app", tag, manifest).await.expect(201);
    }
    let mut rows = waiting(&world);
    assert_eq!(rows.len(), 3);
    let readable = std::mem::replace(&mut rows[1]["format"], json!({ "N": "250" }));

    let sequence_number = stream_event(&rows)["Records"][1]["dynamodb"]["SequenceNumber"].clone();
    let answer = world.events.react(stream_event(&rows)).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([{ "itemIdentifier": sequence_number }]));
    let left = waiting(&world);
    assert_eq!(left.len(), 2, "what was before it is told, and does not come again");

    // After as many attempts as the stack allows, Lambda goes on behind it.
    let answer = world.events.react(stream_event(&rows[2..])).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    let left = waiting(&world);
    assert_eq!(left.len(), 1);
    assert_eq!((&left[0]["sk"], &left[0]["format"]), (&rows[1]["sk"], &readable), "its item is still there");
}
