//! Settings of repositories against every way around them: immutable tags, deletion, an open registry that closes.

use registry::access::{AccessError, AccessOptions, RepositoryChange, Role, TokenWanted, UserChange};
use registry::records::{Grantee, ImmutableTags, OrganisationRole, Record, Visibility};
use test_support::access::basic;

use super::house::{House, PASSWORD, login, name, root};
use crate::client::{Client, blob, manifest, uploads};
use crate::content::{Content, Image};
use crate::probe::Fault;
use crate::world::World;

async fn immutable(house: &House, patterns: &[&str], except: &[&str]) {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let tags = ImmutableTags { patterns: owned(patterns), except: owned(except) };
    let change = RepositoryChange { immutable_tags: Some(tags), ..RepositoryChange::default() };
    house.access.repository_change(&root(), &name("team/app"), &change).await.unwrap();
}

/// A repository with the images `one` as `v1` and `two` as `v2`, and a client that may do everything there.
async fn house() -> (House, Client, Image, Image) {
    let house = House::new().await;
    let client = house.client().showing(&house.all_in_team().await);
    let (one, two) = (Image::named("one"), Image::named("two"));
    client.push_image("team/app", "v1", &one).await.expect(201);
    client.push_image("team/app", "v2", &two).await.expect(201);
    (house, client, one, two)
}

#[tokio::test]
async fn an_immutable_tag_is_moved_by_nobody_and_in_no_way() {
    let (house, client, one, two) = house().await;
    immutable(&house, &["v*"], &["v2", "*-dev"]).await;
    let by_query = format!("{}?tag=v1", two.manifest.digest);
    let both = format!("{}?tag=new&tag=v1", two.manifest.digest);
    let administrator = house.client().showing(&basic("admin", PASSWORD));
    for client in [&client, &administrator] {
        for reference in ["v1", &by_query, &both] {
            let reply = client.put_manifest("team/app", reference, &two.manifest).await.expect(403);
            assert!(String::from_utf8_lossy(&reply.body).contains("DENIED"), "{reply:?}");
        }
        client.delete(&manifest("team/app", "v1")).await.expect(403);
        client.delete(&manifest("team/app", &one.manifest.digest)).await.expect(403);
    }
    client.get(&manifest("team/app", "new")).await.expect(404);
    let kept = client.head(&manifest("team/app", "v1")).await.expect(200);
    assert_eq!(kept.header("docker-content-digest"), one.manifest.digest);
    // What stays where it is, is new, or is excepted.
    client.put_manifest("team/app", "v1", &one.manifest).await.expect(201);
    client.put_manifest("team/app", "v3", &two.manifest).await.expect(201);
    client.put_manifest("team/app", "v1-dev", &one.manifest).await.expect(201);
    client.put_manifest("team/app", "v1-dev", &two.manifest).await.expect(201);
    client.put_manifest("team/app", "v2", &one.manifest).await.expect(201);
    client.delete(&manifest("team/app", "v2")).await.expect(202);
    house.world.fsck().await;
}

#[tokio::test]
async fn a_deletion_that_an_immutable_tag_stops_takes_no_other_tag_with_it() {
    let (house, client, one, _) = house().await;
    client.put_manifest("team/app", "moving", &one.manifest).await.expect(201);
    immutable(&house, &["v1"], &[]).await;
    client.delete(&manifest("team/app", &one.manifest.digest)).await.expect(403);
    for tag in ["moving", "v1"] {
        client.get(&manifest("team/app", tag)).await.expect(200);
    }
    immutable(&house, &[], &[]).await;
    client.delete(&manifest("team/app", &one.manifest.digest)).await.expect(202);
    house.world.fsck().await;
}

/// Puts an index of both images, an index of that, and a referrer of it.
async fn nested(client: &Client, one: &Image, two: &Image) {
    let inner = Content::index(&[&one.manifest, &two.manifest]);
    let outer = Content::index(&[&inner, &one.manifest]);
    let referrer = Content::referrer(&one.config, &outer, "application/example");
    for (reference, content) in [("inner", &inner), ("outer", &outer), (referrer.digest.as_str(), &referrer)]
    {
        client.put_manifest("team/app", reference, content).await.expect(201);
    }
}

/// Fails if anything of the repository is left that could be seen.
async fn assert_gone(world: &World, client: &Client, one: &Image) {
    for path in [
        manifest("team/app", "v1"),
        manifest("team/app", &one.manifest.digest),
        blob("team/app", &one.layer.digest),
        "/v2/team/app/tags/list".to_owned(),
    ] {
        client.get(&path).await.expect(404);
    }
    let is_of_it = |record: &Record| {
        matches!(record, Record::Manifest(_) | Record::Tag(_) | Record::Repository(_) | Record::Catalog)
    };
    let left: Vec<_> = world.all_items().await.into_iter().filter(|item| is_of_it(&item.record)).collect();
    assert!(left.is_empty(), "{left:#?}");
    world.fsck().await;
}

#[tokio::test]
async fn an_immutable_tag_beyond_a_thousand_others_stops_a_deletion_that_takes_none_with_it() {
    let (house, client, one, _) = house().await;
    for build in 0..1000 {
        client.put_manifest("team/app", &format!("build-{build}"), &one.manifest).await.expect(201);
    }
    immutable(&house, &["v1"], &[]).await;
    client.delete(&manifest("team/app", &one.manifest.digest)).await.expect(403);
    client.head(&manifest("team/app", "build-0")).await.expect(200);
    immutable(&house, &[], &[]).await;
    client.delete(&manifest("team/app", &one.manifest.digest)).await.expect(202);
    house.world.fsck().await;
}

#[tokio::test]
async fn a_repository_is_deleted_with_its_indexes_and_immutable_tags_and_can_be_pushed_again() {
    let (house, client, one, two) = house().await;
    nested(&client, &one, &two).await;
    immutable(&house, &["*"], &[]).await;
    house.access.repository_delete(&root(), &name("team/app")).await.unwrap();
    let cold = house.cold_client().showing(&house.all_in_team().await);
    assert_gone(&house.world, &cold, &one).await;
    let again = house.access.repository_delete(&root(), &name("team/app")).await;
    assert!(matches!(again, Err(AccessError::Unknown(_))), "{again:?}");
    client.push_image("team/app", "v1", &two).await.expect(201);
    client.get(&manifest("team/app", "v1")).await.expect(200);
}

#[tokio::test]
async fn what_was_granted_in_a_repository_is_gone_with_it() {
    let (house, client, one, _) = house().await;
    let shown = house.user("alice").await;
    let alice = Grantee::User(name("alice"));
    house.access.grant_put(&root(), &name("team/app"), &alice, Role::Admin).await.unwrap();
    house.client().showing(&shown).get(&manifest("team/app", "v1")).await.expect(200);
    house.access.repository_delete(&root(), &name("team/app")).await.unwrap();
    house.wait(5);
    client.push_image("team/app", "v1", &one).await.expect(201);
    house.client().showing(&shown).get(&manifest("team/app", "v1")).await.expect(403);
    house.client().get(&manifest("team/app", "v1")).await.expect(401);
}

#[tokio::test]
async fn a_deletion_that_breaks_off_anywhere_is_ended_by_its_repetition() {
    let (house, client, one, two) = house().await;
    let mut deletions = 0;
    for fault in Fault::ALL {
        for at in 0.. {
            client.push_image("team/app", "v1", &one).await.expect(201);
            client.push_image("team/app", "v2", &two).await.expect(201);
            nested(&client, &one, &two).await;
            house.world.probe.plan(at, fault);
            let result = house.access.repository_delete(&root(), &name("team/app")).await;
            let is_beyond_the_end = house.world.probe.calls().len() <= at;
            house.world.probe.reset();
            let access = house.world.access();
            match access.repository_delete(&root(), &name("team/app")).await {
                Ok(_) | Err(AccessError::Unknown(_)) => {}
                Err(error) => panic!("{fault:?} at {at}: {error:?} after {result:?}"),
            }
            let authorization = client.shown().unwrap();
            assert_gone(&house.world, &Client::guarded(&access).showing(authorization), &one).await;
            deletions += 1;
            if is_beyond_the_end {
                result.unwrap();
                break;
            }
        }
    }
    println!("{deletions} deletions");
}

pub(super) fn open(world: &World) -> registry::access::Access {
    world.access_with(AccessOptions {
        is_open_without_accounts: true,
        first_password: None,
        ..AccessOptions::default()
    })
}

#[tokio::test]
async fn an_open_registry_closes_with_its_first_user_who_is_its_administrator() {
    let world = World::new();
    let access = open(&world);
    let anybody = Client::guarded(&access);
    anybody.get("/v2/").await.expect(200);
    anybody.push_image("team/app", "v1", &Image::named("app")).await.expect(201);
    anybody.get("/v2/_catalog").await.expect(200);
    access.user_create(&root(), &name("alice"), &PASSWORD.into(), false).await.unwrap();
    for anybody in [anybody, Client::guarded(&open(&world)), Client::guarded(&world.access())] {
        anybody.get("/v2/").await.expect(401);
        anybody.post(&uploads("team/app"), "").await.expect(401);
        anybody.delete(&manifest("team/app", "v1")).await.expect(401);
        anybody.get("/v2/_catalog").await.expect(401);
        // What was pushed while everybody could read it is no longer for everybody.
        anybody.get(&manifest("team/app", "v1")).await.expect(401);
        anybody.showing(&basic("alice", PASSWORD)).get(&manifest("team/app", "v1")).await.expect(200);
        anybody.showing(&basic("alice", PASSWORD)).get("/v2/_catalog").await.expect(200);
    }
    access.for_operator().user_create(&root(), &name("bob"), &PASSWORD.into(), false).await.unwrap();
    let others =
        Client::guarded(&access).showing(&basic("bob", PASSWORD)).get("/v2/_catalog").await.expect(200);
    assert_eq!(others.body, r#"{"repositories":[]}"#);
}

#[tokio::test]
async fn an_open_registry_is_not_closed_by_what_nobody_could_manage() {
    let world = World::new();
    let access = open(&world);
    let result = access.organisation_create(&root(), &name("team")).await;
    assert!(matches!(result, Err(AccessError::Conflict(_))), "{result:?}");
    Client::guarded(&access).get("/v2/").await.expect(200);
}

#[tokio::test]
async fn a_guarded_registry_without_accounts_is_closed_to_everybody() {
    let world = World::new();
    let client = Client::guarded(&world.access());
    client.get("/v2/").await.expect(401);
    client.get(&manifest("team/app", "v1")).await.expect(401);
    client.post(&uploads("team/app"), "").await.expect(401);
    client.showing(&basic("admin", "admin")).get("/v2/").await.expect(401);
    client.showing(&basic("admin", "")).get("/v2/").await.expect(401);
}

#[tokio::test]
async fn the_first_administrator_comes_with_the_password_that_was_set_and_with_no_other() {
    let world = World::new();
    let options = AccessOptions {
        is_open_without_accounts: false,
        first_password: Some(PASSWORD.into()),
        ..AccessOptions::default()
    };
    let client = Client::guarded(&world.access_with(options.clone()));
    client.showing(&basic("admin", "wrong")).get("/v2/").await.expect(401);
    client.showing(&basic("alice", PASSWORD)).get("/v2/").await.expect(401);
    client.showing(&basic("admin", PASSWORD)).get("/v2/_catalog").await.expect(200);
    // Later it is theirs to change, and what was set beforehand opens nothing.
    let access = world.access_with(options);
    let change = UserChange {
        password: Some("another-Harbour-95-kettle".into()),
        old_password: Some(PASSWORD.into()),
        ..UserChange::default()
    };
    let admin = login(&access, "admin").await;
    access.user_change(&admin, &name("admin"), &change).await.unwrap();
    client.showing(&basic("admin", PASSWORD)).get("/v2/").await.expect(401);
}

#[tokio::test]
async fn nobody_is_called_like_those_who_have_no_name() {
    let house = House::new().await;
    let result = house.access.user_create(&root(), &name("anonymous"), &PASSWORD.into(), false).await;
    assert!(matches!(result, Err(AccessError::Invalid(_))), "{result:?}");
    let result = house.access.organisation_create(&root(), &name("anonymous")).await;
    assert!(matches!(result, Err(AccessError::Invalid(_))), "{result:?}");
}

#[tokio::test]
async fn nobody_makes_a_personal_token_for_somebody_else() {
    let house = House::new().await;
    house.user("alice").await;
    let admin = login(&house.access, "admin").await;
    let wanted =
        TokenWanted { robot: None, label: String::new(), limits: registry::access::Limits::None, life: None };
    let result = house.access.token_create(&admin, &name("alice"), wanted).await;
    assert!(matches!(result, Err(AccessError::Forbidden(_))), "{result:?}");
}

#[tokio::test]
async fn what_is_pushed_to_a_new_repository_is_as_visible_as_its_namespace_says() {
    let house = House::new().await;
    let client = house.client().showing(&house.all_in_team().await);
    let image = Image::named("app");
    client.push_image("team/closed", "v1", &image).await.expect(201);
    house.access.organisation_change(&root(), &name("team"), Visibility::Public).await.unwrap();
    house.wait(5);
    client.push_image("team/open", "v1", &image).await.expect(201);
    house.client().get(&manifest("team/closed", "v1")).await.expect(401);
    house.client().get(&manifest("team/open", "v1")).await.expect(200);
}

#[tokio::test]
async fn nobody_gets_the_repositories_of_an_ownerless_namespace_by_taking_its_name() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    house.repository("legacy/app", Visibility::Private).await;
    let result = house.access.organisation_create(&alice, &name("legacy")).await;
    assert!(matches!(result, Err(AccessError::Conflict(_))), "{result:?}");
    house.access.organisation_create(&alice, &name("legacies")).await.unwrap();
    // Whose they are already gives them an owner.
    house.access.organisation_create(&root(), &name("legacy")).await.unwrap();
}

#[tokio::test]
async fn a_team_that_is_made_again_has_nothing_that_the_old_one_was_granted() {
    let house = House::new().await;
    house.user("bob").await;
    let (team, devs) = (name("team"), name("devs"));
    house.repository("team/app", Visibility::Private).await;
    house.access.team_put(&root(), &team, &devs, "").await.unwrap();
    let grantee = Grantee::Team(devs.clone());
    house.access.grant_put(&root(), &name("team/app"), &grantee, Role::Push).await.unwrap();
    house.access.team_delete(&root(), &team, &devs).await.unwrap();
    house.access.team_put(&root(), &team, &devs, "others").await.unwrap();
    house.access.member_put(&root(), &team, &name("bob"), OrganisationRole::Member).await.unwrap();
    house.access.team_member_change(&root(), &team, &devs, &name("bob"), true).await.unwrap();
    let bob = house.client().showing(&basic("bob", PASSWORD));
    bob.get("/v2/team/app/tags/list").await.expect(403);
    let (record, _) = house.access.repository_get(&root(), &name("team/app")).await.unwrap();
    assert!(record.grants.is_empty(), "{:?}", record.grants);
}

#[tokio::test]
async fn whoever_was_left_alone_with_an_organisation_can_end_it_and_nobody_else() {
    let house = House::new().await;
    for user in ["alice", "mallory"] {
        house.user(user).await;
    }
    let (alice, mallory) = (login(&house.access, "alice").await, login(&house.access, "mallory").await);
    let squat = name("squat");
    house.access.organisation_create(&mallory, &squat).await.unwrap();
    house.access.member_put(&mallory, &squat, &name("alice"), OrganisationRole::Owner).await.unwrap();
    house.access.member_put(&alice, &squat, &name("alice"), OrganisationRole::Owner).await.unwrap();
    house.access.member_delete(&mallory, &squat, &name("mallory")).await.unwrap();
    assert!(house.access.account_delete(&mallory, &squat).await.is_err());
    house.access.account_delete(&alice, &squat).await.unwrap();
    assert_eq!(house.access.membership_list(&alice, &name("alice")).await.unwrap(), []);
}

#[tokio::test]
async fn a_user_takes_few_names_and_none_that_visitors_would_take_for_more() {
    let house = House::new().await;
    house.user("alice").await;
    let alice = login(&house.access, "alice").await;
    for number in 0..20 {
        house.access.organisation_create(&alice, &name(&format!("org-{number}"))).await.unwrap();
    }
    for refused in ["org-20", "library"] {
        let result = house.access.organisation_create(&alice, &name(refused)).await;
        assert!(matches!(result, Err(AccessError::Conflict(_))), "{refused}: {result:?}");
    }
    house.access.organisation_create(&root(), &name("library")).await.unwrap();
}
