//! A repository that somebody is deleting: nothing begins in it any more, and the deletion comes to an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use registry::access::{Access, AccessError, AccessOptions, AuditFilter, RepositoryChange, Role};
use registry::jobs::garbage_collection::{Budget, Kind};
use registry::ports::{Clock, StoreErrorKind};
use registry::records::{AuditOutcome, Grantee};
use registry::testing::{Call, Outcome};
use registry::{Error, RepositoryEnd};

use super::endings::{SCOPE, assert_nothing_is_left, flag_as_ending, house, repositories, repository_delete};
use super::house::{House, bearer_of, name, root};
use super::meanwhile::Interrupted;
use crate::client::{Client, Reply, blob, committing, manifest, mounting, uploads};
use crate::content::{Content, Image};
use crate::older::{Harm, harm, planted, pushed_large};
use crate::world::World;

/// How many storage calls a deletion of what these tests push may take, whatever others do.
const CALLS_MAX: usize = 200;

/// Returns a repository with two tags, an index and the history of a tag, and a client whose process remembers that
/// it may push there.
async fn filled() -> (House, Client) {
    let house = house().await;
    let client = house.client();
    let shown = house.all_in_team().await;
    let client =
        client.showing(&bearer_of(&client, &shown, &[SCOPE, "repository:team/other:pull,push"]).await);
    let (one, two) = (Image::named("app"), Image::named("two"));
    client.push_image("team/app", "v1", &one).await.expect(201);
    client.push_image("team/app", "v2", &two).await.expect(201);
    client.put_manifest("team/app", "v2", &one.manifest).await.expect(201);
    client
        .put_manifest("team/app", "all", &Content::index(&[&one.manifest, &two.manifest]))
        .await
        .expect(201);
    (house, client)
}

/// Fails unless the push was asked to come again.
#[track_caller]
fn assert_later(reply: &Reply) {
    assert_eq!(reply.status, 429, "{reply:#?}");
    assert!(reply.headers.contains_key("retry-after"), "{reply:#?}");
    assert!(reply.text().contains("is being deleted"), "{}", reply.text());
}

#[tokio::test]
async fn nothing_is_pushed_to_a_repository_that_is_being_deleted_whatever_a_process_remembers() {
    let (house, warm) = filled().await;
    let (one, new) = (Image::named("app"), Content::blob("new"));
    warm.push_image("team/other", "v1", &Image::named("other")).await.expect(201);
    let begun = warm.begin("team/app").await;
    flag_as_ending(&house.world, "team/app").await;
    let before = house.world.all_items().await.len();
    let cold = house.cold_client().showing(warm.shown().unwrap());
    let other = Image::named("other").layer.digest;
    for (what, client) in [("warm", &warm), ("cold", &cold)] {
        println!("{what}");
        assert_later(&client.put(&committing(&begun, &new.digest), new.bytes.clone()).await);
        assert_later(&client.post(&committing(&uploads("team/app"), &new.digest), new.bytes.clone()).await);
        assert_later(&client.post(&mounting("team/app", &other, "team/other"), "").await);
        assert_later(&client.put_manifest("team/app", "v3", &Content::index(&[])).await);
        assert_later(&client.put_manifest("team/app", "v3", &one.manifest).await);
        assert_later(&client.put_manifest("team/app", "v2", &one.manifest).await);
    }
    assert_later(&cold.post(&uploads("team/app"), "").await);
    // The sessions of the blobs that were sent in one go are left as dead, with their suspects.
    let uploads = house.world.all_items().await.len() - before;
    assert!(uploads <= 2, "{uploads} items were left");
    warm.head(&blob("team/app", &new.digest)).await.expect(404);
    house.world.fsck().await;
}

#[tokio::test]
async fn an_open_registry_refuses_pushes_to_what_is_being_deleted_too() {
    let world = World::new();
    let (client, image) = (world.client(), Image::named("app"));
    client.push_image("app", "v1", &image).await.expect(201);
    let begun = client.begin("app").await;
    flag_as_ending(&world, "app").await;
    let new = Content::blob("new");
    assert_later(&client.put(&committing(&begun, &new.digest), new.bytes.clone()).await);
    assert_later(&client.put_manifest("app", "v2", &image.manifest).await);
    client.get(&manifest("app", "v1")).await.expect(200);
}

#[tokio::test]
async fn neither_settings_nor_grants_change_in_what_is_being_deleted() {
    let (house, _) = filled().await;
    house.user("alice").await;
    flag_as_ending(&house.world, "team/app").await;
    let (app, alice) = (name("team/app"), Grantee::User(name("alice")));
    let changed = house.access.repository_change(&root(), &app, &RepositoryChange::default()).await;
    let granted = house.access.grant_put(&root(), &app, &alice, Role::Pull).await;
    for result in [changed, granted] {
        assert!(matches!(result, Err(AccessError::Registry(Error::RepositoryEnding(_)))), "{result:?}");
    }
}

/// Pushes before each storage call of somebody else: an image that is there, new ones, and an index of what is there.
fn pushing(house: &House, client: &Client) -> impl Fn(usize) + Send + Sync + use<> {
    let pusher = house.cold_client().showing(client.shown().unwrap());
    move |number: usize| {
        let image = Image::named("app").manifest;
        let fields = serde_json::json!({ "annotations": { "number": number.to_string() } });
        let config = Image::named("app").config;
        let new = Content::image_with(&config, &[], &fields);
        for manifest in [&image, &new, &Content::index(&[&image, &new]), &Content::index(&[&image])] {
            let put = pusher.put_manifest("team/app", "again", manifest);
            put.now_or_never().expect("nothing waits");
        }
    }
}

#[tokio::test]
async fn a_deletion_comes_to_an_end_however_others_push_meanwhile() {
    let (house, client) = filled().await;
    let (push, calls) = (pushing(&house, &client), AtomicUsize::new(0));
    let calls: &'static AtomicUsize = Box::leak(Box::new(calls));
    let access = house.world.access_hooked(move |_| {
        let number = calls.fetch_add(1, Ordering::SeqCst);
        assert!(number < CALLS_MAX, "the deletion has no end");
        push(number);
        Outcome::Done
    });
    access.repository_delete(&root(), &name("team/app")).await.unwrap();
    println!("{} calls", calls.load(Ordering::SeqCst));
    client.get(&manifest("team/app", "v1")).await.expect(404);
    house.world.fsck().await;
    assert_audited(&house, &[AuditOutcome::Begun, AuditOutcome::Done]).await;
    // The name is free, and what was pushed in vain is garbage.
    client.push_image("team/app", "v1", &Image::named("app")).await.expect(201);
    repository_delete(&house).await;
    house.world.collect_for(9 * 24).await;
    house.world.assert_clean().await;
}

/// Fails unless these outcomes of deletions are in the audit log, in the order of the time.
async fn assert_audited(house: &House, outcomes: &[AuditOutcome]) {
    let filter = AuditFilter { action: Some("repository.delete".to_owned()), ..AuditFilter::default() };
    let entries = house.access.audit_list(&root(), &filter, None, 100).await.unwrap().entries;
    let mut found: Vec<_> = entries.iter().map(|entry| entry.record.outcome).collect();
    found.sort_by_key(|outcome| *outcome != AuditOutcome::Begun);
    assert_eq!(found, outcomes);
}

/// Begins a deletion that breaks off after so many storage calls.
async fn break_off(house: &House, after: usize) -> Result<(), AccessError> {
    let calls = AtomicUsize::new(0);
    let access = house.world.access_hooked(move |_| match calls.fetch_add(1, Ordering::SeqCst) < after {
        true => Outcome::Done,
        false => Outcome::Failed(StoreErrorKind::Unavailable),
    });
    access.repository_delete(&root(), &name("team/app")).await.map(drop)
}

#[tokio::test]
async fn a_deletion_that_broke_off_is_not_in_the_log_as_done_and_is_ended_by_a_repetition() {
    let (house, client) = filled().await;
    break_off(&house, 12).await.unwrap_err();
    assert_audited(&house, &[AuditOutcome::Begun]).await;
    assert_later(&client.put_manifest("team/app", "v3", &Content::index(&[])).await);
    repository_delete(&house).await;
    assert_audited(&house, &[AuditOutcome::Begun, AuditOutcome::Begun, AuditOutcome::Done]).await;
    client.push_image("team/app", "v1", &Image::named("app")).await.expect(201);
}

#[tokio::test]
async fn a_deletion_that_broke_off_anywhere_is_ended_by_the_collector_and_the_name_is_free() {
    for after in 0.. {
        let (house, client) = filled().await;
        let result = break_off(&house, after).await;
        let was_begun = !client.get("/v2/team/app/tags/list").await.text().contains("v1")
            || client.put_manifest("team/app", "v3", &Content::index(&[])).await.status == 429;
        house.wait(60 * 60);
        let report = house.world.collect().await;
        let ended = report.gone.iter().filter(|gone| gone.kind == Kind::Repository).count();
        assert_eq!(ended, usize::from(was_begun && result.is_err()), "after {after}: {report:#?}");
        house.world.fsck().await;
        if was_begun {
            assert_eq!(repositories(&house.world).await, [""; 0], "after {after}");
            let shown = house.all_in_team().await;
            let client = house.cold_client().showing(&shown);
            client.push_image("team/app", "v1", &Image::named("app")).await.expect(201);
        }
        if result.is_ok() {
            assert!(after > 20, "{after} calls are no deletion");
            return;
        }
    }
}

/// Has a second pass with each storage call.
fn ticking(house: &House) -> impl Fn(Call) -> Outcome + Send + Sync + use<> {
    let clock = Arc::clone(&house.world.clock);
    move |_| {
        clock.advance(Duration::from_secs(1));
        Outcome::Done
    }
}

#[tokio::test]
async fn a_deletion_that_takes_longer_than_an_answer_may_stops_in_time_and_the_next_collection_ends_it() {
    let mut secs = 0;
    loop {
        let (house, client) = filled().await;
        let within = Duration::from_secs(secs);
        let options = AccessOptions { deletes_within: Some(within), ..AccessOptions::default() };
        let access = house.world.access_hooked_with(ticking(&house), options);
        let began = house.world.clock.now();
        let end = access.repository_delete(&root(), &name("team/app")).await.unwrap();
        if end == RepositoryEnd::Gone {
            assert!(secs > 20, "{secs} calls are no deletion");
            return;
        }
        // What is begun when the time is up is brought to its end: a manifest, or a page of links.
        assert!(house.world.clock.now() < began.after(within + Duration::from_secs(10)), "{secs}");
        assert_later(&client.put_manifest("team/app", "v3", &Content::index(&[])).await);
        house.world.fsck().await;
        let report = house.world.collect().await;
        assert!(report.gone.iter().any(|gone| gone.kind == Kind::Repository), "{secs}: {report:#?}");
        assert_eq!(repositories(&house.world).await, [""; 0], "{secs}");
        secs += 1;
    }
}

#[tokio::test]
async fn a_collector_whose_time_is_up_leaves_the_rest_of_a_repository_to_the_next_one() {
    let (house, _) = filled().await;
    break_off(&house, 12).await.unwrap_err();
    house.wait(60 * 60);
    let mut stops = 0;
    while !repositories(&house.world).await.is_empty() {
        let collector = house.world.collector_hooked(ticking(&house));
        let until = house.world.clock.now().after(Duration::from_secs(20));
        let report = collector.run(&Budget { until: Some(until), ..Budget::ALL }, None).await;
        assert!(report.failures.is_empty() && report.error.is_none(), "{report:#?}");
        assert!(house.world.clock.now() < until.after(Duration::from_secs(10)));
        house.world.fsck().await;
        stops += report.postponed;
        assert!(stops < 100, "it has no end");
    }
    assert!(stops > 0, "it was one run");
}

fn index_of_nothing_else() -> String {
    let index = String::from_utf8(Content::index(&[]).bytes.to_vec()).unwrap();
    index.replacen('{', r#"{"annotations":{"is":"another"},"#, 1)
}

#[tokio::test]
async fn a_slow_deletion_leaves_alone_what_began_after_a_faster_one() {
    for at in 0.. {
        let (house, client) = filled().await;
        let pusher = house.cold_client().showing(client.shown().unwrap());
        let work = move |other: &Access| {
            let (by, app) = (root(), name("team/app"));
            other.repository_delete(&by, &app).now_or_never().expect("nothing waits").unwrap();
            let index = Content::index(&[]);
            let another = index.replaced(index_of_nothing_else());
            for manifest in [&another, &index] {
                let put = pusher.put_manifest("team/app", "v1", manifest);
                put.now_or_never().expect("nothing waits").expect(201);
            }
        };
        let process = Interrupted::new(&house, at, work);
        let deleted = process.access.repository_delete(&root(), &name("team/app")).await;
        if process.is_past() {
            deleted.unwrap();
            return;
        }
        // Before it flagged the repository it may find the new one, or none that it knows.
        let tag = client.get(&manifest("team/app", "v1")).await.status;
        let history = client.get("/v2/team/app/tags/list").await;
        if at > 3 {
            deleted.unwrap();
            assert_eq!(tag, 200, "at {at}: {}", history.text());
            assert_eq!(house.world.stored().await.get("history"), Some(&1), "at {at}");
        }
        house.world.fsck().await;
    }
}

/// A call that a deletion makes: who only reads is not the one who keeps it from its end.
#[tokio::test]
async fn readers_do_not_keep_a_repository_from_its_end() {
    let (house, client) = filled().await;
    let reader = house.cold_client().showing(client.shown().unwrap());
    let layer = Image::named("app").layer.digest;
    // So late that a HEAD renews the lease.
    house.wait(13 * 60 * 60);
    let renewed = bearer_of(&reader, &house.all_in_team().await, &[SCOPE]).await;
    let reader = reader.showing(&renewed);
    let access = house.world.access_hooked(move |call| {
        if call == Call::ItemsTransact {
            let path = blob("team/app", &layer);
            reader.head(&path).now_or_never().expect("nothing waits");
        }
        Outcome::Done
    });
    access.repository_delete(&root(), &name("team/app")).await.unwrap();
    assert_eq!(repositories(&house.world).await, [""; 0]);
    assert_eq!(house.world.stored().await.get("link"), None);
    house.world.fsck().await;
}

#[tokio::test]
async fn a_repository_goes_with_manifests_that_an_older_program_took_or_whose_bytes_are_lost() {
    for kind in [Harm::Gone, Harm::Changed] {
        let house = house().await;
        planted(&house.world).await;
        pushed_large(&house.world).await;
        harm(&house.world, kind).await;
        repository_delete(&house).await;
        assert_nothing_is_left(&house).await;
    }
}
