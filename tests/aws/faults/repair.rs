//! A repair on AWS is a job of the scheduled function: whatever is missing, the function may write it again.

use registry::jobs::fsck::fsck;
use registry::ports::{Condition, ItemStore, Key, ObjectScan, ObjectStore, Timestamp, Write};
use scheduled::Job;

use crate::client::Client;
use crate::content::Things;
use crate::operations::Operation;
use crate::rights::Roles;
use crate::world::{Cloud, World};

const NEVER: Timestamp = Timestamp::from_millis(u64::MAX);

/// Something of everything that a repair can be about.
async fn full_world(cloud: &Cloud, things: &Things) -> World {
    let world = cloud.world().await;
    Operation::CollectionBySchedule.prepare(&world, things).await;
    let client = Client(world.settled());
    for (tag, manifest) in [("v5", &things.index), ("v6", &things.referrer), ("v7", &things.large)] {
        client.put_manifest("app", tag, manifest).await.expect(201);
    }
    world
}

/// Repairs with the function's rights. Returns how much it mended, and how much is lost.
async fn repair(world: &World, roles: &mut Roles, missing: &str) -> (usize, usize) {
    world.layer.begin(None);
    let repaired = scheduled::run(&world.backend, Job::Repair { dry_run: false, deep: true }, NEVER).await;
    let calls = world.layer.end();
    roles.assert_allow_job("ScheduledRole", &format!("repair without {missing}"), &calls);
    let report = repaired.unwrap_or_else(|error| panic!("without {missing}: {error}"));
    let count = |list: &str| report[list].as_array().unwrap().len();
    (count("mends"), count("losses"))
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_missing_the_scheduled_function_may_repair() {
    let (cloud, things, mut roles) = (Cloud::start().await, Things::new(), Roles::of_the_template());
    let full = full_world(&cloud, &things).await;
    assert_eq!(repair(&cloud.copy(&full).await, &mut roles, "nothing").await.1, 0);
    let keys: Vec<Key> = full.items().0.into_iter().map(|item| item.key).collect();
    assert!(keys.len() > 30, "{}", keys.len());
    let mut is_mended = 0;
    for key in keys {
        let world = cloud.copy(&full).await;
        let missing = format!("{} {}", key.pk, key.sk);
        world.direct.items.transact(vec![Write::Delete(key, Condition::Always)]).await.unwrap();
        let (mends, losses) = repair(&world, &mut roles, &missing).await;
        is_mended += usize::from(mends > 0);
        let report = fsck(&world.items(), &world.direct.objects, true).await.unwrap();
        assert!(losses > 0 || !report.is_broken(), "without {missing}: {report:#?}");
    }
    assert!(is_mended > 20, "{is_mended}");
    for object in full.direct.objects.scan().await.unwrap() {
        let world = cloud.copy(&full).await;
        world.direct.objects.delete(&object.key).await.unwrap();
        repair(&world, &mut roles, &object.key.to_string()).await;
    }
}
