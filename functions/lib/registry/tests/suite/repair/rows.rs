//! Rows that are missing, wrong, misplaced or unreadable.

use registry::jobs::garbage_collection::{Budget, Policy};
use registry::jobs::repair::Shop;
use registry::ports::{Condition, Item, Key, ObjectKey, Version, Write};
use registry::records::{BlobState, Record};

use super::{change, essence, essences, furnished, repair, write};

#[tokio::test]
async fn every_row_that_others_know_of_is_written_again() {
    let (world, _) = furnished().await;
    let before = essences(&world).await;
    let mut count = 0;
    for item in world.all_items().await {
        let is_known = match &item.record {
            Record::Edge(edge) => edge.left.is_none(),
            Record::Catalog | Record::Link(_) | Record::Blob(_) | Record::BlobEdge => true,
            Record::Referrer(_) | Record::OpenUpload => true,
            _ => false,
        };
        if !is_known {
            continue;
        }
        count += 1;
        write(&world, Write::Delete(item.key.clone(), Condition::Always)).await;
        assert_ne!(world.broken().await, Vec::<String>::new(), "{item:?} is missed");
        let report = repair(&world).await;
        assert_eq!(report.losses, [], "{item:?}");
        assert_eq!(report.mends.len(), 1, "{item:?}: {report:#?}");
        world.fsck().await;
        assert_eq!(essences(&world).await, before, "{item:?}");
    }
    assert!(count >= 25, "{count}");
}

#[tokio::test]
async fn every_length_and_object_that_is_wrong_is_put_right() {
    let (world, _) = furnished().await;
    let before = essences(&world).await;
    let elsewhere = ObjectKey::stored("data/00/elsewhere");
    let mut count = 0;
    for item in world.all_items().await {
        let mut wrong = Vec::new();
        match item.record.clone() {
            Record::Link(link) => {
                let mut moved = link.clone();
                moved.object = elsewhere.clone();
                let mut longer = link;
                longer.size_bytes += 1;
                wrong.extend([Record::Link(moved), Record::Link(longer)]);
            }
            Record::Blob(blob) => {
                let (mut moved, mut longer, mut dead) = (blob.clone(), blob.clone(), blob);
                moved.object = elsewhere.clone();
                longer.size_bytes += 1;
                dead.state = BlobState::Dead;
                wrong.extend([Record::Blob(moved), Record::Blob(longer), Record::Blob(dead)]);
            }
            Record::Tag(mut tag) => {
                tag.size_bytes += 1;
                wrong.push(Record::Tag(tag));
            }
            Record::Manifest(mut manifest) => {
                manifest.size_bytes += 1;
                wrong.push(Record::Manifest(manifest));
            }
            _ => {}
        }
        for record in wrong {
            count += 1;
            change(&world, &item, record.clone()).await;
            assert_ne!(world.broken().await, Vec::<String>::new(), "{record:?} is missed");
            assert_eq!(repair(&world).await.losses, [], "{record:?}");
            world.fsck().await;
            assert_eq!(essences(&world).await, before, "{record:?}");
        }
    }
    assert!(count >= 20, "{count}");
}

#[tokio::test]
async fn a_row_in_the_wrong_place_goes_aside() {
    let (world, _) = furnished().await;
    let edge =
        world.all_items().await.into_iter().find(|item| matches!(item.record, Record::Edge(_))).unwrap();
    let before = essences(&world).await;
    for (pk, sk, record) in [
        (edge.key.pk.as_str(), "nonsense", edge.record.clone()),
        ("CAT#0", "No Name", Record::Catalog),
        ("X", "Y", Record::BlobEdge),
    ] {
        let key = Key::new(pk, sk);
        let item = Item { key: key.clone(), version: Version::new("1"), record };
        write(&world, Write::Put(item, Condition::Always)).await;
        assert_ne!(world.broken().await, Vec::<String>::new(), "{key:?} is missed");
        assert_eq!(repair(&world).await.losses, [], "{key:?}");
        world.fsck().await;
        assert_eq!(essences(&world).await, before, "{key:?}");
    }
}

/// What a client could miss if it went.
fn is_content(item: &Item) -> bool {
    let is_watched = matches!(item.record, Record::Suspect(_) | Record::Upload(_) | Record::OpenUpload);
    !is_watched && !matches!(item.record, Record::History(_) | Record::Event(_))
}

#[tokio::test]
async fn a_row_that_stays_unread_for_weeks_costs_nothing_when_it_can_be_read_again() {
    let (world, _) = furnished().await;
    let count = world.all_items().await.len();
    for number in 0..count {
        let (world, _) = furnished().await;
        let before: Vec<Item> = world.all_items().await.into_iter().filter(is_content).collect();
        let Some(row) = before.get(number) else { return assert!(number >= 40, "{number} rows") };
        world.items.spoil(row.key.clone());
        let registry = world.registry();
        let (items, objects) = (&*world.items, &*world.objects);
        let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: true };
        let named = format!("item {}/{}", row.key.pk, row.key.sk);
        let losses = shop.repair(&|_, _| {}).await.unwrap().losses;
        assert!(losses.iter().any(|loss| loss.what == named), "{losses:?}");
        for _ in 0..3 {
            world.clock.advance(std::time::Duration::from_secs(9 * 24 * 60 * 60));
            let report = world.collector(Policy::default()).run(&Budget::ALL, None).await;
            assert_eq!(report.error, None, "{row:?}");
        }
        write(&world, Write::Put(row.clone(), Condition::Always)).await;
        world.fsck().await;
        let (before, after): (Vec<_>, _) =
            (before.iter().filter_map(essence).collect(), essences(&world).await);
        assert!(before.iter().all(|row| after.contains(row)), "{row:?}: {after:#?}");
    }
}
