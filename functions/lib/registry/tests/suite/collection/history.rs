//! The history of tags, and putting them back; through permits, as the management does.

use std::sync::Arc;

use futures_util::FutureExt;
use oci::Digest;
use registry::access::{Address, Caller, Gate, Permit, Pull, Push};
use registry::jobs::garbage_collection::Budget;
use registry::ports::{Clock, Condition, Item, ItemStore, Key, Version, Write};
use registry::records::{HistoryRecord, Record, SuspectRecord, keys};
use registry::testing::{Call, Outcome};
use registry::{Error, TagMove};

use super::{DAY, HOUR};
use crate::client::{Client, manifest};
use crate::content::{Content, Image};
use crate::world::World;

struct Scene {
    world: World,
    client: Client,
    old: Image,
    new: Image,
    pull: Permit<Pull>,
    push: Permit<Push>,
}

/// A tag that was moved from the old image to the new one.
async fn scene() -> Scene {
    let (world, old, new) = (World::new(), Image::named("old"), Image::named("new"));
    let client = world.client();
    client.push_image("app", "v1", &old).await.expect(201);
    world.clock.advance(DAY);
    client.push_image("app", "v1", &new).await.expect(201);
    let (gate, caller) = (Gate::open(world.registry()), Caller::everybody(Address::default()));
    let name = "app".parse().unwrap();
    let pull = gate.admit(&caller, &name).await.unwrap();
    let push = gate.admit(&caller, &name).await.unwrap();
    Scene { world, client, old, new, pull, push }
}

fn step(record: &HistoryRecord) -> (&str, Option<&str>) {
    (record.before.digest.as_str(), record.after.as_ref().map(Digest::as_str))
}

fn steps(moves: &[TagMove]) -> Vec<(&str, Option<&str>)> {
    moves.iter().map(|entry| step(&entry.record)).collect()
}

#[tokio::test]
async fn every_move_of_a_tag_is_told_the_latest_first() {
    let Scene { world, client, old, new, pull, .. } = scene().await;
    world.clock.advance(DAY);
    client.put_manifest("app", "v1", &old.manifest).await.expect(201);
    world.clock.advance(DAY);
    client.delete(&manifest("app", "v1")).await.expect(202);
    client.put_manifest("app", "v10", &old.manifest).await.expect(201);
    let (old, new) = (old.manifest.digest.as_str(), new.manifest.digest.as_str());
    let tag = "v1".parse().unwrap();
    let moves = pull.tag_history(Some(&tag), 10, None).await.unwrap();
    assert_eq!(steps(&moves), [(old, None), (new, Some(old)), (old, Some(new))]);
    assert!(moves.iter().all(|entry| entry.can_be_restored && entry.tag == tag));
    let first = pull.tag_history(Some(&tag), 1, None).await.unwrap();
    let rest = pull.tag_history(Some(&tag), 10, Some(&first[0].id)).await.unwrap();
    assert_eq!([first, rest].concat(), moves);
    assert_eq!(pull.tag_history(None, 10, None).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_tag_is_put_back_and_that_is_a_move_too() {
    let Scene { world, client, old, new, push, pull } = scene().await;
    let tag = "v1".parse().unwrap();
    world.clock.advance(DAY);
    let restored = push.tag_restore(&tag, None).await.unwrap();
    assert_eq!(restored.as_str(), old.manifest.digest);
    assert_eq!(client.get(&manifest("app", "v1")).await.expect(200).body, old.manifest.bytes);
    world.clock.advance(DAY);
    let restored = push.tag_restore(&tag, None).await.unwrap();
    assert_eq!(restored.as_str(), new.manifest.digest, "an undo is undone");
    world.clock.advance(DAY);
    client.delete(&manifest("app", "v1")).await.expect(202);
    push.tag_restore(&tag, None).await.unwrap();
    assert_eq!(client.get(&manifest("app", "v1")).await.expect(200).body, new.manifest.bytes);
    let digest = old.manifest.digest.parse().unwrap();
    push.tag_restore(&tag, Some(&digest)).await.unwrap();
    assert_eq!(client.get(&manifest("app", "v1")).await.expect(200).body, old.manifest.bytes);
    assert_eq!(pull.tag_history(Some(&tag), 10, None).await.unwrap().len(), 5);
    world.fsck().await;
}

#[tokio::test]
async fn what_is_gone_or_was_never_there_cannot_be_restored() {
    let Scene { client, old, push, pull, .. } = scene().await;
    let tag = "v1".parse().unwrap();
    let other = Content::blob("other").digest.parse().unwrap();
    let refused = push.tag_restore(&tag, Some(&other)).await;
    assert!(matches!(refused, Err(Error::TagMoveUnknown { digest: Some(_), .. })), "{refused:?}");
    let refused = push.tag_restore(&"v2".parse().unwrap(), None).await;
    assert!(matches!(refused, Err(Error::TagMoveUnknown { digest: None, .. })), "{refused:?}");
    client.delete(&manifest("app", &old.manifest.digest)).await.expect(202);
    let moves = pull.tag_history(Some(&tag), 10, None).await.unwrap();
    assert!(!moves[0].can_be_restored);
    assert!(matches!(push.tag_restore(&tag, None).await, Err(Error::ManifestUnknown { .. })));
}

#[tokio::test]
async fn a_tag_that_points_there_already_needs_no_history_and_gets_none() {
    let Scene { new, push, pull, .. } = scene().await;
    let (tag, digest) = ("v1".parse().unwrap(), new.manifest.digest.parse().unwrap());
    for _ in 0..2 {
        assert_eq!(push.tag_restore(&tag, Some(&digest)).await.unwrap(), digest);
    }
    assert_eq!(pull.tag_history(Some(&tag), 10, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_immutable_tag_is_not_put_back() {
    let Scene { world, push, client, new, .. } = scene().await;
    world.make_immutable("app", "v*").await;
    let restored = push.tag_restore(&"v1".parse().unwrap(), None).await;
    assert!(matches!(restored, Err(Error::TagImmutable { .. })));
    assert_eq!(client.get(&manifest("app", "v1")).await.expect(200).body, new.manifest.bytes);
}

/// A deletion that is refused takes its own suspect back, whatever else there is against the manifest.
#[tokio::test]
async fn a_suspect_stays_when_another_that_says_the_same_is_taken_back() {
    let Scene { world, old, .. } = scene().await;
    let suspect = SuspectRecord::Manifest {
        repository: "app".parse().unwrap(),
        digest: old.manifest.digest.parse().unwrap(),
    };
    let queued = |items: Vec<Item>| -> Vec<Key> {
        let same = items.into_iter().filter(|item| item.record.as_suspect() == Some(&suspect));
        same.map(|item| item.key).collect()
    };
    for key in queued(world.all_items().await) {
        world.items.transact(vec![Write::Delete(key, Condition::Always)]).await.unwrap();
    }
    let [first, last] = [1, 2].map(|hours| keys::suspect(world.clock.now().after(hours * HOUR), &suspect));
    for key in [&first, &last] {
        let item =
            Item { key: key.clone(), version: Version::new("1"), record: Record::Suspect(suspect.clone()) };
        world.items.transact(vec![Write::Put(item, Condition::Absent)]).await.unwrap();
    }
    world.clock.advance(DAY);
    let (items, taken) = (Arc::clone(&world.items), Write::Delete(last, Condition::Always));
    let take_back = move |call| {
        if call == Call::ItemsGet {
            items.transact(vec![taken.clone()]).now_or_never().unwrap().unwrap();
        }
        Outcome::Done
    };
    world.collector_hooked(take_back).run(&Budget::ALL, None).await;
    assert_eq!(queued(world.all_items().await), [first]);
}
