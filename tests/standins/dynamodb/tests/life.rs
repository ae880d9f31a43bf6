//! Start and end.

use std::net::TcpStream;
use std::time::Duration;

use dynamodb_standin::{DynamoDbStandin, Options};

use crate::world::{TABLE, World, key};

#[tokio::test]
async fn two_stand_ins_know_nothing_of_each_other() {
    let (one, other) = (World::new().await, World::new().await);
    one.put(key("a", "1")).await;
    assert_eq!(other.get("a", "1").await, None);
    assert_eq!(other.standin.calls().of("PutItem"), 0);
}

#[tokio::test]
async fn a_stand_in_listens_where_it_is_told() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = World::with(Options { address: free, ..Options::default() }).await;
    assert_eq!(world.standin.endpoint(), format!("http://{free}"));
    world.put(key("a", "1")).await;
}

#[tokio::test]
async fn a_dropped_stand_in_stops_listening() {
    let standin = DynamoDbStandin::start(Options::default()).await;
    let address = standin.endpoint().strip_prefix("http://").unwrap().to_owned();
    TcpStream::connect(&address).unwrap();
    drop(standin);
    for _ in 0..10_000 {
        if TcpStream::connect(&address).is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it still listens");
}

#[tokio::test]
async fn a_copied_table_has_the_items_and_then_goes_its_own_way() {
    let world = World::new().await;
    world.fill("a", (0..300).map(|number| format!("{number:03}"))).await;
    let calls = world.standin.calls().of("PutItem");
    world.standin.copy_table(TABLE, "copy");
    world.put(key("a", "later")).await;
    assert_eq!(world.standin.calls().of("PutItem"), calls + 1);
    let sort_keys = |table: &str| -> std::collections::BTreeSet<String> {
        let items = world.standin.items(table);
        items.iter().map(|item| item["sk"]["S"].as_str().unwrap().to_owned()).collect()
    };
    let (all, copied) = (sort_keys(TABLE), sort_keys("copy"));
    assert_eq!((all.len(), copied.len()), (301, 300));
    assert!(copied.is_subset(&all));
    assert!(world.standin.stream().take().iter().all(|record| record.table == TABLE));
}

#[tokio::test]
async fn several_tables_are_kept_apart() {
    let world = World::new().await;
    world.standin.create_table("another");
    let put = world.client.put_item().table_name("another").set_item(Some(key("a", "1")));
    put.send().await.unwrap();
    assert_eq!(world.get("a", "1").await, None);
    let records = world.standin.stream().take();
    assert_eq!((records.len(), records[0].table.as_str()), (1, "another"));
    let tables = world.client.list_tables().send().await.unwrap();
    assert_eq!(tables.table_names(), ["another", TABLE]);
}
