//! Where a blob can be read: exactly where it was pushed or mounted, by those who may (P6).

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use registry::access::{Limits, Permission, Role, TokenWanted};
use registry::records::{Grantee, Visibility};
use test_support::access::basic;

use super::house::{House, limits, name, root};
use crate::client::{Client, blob, committing, manifest, mounting, uploads};
use crate::content::Content;

/// Who asks: a robot of `team`, a robot of `other`, a user with `pull` in the first repository, and nobody.
const ROBOT: usize = 0;
const OTHER: usize = 1;
const CAROL: usize = 2;
const WHO: usize = 4;

/// The repositories: a private and a public one of `team`, and one of each of the next two.
const PLACES: [&str; 4] = ["team/x", "team/open", "other/x", "carol/x"];

fn may_read(who: usize, place: usize) -> bool {
    place == 1 || may_push(who, place) || (who == CAROL && place == 0)
}

fn may_push(who: usize, place: usize) -> bool {
    matches!((who, place), (ROBOT, 0 | 1) | (OTHER, 2) | (CAROL, 3))
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Push(usize, usize),
    Mount(usize, usize, usize),
    MountFromAnywhere(usize, usize),
    Delete(usize, usize),
    Head(usize, usize),
    Get(usize, usize),
    GetManifest(usize, usize),
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let (who, place) = (0..WHO, 0..PLACES.len());
    let both = (who.clone(), place.clone());
    prop_oneof![
        3 => both.clone().prop_map(|(who, place)| Step::Push(who, place)),
        4 => (who, place.clone(), place).prop_map(|(who, to, from)| Step::Mount(who, to, from)),
        2 => both.clone().prop_map(|(who, place)| Step::MountFromAnywhere(who, place)),
        2 => both.clone().prop_map(|(who, place)| Step::Delete(who, place)),
        1 => both.clone().prop_map(|(who, place)| Step::Head(who, place)),
        1 => both.clone().prop_map(|(who, place)| Step::Get(who, place)),
        1 => both.prop_map(|(who, place)| Step::GetManifest(who, place)),
        1 => Just(Step::Wait),
    ]
}

struct Scene {
    house: House,
    clients: [Client; WHO],
    cases: Cell<usize>,
}

/// One run: its own repositories and its own blob.
struct Case<'a> {
    scene: &'a Scene,
    number: usize,
    layer: Content,
    has: [bool; PLACES.len()],
}

impl Scene {
    async fn new() -> Self {
        let house = House::new().await;
        house.access.organisation_create(&root(), &name("other")).await.unwrap();
        let team = house.all_in_team().await;
        let wanted = TokenWanted {
            robot: Some(name("all")),
            label: String::new(),
            limits: limits("other/*", &Permission::ALL),
            life: None,
        };
        let (_, other) = house.access.token_create(&root(), &name("other"), wanted).await.unwrap();
        house.user("carol").await;
        let carol = house.personal("carol", Limits::None).await;
        let nobody = house.client();
        let clients = [
            nobody.showing(&team),
            nobody.showing(&basic("other+all", other.reveal())),
            nobody.showing(&basic("carol", carol.reveal())),
            nobody,
        ];
        Self { house, clients, cases: Cell::new(0) }
    }

    async fn case(&self) -> Case<'_> {
        let number = self.cases.replace(self.cases.get() + 1);
        for (place, repository) in PLACES.iter().enumerate() {
            let visibility = if place == 1 { Visibility::Public } else { Visibility::Private };
            self.house.repository(&format!("{repository}{number}"), visibility).await;
        }
        let (first, carol) = (name(&format!("{}{number}", PLACES[0])), Grantee::User(name("carol")));
        self.house.access.grant_put(&root(), &first, &carol, Role::Pull).await.unwrap();
        Case { scene: self, number, layer: Content::blob(format!("layer {number}")), has: [false; 4] }
    }
}

impl Case<'_> {
    fn name(&self, place: usize) -> String {
        format!("{}{}", PLACES[place], self.number)
    }

    /// Returns what is answered to who may not.
    fn refusal(who: usize) -> u16 {
        if who == WHO - 1 { 401 } else { 403 }
    }

    async fn take(&mut self, step: Step) {
        let digest = &self.layer.digest;
        let readable = |who: usize, place: usize| match may_read(who, place) {
            true if self.has[place] => 200,
            true => 404,
            false => Self::refusal(who),
        };
        let client = |who: usize| &self.scene.clients[who];
        match step {
            Step::Head(who, place) => {
                client(who).head(&blob(&self.name(place), digest)).await.expect(readable(who, place));
            }
            Step::Get(who, place) => {
                client(who).get(&blob(&self.name(place), digest)).await.expect(readable(who, place));
            }
            Step::GetManifest(who, place) => {
                let expected = if may_read(who, place) { 404 } else { Self::refusal(who) };
                client(who).get(&manifest(&self.name(place), digest)).await.expect(expected);
            }
            Step::Push(who, place) => {
                let path = committing(&uploads(&self.name(place)), digest);
                let expected = if may_push(who, place) { 201 } else { Self::refusal(who) };
                client(who).post(&path, self.layer.bytes.clone()).await.expect(expected);
                self.has[place] |= may_push(who, place);
            }
            Step::Mount(who, to, from) => {
                let is_there = self.has[from] && may_read(who, from);
                self.mount(who, to, &mounting(&self.name(to), digest, &self.name(from)), is_there).await;
            }
            Step::MountFromAnywhere(who, to) => {
                let is_there = (0..PLACES.len()).any(|from| self.has[from] && may_read(who, from));
                self.mount(who, to, &format!("{}?mount={digest}", uploads(&self.name(to))), is_there).await;
            }
            Step::Delete(who, place) => {
                let expected = match may_push(who, place) {
                    true if self.has[place] => 202,
                    true => 404,
                    false => Self::refusal(who),
                };
                client(who).delete(&blob(&self.name(place), digest)).await.expect(expected);
                self.has[place] &= !may_push(who, place);
            }
            Step::Wait => self.scene.house.wait(3),
        }
    }

    async fn mount(&mut self, who: usize, to: usize, path: &str, is_there: bool) {
        let expected = match may_push(who, to) {
            true if is_there => 201,
            true => 202,
            false => Self::refusal(who),
        };
        self.scene.clients[who].post(path, "").await.expect(expected);
        self.has[to] |= may_push(who, to) && is_there;
    }

    async fn assert_places(&self) {
        for (who, client) in self.scene.clients.iter().enumerate() {
            for (place, has) in self.has.iter().enumerate() {
                let path = blob(&self.name(place), &self.layer.digest);
                let expected = match may_read(who, place) {
                    true if *has => 206,
                    true => 404,
                    false => Self::refusal(who),
                };
                client.get_with(&path, &[("range", "bytes=0-0")]).await.expect(expected);
            }
        }
    }
}

#[test]
fn a_blob_is_readable_exactly_where_it_was_pushed_or_mounted_by_those_who_may() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let scene = runtime.block_on(Scene::new());
    let config = ProptestConfig { cases: 80, failure_persistence: None, ..ProptestConfig::default() };
    let steps = proptest::collection::vec(step(), 1..20);
    let result = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async {
            let mut case = scene.case().await;
            for step in steps {
                case.take(step).await;
                case.assert_places().await;
            }
        });
        Ok(())
    });
    result.unwrap();
    runtime.block_on(scene.house.world.fsck());
}

#[tokio::test]
async fn a_mount_that_is_refused_looks_like_one_of_a_blob_that_nobody_has() {
    let scene = Scene::new().await;
    let case = scene.case().await;
    let hidden = committing(&uploads(&case.name(0)), &case.layer.digest);
    scene.clients[ROBOT].post(&hidden, case.layer.bytes.clone()).await.expect(201);
    let other = &scene.clients[OTHER];
    let nobodys = Content::blob("what nobody has");
    let mut texts = Vec::new();
    for path in [
        mounting(&case.name(2), &case.layer.digest, &case.name(0)),
        mounting(&case.name(2), &case.layer.digest, "team/missing"),
        mounting(&case.name(2), &nobodys.digest, &case.name(0)),
        format!("{}?mount={}", uploads(&case.name(2)), case.layer.digest),
        format!("{}?mount={}", uploads(&case.name(2)), nobodys.digest),
    ] {
        let reply = other.post(&path, "").await.expect(202);
        let id = reply.header("docker-upload-uuid").to_owned();
        texts.push(reply.text().replace(&id, "<id>"));
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
}

#[tokio::test]
async fn a_token_mounts_only_from_where_it_may_pull() {
    let scene = Scene::new().await;
    let case = scene.case().await;
    let carol = &scene.clients[CAROL];
    let hidden = committing(&uploads(&case.name(0)), &case.layer.digest);
    scene.clients[ROBOT].post(&hidden, case.layer.bytes.clone()).await.expect(201);
    let target = format!("scope=repository:{}:pull,push", case.name(3));
    let source = format!("scope=repository:{}:pull", case.name(0));
    let path = mounting(&case.name(3), &case.layer.digest, &case.name(0));
    for (query, status) in [(target.clone(), 202), (format!("{target}&{source}"), 201)] {
        let token = super::house::field(&carol.get(&format!("/token?{query}")).await.expect(200), "token");
        carol.showing(&test_support::access::bearer(&token)).post(&path, "").await.expect(status);
    }
}
