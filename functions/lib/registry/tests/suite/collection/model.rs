//! Whatever clients do: what they can reach stays, and what they cannot goes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use registry::jobs::garbage_collection::{Budget, Policy};

use super::{HOUR, LONG_HOURS};
use crate::client::{Client, blob, committing, manifest, mounting};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

const REPOSITORIES: [&str; 2] = ["a", "b"];
const TAGS: [&str; 2] = ["one", "two"];
const IMAGES: [&str; 3] = ["x", "y", "z"];

#[derive(Clone, Copy, Debug)]
enum Step {
    PushImage(usize, usize, usize),
    PushIndex(usize, usize),
    PushBlob(usize, usize),
    Mount(usize, usize),
    BeginUpload(usize),
    DeleteTag(usize, usize),
    DeleteManifest(usize, usize),
    DeleteBlob(usize, usize),
    Wait(u32),
    Collect,
    /// The next process dies at this call.
    Die(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let (repository, tag, image) = (0..REPOSITORIES.len(), 0..TAGS.len(), 0..IMAGES.len());
    prop_oneof![
        4 => (repository.clone(), tag.clone(), image.clone()).prop_map(|(r, t, i)| Step::PushImage(r, t, i)),
        1 => (repository.clone(), image.clone()).prop_map(|(r, i)| Step::PushIndex(r, i)),
        2 => (repository.clone(), image.clone()).prop_map(|(r, i)| Step::PushBlob(r, i)),
        1 => (repository.clone(), image.clone()).prop_map(|(r, i)| Step::Mount(r, i)),
        1 => repository.clone().prop_map(Step::BeginUpload),
        2 => (repository.clone(), tag).prop_map(|(r, t)| Step::DeleteTag(r, t)),
        2 => (repository.clone(), image.clone()).prop_map(|(r, i)| Step::DeleteManifest(r, i)),
        1 => (repository, image).prop_map(|(r, i)| Step::DeleteBlob(r, i)),
        3 => (1_u32..40).prop_map(Step::Wait),
        4 => Just(Step::Collect),
        2 => (0_usize..12).prop_map(Step::Die),
    ]
}

fn index_of(image: &Image) -> Content {
    Content::index(&[&image.manifest])
}

/// Does the step without minding what comes of it.
async fn take(world: &World, client: &Client, step: Step) {
    let image = |number: usize| Image::named(IMAGES[number]);
    match step {
        Step::PushImage(repository, tag, number) => {
            let (repository, image) = (REPOSITORIES[repository], image(number));
            for content in [&image.config, &image.layer] {
                push(client, repository, content).await;
            }
            client.put_manifest(repository, TAGS[tag], &image.manifest).await;
        }
        Step::PushIndex(repository, number) => {
            client.put_manifest(REPOSITORIES[repository], "all", &index_of(&image(number))).await;
        }
        Step::PushBlob(repository, number) => {
            push(client, REPOSITORIES[repository], &image(number).layer).await;
        }
        Step::Mount(repository, number) => {
            let path =
                mounting(REPOSITORIES[repository], &image(number).layer.digest, REPOSITORIES[1 - repository]);
            client.post(&path, "").await;
        }
        Step::BeginUpload(repository) => {
            client.post(&crate::client::uploads(REPOSITORIES[repository]), "").await;
        }
        Step::DeleteTag(repository, tag) => {
            client.delete(&manifest(REPOSITORIES[repository], TAGS[tag])).await;
        }
        Step::DeleteManifest(repository, number) => {
            client.delete(&manifest(REPOSITORIES[repository], &image(number).manifest.digest)).await;
        }
        Step::DeleteBlob(repository, number) => {
            client.delete(&blob(REPOSITORIES[repository], &image(number).layer.digest)).await;
        }
        Step::Wait(hours) => world.clock.advance(HOUR * hours),
        Step::Collect => drop(world.collector(Policy::default()).run(&Budget::ALL, None).await),
        Step::Die(at) => world.probe.plan(at, Fault::Killed),
    }
}

async fn push(client: &Client, repository: &str, content: &Content) {
    let begun = client.post(&crate::client::uploads(repository), "").await;
    if begun.status == 202 {
        client.put(&committing(&begun.location(), &content.digest), content.bytes.clone()).await;
    }
}

/// Returns what every tag leads to, and fails unless all of it can be pulled.
async fn pull_all(world: &World) -> BTreeMap<(usize, &'static str), String> {
    let (client, mut seen) = (world.client(), BTreeMap::new());
    let images: Vec<Image> = IMAGES.iter().map(|name| Image::named(name)).collect();
    for (number, repository) in REPOSITORIES.iter().enumerate() {
        for tag in TAGS.into_iter().chain(["all"]) {
            let reply = client.get(&manifest(repository, tag)).await;
            if reply.status != 200 {
                continue;
            }
            let digest = crate::content::sha256(&reply.body);
            let of = |image: &&Image| image.manifest.digest == digest || index_of(image).digest == digest;
            let image = images.iter().find(of).unwrap();
            client.get(&manifest(repository, &image.manifest.digest)).await.expect(200);
            for content in [&image.config, &image.layer] {
                assert_eq!(
                    client.get(&blob(repository, &content.digest)).await.expect(200).body,
                    content.bytes
                );
            }
            seen.insert((number, tag), digest);
        }
    }
    seen
}

/// Returns every manifest that can be pulled.
async fn visible(world: &World) -> BTreeSet<String> {
    let items = world.all_items().await;
    let is_visible = |item: &&registry::ports::Item| {
        item.record.as_manifest().is_some_and(|manifest| manifest.state.is_visible())
    };
    items.iter().filter(is_visible).map(|item| format!("{} {}", item.key.pk, item.key.sk)).collect()
}

async fn delete_everything(world: &World) {
    let client = world.client();
    for repository in REPOSITORIES {
        for name in IMAGES {
            let image = Image::named(name);
            client.delete(&manifest(repository, &index_of(&image).digest)).await;
            client.delete(&manifest(repository, &image.manifest.digest)).await;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_can_be_reached_stays_and_everything_else_goes(
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let mut client = world.client();
            let mut is_dying = false;
            for step in steps {
                let before = (pull_all_quietly(&world, is_dying).await, visible(&world).await);
                take(&world, &client, step).await;
                if is_dying {
                    world.probe.reset();
                    client = world.client();
                }
                is_dying = matches!(step, Step::Die(_));
                if matches!(step, Step::Collect | Step::Wait(_)) {
                    assert_eq!(visible(&world).await, before.1, "a collector took a manifest");
                    if !is_dying {
                        assert_eq!(pull_all(&world).await, before.0.unwrap_or(pull_all(&world).await));
                    }
                }
                world.fsck().await;
            }
            world.probe.reset();
            world.collect_for(LONG_HOURS).await;
            pull_all(&world).await;
            world.assert_clean().await;
            delete_everything(&world).await;
            world.collect_for(LONG_HOURS).await;
            world.assert_clean().await;
            let stored = world.stored().await;
            let left: Vec<_> = stored.keys().filter(|kind| !["catalog", "event", "history", "repository"].contains(kind)).collect();
            assert!(left.is_empty(), "{stored:?}");
        });
    }
}

/// Looks without using up the calls of a process that is about to die.
async fn pull_all_quietly(world: &World, is_dying: bool) -> Option<BTreeMap<(usize, &'static str), String>> {
    if is_dying { None } else { Some(pull_all(world).await) }
}
