//! Queries of one partition.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;

use crate::world::{TABLE, World, item, key, n, s};

fn query(world: &World, range: &str, values: &[(&str, &str)]) -> QueryFluentBuilder {
    let query = world.client.query().table_name(TABLE).consistent_read(true);
    let query = query.key_condition_expression(format!("pk = :pk {range}"));
    let query = query.expression_attribute_values(":pk", s("a"));
    values.iter().fold(query, |query, (name, value)| query.expression_attribute_values(*name, s(*value)))
}

fn sks(page: &QueryOutput) -> Vec<&str> {
    page.items().iter().map(|item| item["sk"].as_s().unwrap().as_str()).collect()
}

#[tokio::test]
async fn a_prefix_longer_than_a_sort_key_is_refused() {
    let world = World::new().await;
    for (length, is_refused) in [(1023, false), (1024, false), (1025, true)] {
        let prefix = "p".repeat(length);
        let answer = query(&world, "AND begins_with(sk, :p)", &[(":p", &prefix)]).send().await;
        assert_eq!(answer.is_err(), is_refused, "{length} bytes");
    }
}

#[tokio::test]
async fn a_range_is_a_prefix_an_interval_or_a_side() {
    let world = World::new().await;
    world.fill("a", ["tag#1", "tag#2", "tag#3", "ulid#1"]).await;
    world.fill("b", ["tag#1"]).await;
    let prefix = query(&world, "AND begins_with(sk, :p)", &[(":p", "tag#")]).send().await.unwrap();
    assert_eq!(sks(&prefix), ["tag#1", "tag#2", "tag#3"]);
    let interval = query(&world, "AND sk BETWEEN :from AND :to", &[(":from", "tag#2"), (":to", "ulid#1")]);
    assert_eq!(sks(&interval.send().await.unwrap()), ["tag#2", "tag#3", "ulid#1"]);
    let side = query(&world, "AND sk > :after", &[(":after", "tag#2")]).send().await.unwrap();
    assert_eq!(sks(&side), ["tag#3", "ulid#1"]);
}

#[tokio::test]
async fn a_query_backwards_starts_with_the_last() {
    let world = World::new().await;
    world.fill("a", ["1", "2", "3"]).await;
    let page = query(&world, "", &[]).scan_index_forward(false).limit(2).send().await.unwrap();
    assert_eq!(sks(&page), ["3", "2"]);
    assert_eq!(page.last_evaluated_key(), Some(&key("a", "2")));
}

#[tokio::test]
async fn pages_follow_one_another_without_gap_or_repetition() {
    let world = World::new().await;
    world.fill("a", ["1", "2", "3", "4", "5"]).await;
    let mut seen = Vec::new();
    let mut start = None;
    loop {
        let page = query(&world, "", &[]).limit(2).set_exclusive_start_key(start).send().await.unwrap();
        seen.extend(sks(&page).into_iter().map(str::to_owned));
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["1", "2", "3", "4", "5"]);
}

#[tokio::test]
async fn a_page_may_start_after_an_item_that_is_not_there() {
    let world = World::new().await;
    world.fill("a", ["1", "3", "5"]).await;
    let page = query(&world, "", &[]).set_exclusive_start_key(Some(key("a", "2"))).send().await.unwrap();
    assert_eq!(sks(&page), ["3", "5"]);
}

#[tokio::test]
async fn a_full_last_page_still_has_a_last_evaluated_key() {
    let world = World::new().await;
    world.fill("a", ["1", "2"]).await;
    let page = query(&world, "", &[]).limit(2).send().await.unwrap();
    let start = page.last_evaluated_key().cloned();
    assert_eq!(start, Some(key("a", "2")));
    let rest = query(&world, "", &[]).limit(2).set_exclusive_start_key(start).send().await.unwrap();
    assert_eq!((rest.count(), rest.last_evaluated_key()), (0, None));
}

#[tokio::test]
async fn sort_keys_are_in_the_order_of_their_utf_8_bytes() {
    let world = World::new().await;
    // UTF-16 would put U+1F600 before U+FF5E.
    let ordered = ["#", "A", "Z", "_", "a", "z", "é", "ｅ", "～", "😀"];
    world.fill("a", ordered.iter().rev()).await;
    assert_eq!(sks(&query(&world, "", &[]).send().await.unwrap()), ordered);
}

#[tokio::test]
async fn a_filter_leaves_items_out_after_they_were_read() {
    let world = World::new().await;
    for number in 1..=3 {
        world.put(item("a", &number.to_string(), n(number))).await;
    }
    let query = query(&world, "", &[]).filter_expression("#value > :two");
    let query = query.expression_attribute_names("#value", "value").expression_attribute_values(":two", n(2));
    let page = query.send().await.unwrap();
    assert_eq!((sks(&page), page.scanned_count()), (vec!["3"], 3));
}

#[tokio::test]
async fn a_projection_returns_only_what_it_names() {
    let world = World::new().await;
    world.put(item("a", "1", n(1))).await;
    let page = query(&world, "", &[]).projection_expression("sk").send().await.unwrap();
    assert_eq!(page.items(), [[("sk".to_owned(), s("1"))].into()]);
}

#[tokio::test]
async fn a_count_returns_no_items() {
    let world = World::new().await;
    world.fill("a", ["1", "2"]).await;
    let page = query(&world, "", &[]).select("COUNT".into()).send().await.unwrap();
    assert_eq!((page.count(), page.items().len()), (2, 0));
}
