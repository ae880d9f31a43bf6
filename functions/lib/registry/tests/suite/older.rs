//! Manifests that an older program took, and that would be refused by now: they are kept as they were.

use bytes::Bytes;
use registry::access::{Address, Caller, Gate, Permit, Push};
use registry::jobs::repair::Shop;
use registry::ports::{Condition, Item, ItemStore, Key, ObjectKey, ObjectStore, Timestamp, Version, Write};
use registry::records::{EdgeRecord, ManifestBody, ManifestRecord, ManifestState, Record, TagRecord, keys};
use serde_json::{Value, json};

use crate::client::{blob, manifest};
use crate::content::{Content, Image};
use crate::world::World;

/// Where all of it is.
const REPOSITORY: &str = "team/app";

/// A manifest that would be refused by now, and what it needs.
struct Older {
    manifest: Content,
    needs: Vec<Content>,
}

fn changed(content: &Content, change: impl Fn(&mut Value)) -> Content {
    let mut manifest: Value = serde_json::from_slice(&content.bytes).unwrap();
    change(&mut manifest);
    content.replaced(manifest.to_string())
}

/// One with two sizes for one manifest, one with two types for it, one with another `layers`, one with wrong `data`.
fn older(image: &Image) -> Vec<Older> {
    let index = Content::index(&[&image.manifest, &image.manifest]);
    let of_index = |change: &dyn Fn(&mut Value)| Older {
        manifest: changed(&index, change),
        needs: vec![image.manifest.clone()],
    };
    let of_image = |change: &dyn Fn(&mut Value)| Older {
        manifest: changed(&image.manifest, change),
        needs: vec![image.config.clone(), image.layer.clone()],
    };
    let docker = "application/vnd.docker.distribution.manifest.v2+json";
    vec![
        of_index(&|index| index["manifests"][1]["size"] = json!(10)),
        of_index(&|index| index["manifests"][1]["mediaType"] = json!(docker)),
        of_image(&|image| image["Layers"] = json!([])),
        of_image(&|image| image["config"]["data"] = json!("bm90IGl0")),
    ]
}

/// Puts the manifest there, as the program did that took it.
async fn plant(world: &World, tag: &str, older: &Older) {
    let repository = REPOSITORY.parse().unwrap();
    let Content { digest, bytes, media_type } = &older.manifest;
    let digest = digest.parse().unwrap();
    let size_bytes = bytes.len() as u64;
    let (pushed, pushed_by) = (Timestamp::default(), "somebody".to_owned());
    let edge = Record::Edge(EdgeRecord { since: pushed, by: pushed_by.clone(), left: None });
    let tag = tag.parse().unwrap();
    let mut rows = vec![(keys::edge_from_tag(&repository, &digest, &tag), edge.clone())];
    rows.extend(older.needs.iter().map(|needed| {
        (keys::edge_from_manifest(&repository, &needed.digest.parse().unwrap(), &digest), edge.clone())
    }));
    let media_type = oci::MediaType::parse(media_type).unwrap();
    let (of_tag, by) = (media_type.clone(), pushed_by.clone());
    let record = TagRecord { digest: digest.clone(), media_type: of_tag, size_bytes, pushed, pushed_by: by };
    rows.push((keys::tag(&repository, &tag), Record::Tag(record)));
    let (state, body) = (ManifestState::Live, ManifestBody::Inline(bytes.clone()));
    let (subject, artifact_type) = (None, None);
    let record = ManifestRecord {
        state,
        media_type,
        size_bytes,
        body,
        subject,
        artifact_type,
        pushed,
        pushed_by,
        deleted_by: None,
    };
    rows.push((keys::manifest(&repository, &digest), Record::Manifest(record)));
    world.items.transact(rows.into_iter().map(row).collect()).await.unwrap();
}

fn row((key, record): (Key, Record)) -> Write {
    Write::Put(Item { key, version: Version::new("older"), record }, Condition::Absent)
}

/// Puts manifests of every kind there, beside an image that they need; returns them with their tags.
pub(crate) async fn planted(world: &World) -> Vec<(String, Content)> {
    let image = Image::named("app");
    world.client().push_image(REPOSITORY, "new", &image).await.expect(201);
    let mut planted = Vec::new();
    for (at, older) in older(&image).into_iter().enumerate() {
        let tag = format!("older-{at}");
        world.client().put_manifest(REPOSITORY, &tag, &older.manifest).await.expect(400);
        plant(world, &tag, &older).await;
        planted.push((tag, older.manifest));
    }
    planted
}

/// Pushes manifests whose bytes are objects: an image, one that has it as its subject, and an index of both. Returns
/// their digests, the index first.
pub(crate) async fn pushed_large(world: &World) -> [String; 3] {
    let (client, image) = (world.client(), Image::named("large"));
    let long = "x".repeat(400 * 1024);
    client.push_image(REPOSITORY, "small", &image).await.expect(201);
    let large = |content: &Content| changed(content, |it| it["org.example.long"] = json!(long));
    let subject = large(&image.manifest);
    client.put_manifest(REPOSITORY, "subject", &subject).await.expect(201);
    let referrer = large(&Content::referrer(&image.config, &subject, "application/vnd.signature"));
    client.put_manifest(REPOSITORY, &referrer.digest, &referrer).await.expect(201);
    let index = large(&Content::index(&[&subject, &referrer]));
    client.put_manifest(REPOSITORY, "index", &index).await.expect(201);
    [index, subject, referrer].map(|content| content.digest)
}

/// How bytes come to harm.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Harm {
    Gone,
    /// They look like a manifest that needs something else.
    Changed,
}

/// Harms the bytes of every manifest whose bytes are an object.
pub(crate) async fn harm(world: &World, harm: Harm) {
    for item in world.all_items().await {
        let Some(ManifestRecord { body: ManifestBody::Object(object), size_bytes, .. }) =
            item.record.as_manifest().cloned()
        else {
            continue;
        };
        match harm {
            Harm::Gone => world.objects.delete(&object).await.unwrap(),
            Harm::Changed => change_bytes(world, &object, size_bytes).await,
        }
    }
}

async fn change_bytes(world: &World, object: &ObjectKey, size_bytes: u64) {
    let other = Content::index(&[&Image::named("other").manifest]).bytes;
    let padding = vec![b' '; usize::try_from(size_bytes).unwrap() - other.len()];
    world.objects.put(object, Bytes::from([&other[..], &padding].concat())).await.unwrap();
}

#[tokio::test]
async fn what_an_older_program_took_is_whole_and_stays() {
    let world = World::new();
    let planted = planted(&world).await;
    world.fsck().await;
    let (registry, items, objects) = (world.registry(), &*world.items, &*world.objects);
    let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: true };
    let report = shop.repair(&|_, _| {}).await.unwrap();
    assert_eq!((report.mends, report.losses), (vec![], vec![]));
    for (tag, older) in planted {
        assert_eq!(world.client().get(&manifest(REPOSITORY, &tag)).await.expect(200).body, older.bytes);
    }
}

#[tokio::test]
async fn bytes_of_the_right_digest_stay_even_if_they_are_no_manifest_to_anybody() {
    let (world, image) = (World::new(), Image::named("app"));
    world.client().push_image(REPOSITORY, "new", &image).await.expect(201);
    let strange = Older { manifest: image.manifest.replaced("from another time"), needs: vec![] };
    plant(&world, "strange", &strange).await;
    let (registry, items, objects) = (world.registry(), &*world.items, &*world.objects);
    let shop = Shop { registry: &registry, items, objects, quarantine: None, is_deep: true };
    let report = shop.repair(&|_, _| {}).await.unwrap();
    assert_eq!((report.mends.len(), report.losses.len()), (0, 1), "{report:#?}");
    let kept = world.client().get(&manifest(REPOSITORY, "strange")).await.expect(200);
    assert_eq!(kept.body, strange.manifest.bytes);
    world.client().delete(&manifest(REPOSITORY, &strange.manifest.digest)).await.expect(202);
    world.fsck().await;
}

#[tokio::test]
async fn what_an_older_program_took_is_deleted_with_all_that_led_from_it() {
    let world = World::new();
    for (tag, older) in planted(&world).await {
        world.client().delete(&manifest(REPOSITORY, &older.digest)).await.expect(202);
        world.client().get(&manifest(REPOSITORY, &tag)).await.expect(404);
    }
    let image = Image::named("app");
    world.client().delete(&manifest(REPOSITORY, &image.manifest.digest)).await.expect(202);
    world.collect_for(9 * 24).await;
    world.assert_clean().await;
    world.client().get(&blob(REPOSITORY, &image.layer.digest)).await.expect(404);
}

#[tokio::test]
async fn a_tag_is_put_back_to_what_an_older_program_took() {
    let world = World::new();
    let (client, planted) = (world.client(), planted(&world).await);
    let (gate, caller) = (Gate::open(world.registry()), Caller::everybody(Address::default()));
    let push: Permit<Push> = gate.admit(&caller, &REPOSITORY.parse().unwrap()).await.unwrap();
    for (tag, older) in planted {
        client.put_manifest(REPOSITORY, &tag, &Image::named("app").manifest).await.expect(201);
        let restored = push.tag_restore(&tag.parse().unwrap(), None).await.unwrap();
        assert_eq!(restored.as_str(), older.digest);
        assert_eq!(client.get(&manifest(REPOSITORY, &tag)).await.expect(200).body, older.bytes);
    }
    world.fsck().await;
}

#[tokio::test]
async fn a_manifest_whose_bytes_are_lost_is_deleted_with_all_that_led_from_it() {
    for kind in [Harm::Gone, Harm::Changed] {
        let world = World::new();
        let large = pushed_large(&world).await;
        harm(&world, kind).await;
        for digest in large {
            world.client().delete(&manifest(REPOSITORY, &digest)).await.expect(202);
            world.client().head(&manifest(REPOSITORY, &digest)).await.expect(404);
        }
        world.fsck().await;
        world
            .client()
            .delete(&manifest(REPOSITORY, &Image::named("large").manifest.digest))
            .await
            .expect(202);
        world.collect_for(9 * 24).await;
        world.assert_clean().await;
    }
}
