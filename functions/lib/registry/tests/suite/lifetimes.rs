//! How long things last: leases of blobs, upload sessions, and the right to read.

use std::time::Duration;

use proptest::prelude::*;
use registry::ports::Timestamp;
use registry::records::Record;
use registry::testing::Call::{ItemsGet, ItemsTransact};

use crate::client::{Client, blob, committing, mounting};
use crate::content::Content;
use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Returns until when each link holds its blob.
async fn leases(world: &World) -> Vec<Timestamp> {
    let items = world.all_items().await;
    items.iter().filter_map(|item| item.record.as_link()).map(|link| link.lease_until).collect()
}

async fn pushed() -> (World, Client, Content) {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    client.push_blob("app", &layer).await.expect(201);
    world.probe.reset();
    (world, client, layer)
}

#[tokio::test]
async fn a_head_in_the_first_half_of_a_lease_writes_nothing() {
    let (world, client, layer) = pushed().await;
    let before = leases(&world).await;
    world.clock.advance(12 * HOUR);
    client.head(&blob("app", &layer.digest)).await.expect(200);
    assert_eq!(world.probe.calls(), [ItemsGet]);
    assert_eq!(leases(&world).await, before);
}

#[tokio::test]
async fn a_head_in_the_second_half_of_a_lease_begins_a_new_one() {
    let (world, client, layer) = pushed().await;
    let before = leases(&world).await;
    world.clock.advance(12 * HOUR + Duration::from_millis(1));
    client.head(&blob("app", &layer.digest)).await.expect(200);
    assert_eq!(world.probe.calls(), [ItemsGet, ItemsTransact]);
    assert_eq!(leases(&world).await, [before[0].after(12 * HOUR + Duration::from_millis(1))]);
}

#[tokio::test]
async fn a_get_writes_nothing_however_old_the_lease_is() {
    let (world, client, layer) = pushed().await;
    let before = leases(&world).await;
    world.clock.advance(30 * DAY);
    client.get(&blob("app", &layer.digest)).await.expect(200);
    assert_eq!(leases(&world).await, before);
}

#[tokio::test]
async fn every_answer_that_promises_a_blob_holds_it_for_twelve_hours() {
    let (world, client, layer) = pushed().await;
    for step in 0..40_u32 {
        world.clock.advance(step * HOUR);
        match step % 3 {
            0 => client.head(&blob("app", &layer.digest)).await.expect(200),
            1 => client.post(&mounting("app", &layer.digest, "app"), "").await.expect(201),
            _ => client.push_blob("app", &layer).await.expect(201),
        };
        let promised = registry::ports::Clock::now(&*world.clock).after(12 * HOUR);
        assert!(leases(&world).await.iter().all(|until| *until >= promised), "step {step}");
    }
}

#[tokio::test]
async fn an_upload_is_unknown_after_seven_days() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let location = client.begin("app").await;
    client.patch(&location, layer.bytes.clone()).await.expect(202);
    world.clock.advance(7 * DAY - Duration::from_millis(1));
    client.get(&location).await.expect(204);
    world.clock.advance(Duration::from_millis(1));
    client.get(&location).await.expect(404);
    client.patch(&location, "more").await.expect(404);
    client.put(&committing(&location, &layer.digest), "").await.expect(404);
    client.delete(&location).await.expect(404);
    world.fsck().await;
}

#[tokio::test]
async fn an_upload_is_known_in_its_own_repository_alone() {
    let (world, layer) = (World::new(), Content::blob("layer"));
    let client = world.client();
    let location = client.begin("app").await;
    let elsewhere = location.replace("/v2/app/", "/v2/other/");
    client.get(&elsewhere).await.expect(404);
    client.patch(&elsewhere, "layer").await.expect(404);
    client.put(&committing(&elsewhere, &layer.digest), "layer").await.expect(404);
    client.delete(&elsewhere).await.expect(404);
    assert_eq!(client.get(&location).await.expect(204).header("range"), "0-0");
}

#[tokio::test]
async fn what_has_to_be_looked_at_is_due_when_its_lease_ends() {
    let (world, _, _) = pushed().await;
    let lease = leases(&world).await[0];
    let items = world.all_items().await;
    let due: Vec<&str> = items
        .iter()
        .filter(|item| matches!(&item.record, Record::Suspect(suspect) if suspect_is_link(suspect)))
        .map(|item| item.key.sk.split('#').next().unwrap())
        .collect();
    assert_eq!(due, [format!("{:013}", lease.as_millis())]);
}

fn suspect_is_link(suspect: &registry::records::SuspectRecord) -> bool {
    matches!(suspect, registry::records::SuspectRecord::Link { .. })
}

const REPOSITORIES: [&str; 3] = ["a", "b", "c"];

/// One thing that a client does with the one blob.
#[derive(Clone, Copy, Debug)]
enum Step {
    Head(usize),
    Get(usize),
    Push(usize),
    Mount(usize, usize),
    MountFromAnywhere(usize),
    Delete(usize),
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let place = 0..REPOSITORIES.len();
    prop_oneof![
        place.clone().prop_map(Step::Head),
        place.clone().prop_map(Step::Get),
        place.clone().prop_map(Step::Push),
        (place.clone(), place.clone()).prop_map(|(to, from)| Step::Mount(to, from)),
        place.clone().prop_map(Step::MountFromAnywhere),
        place.prop_map(Step::Delete),
        Just(Step::Wait),
    ]
}

/// Does the step; `has` is what each repository should have, before and after.
async fn take(world: &World, client: &Client, layer: &Content, has: &mut [bool; 3], step: Step) {
    let readable = |has: bool| if has { 200 } else { 404 };
    let path = |place: usize| blob(REPOSITORIES[place], &layer.digest);
    match step {
        Step::Head(place) => drop(client.head(&path(place)).await.expect(readable(has[place]))),
        Step::Get(place) => drop(client.get(&path(place)).await.expect(readable(has[place]))),
        Step::Push(place) => {
            client.push_blob(REPOSITORIES[place], layer).await.expect(201);
            has[place] = true;
        }
        Step::Mount(to, from) => {
            let path = mounting(REPOSITORIES[to], &layer.digest, REPOSITORIES[from]);
            client.post(&path, "").await.expect(if has[from] { 201 } else { 202 });
            has[to] |= has[from];
        }
        Step::MountFromAnywhere(to) => {
            let path = format!("/v2/{}/blobs/uploads/?mount={}", REPOSITORIES[to], layer.digest);
            let is_somewhere = has.contains(&true);
            client.post(&path, "").await.expect(if is_somewhere { 201 } else { 202 });
            has[to] |= is_somewhere;
        }
        Step::Delete(place) => {
            client.delete(&path(place)).await.expect(if has[place] { 202 } else { 404 });
            has[place] = false;
        }
        Step::Wait => world.clock.advance(13 * HOUR),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_blob_is_readable_exactly_where_it_was_pushed_or_mounted(
        steps in proptest::collection::vec(step(), 1..25),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (world, layer) = (World::new(), Content::blob("layer"));
            let (client, mut has) = (world.client(), [false; 3]);
            for step in steps {
                take(&world, &client, &layer, &mut has, step).await;
                for (repository, has) in REPOSITORIES.iter().zip(has) {
                    let path = blob(repository, &layer.digest);
                    let part = client.get_with(&path, &[("range", "bytes=0-0")]).await;
                    part.expect(if has { 206 } else { 404 });
                }
            }
            world.fsck().await;
        });
    }
}
