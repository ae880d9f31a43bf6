//! A rehearsal says what a run would do, and does nothing.

use registry::jobs::garbage_collection::{Budget, Policy, Report};
use registry::ports::Clock;

use super::DAY;
use crate::client::{manifest, mounting};
use crate::content::{Content, Image};
use crate::world::World;

fn told(report: &Report) -> Vec<String> {
    let mut told: Vec<String> = report
        .gone
        .iter()
        .map(|gone| format!("{:?} {} {} {}", gone.kind, gone.what, gone.why, gone.size_bytes))
        .collect();
    told.sort();
    told
}

#[tokio::test]
async fn a_rehearsal_tells_what_the_run_then_does_and_changes_nothing() {
    let world = World::new();
    let client = world.client();
    let (gone, kept, shared) = (Image::named("gone"), Image::named("kept"), Image::named("shared"));
    for (tag, image) in [("gone", &gone), ("kept", &kept), ("shared", &shared)] {
        client.push_image("app", tag, image).await.expect(201);
    }
    client.post(&mounting("other", &shared.layer.digest, "app"), "").await.expect(201);
    client.post(&mounting("other", &kept.layer.digest, "app"), "").await.expect(201);
    for image in [&gone, &shared] {
        client.delete(&manifest("app", &image.manifest.digest)).await.expect(202);
    }
    let half = client.begin("app").await;
    client.patch(&half, "half of it").await.expect(202);
    world.clock.advance(9 * DAY);
    let before = world.all_items().await;
    let rehearsed = world.collector(Policy::default()).rehearse(&Budget::ALL, None).await;
    assert!(rehearsed.is_rehearsal && rehearsed.error.is_none());
    assert_eq!(world.all_items().await, before);
    world.fsck().await;
    let done = world.collect().await;
    assert_eq!(told(&rehearsed), told(&done));
    assert_eq!(done.gone.len(), 6 + 4 + 1);
    assert_eq!((rehearsed.suspects, rehearsed.gone_bytes()), (done.suspects, done.gone_bytes()));
}

#[tokio::test]
async fn a_rehearsal_of_a_policy_tells_of_manifests_and_all_that_goes_with_them() {
    let (world, image) = (World::new(), Image::named("app"));
    let client = world.client();
    client.push_image("app", "v1", &image).await.expect(201);
    client.delete(&manifest("app", "v1")).await.expect(202);
    world.clock.advance(30 * DAY);
    let policy = Policy { untagged: Some(DAY), ..Policy::default() };
    let rehearsed = world.collector(policy).rehearse(&Budget::ALL, None).await;
    client.get(&manifest("app", &image.manifest.digest)).await.expect(200);
    let done = world.collect_by(policy).await;
    assert_eq!(told(&rehearsed), told(&done));
    assert_eq!(done.gone.len(), 1 + 2 + 2);
}

#[tokio::test]
async fn a_rehearsal_ends_with_its_budget_and_says_so() {
    let world = World::new();
    for number in 0..40 {
        world.client().push_blob("app", &Content::blob(format!("blob {number}"))).await.expect(201);
    }
    world.clock.advance(9 * DAY);
    let (few, over) = (Budget { suspects: 10, ..Budget::ALL }, world.clock.now());
    let rehearsed = world.collector(Policy::default()).rehearse(&few, Some(0)).await;
    assert!(rehearsed.suspects < 40 && rehearsed.next.is_some(), "{rehearsed:#?}");
    let late = Budget { until: Some(over), ..Budget::ALL };
    let rehearsed = world.collector(Policy::default()).rehearse(&late, Some(7)).await;
    assert_eq!((rehearsed.suspects, rehearsed.next), (0, Some(7)));
}
