//! How soon a change at one instance takes effect at all: deletions at once, writes in five seconds, reads in five
//! minutes.

use std::cell::Cell;
use std::time::Duration;

use http::Method;
use registry::access::{Access, Address, Caller, Limits, RepositoryChange, Role, TokenWanted};
use registry::records::{Grantee, Visibility};
use test_support::access::{OPERATOR, PASSWORD, basic, challenge_word};

use crate::client::{ask, bearer_of, get, put_index};
use crate::cloud::{Cloud, Instances};

const REPOSITORIES: [&str; 2] = ["team/app", "team/other"];

/// Those who lose what they had.
const USERS: [&str; 3] = ["deleted", "granted", "revoked"];

/// How many tags there are to delete: two for each loss before it.
const TAGS: usize = 2 * USERS.len();

/// Private repositories with tags to delete, and two instances of each function.
struct House<'c> {
    cloud: &'c Cloud,
    instances: [Instances<'c>; 2],
    /// The next tag to be deleted.
    tag: Cell<usize>,
}

fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Returns somebody who may manage everything.
fn root() -> Caller {
    Caller::everybody(Address::default())
}

impl<'c> House<'c> {
    async fn new(cloud: &'c Cloud) -> Self {
        let instances = [cloud.instances().await, cloud.instances().await];
        let house = Self { cloud, instances, tag: Cell::new(0) };
        let (first, admin) = (&house.instances[0], basic(OPERATOR, PASSWORD));
        assert_eq!(get(first, "/token", Some(&admin)).await.status(), 200);
        first.access.organisation_create(&root(), &name("team")).await.unwrap();
        let change =
            RepositoryChange { visibility: Some(Visibility::Private), ..RepositoryChange::default() };
        for repository in REPOSITORIES {
            first.access.repository_create(&root(), &name(repository), &change).await.unwrap();
        }
        for user in USERS {
            house.user(user).await;
        }
        let admin = bearer_of(first, &admin, "team/app").await;
        for number in 0..TAGS {
            put_index(first, "team/app", &format!("t{number}"), &admin).await;
        }
        put_index(first, "team/app", "v1", &admin).await;
        house
    }

    fn access(&self) -> &Access {
        &self.instances[0].access
    }

    /// Makes a user who is admin of the repositories.
    async fn user(&self, user: &str) {
        let access = self.access();
        access.user_create(&root(), &name(user), &PASSWORD.into(), false).await.unwrap();
        for repository in REPOSITORIES {
            let grantee = Grantee::User(name(user));
            access.grant_put(&root(), &name(repository), &grantee, Role::Admin).await.unwrap();
        }
    }

    /// Returns what a read, a write and a deletion are answered.
    async fn asked(&self, at: &Instances<'_>, shown: &str) -> [u16; 3] {
        let tag = format!("/v2/team/app/manifests/t{}", self.tag.get());
        let read = get(at, "/v2/team/app/manifests/v1", Some(shown)).await.status();
        let written = ask(at, Method::POST, "/v2/team/app/blobs/uploads/", shown).await.status();
        let deleted = ask(at, Method::DELETE, &tag, shown).await.status();
        self.tag.set(self.tag.get() + usize::from(deleted == 202));
        [read, written, deleted].map(|status| status.as_u16())
    }

    /// Everything is used at both instances, so that they remember what they found.
    async fn assert_can_do_all(&self, shown: &str) {
        for at in &self.instances {
            assert_eq!(self.asked(at, shown).await, [200, 202, 202]);
        }
    }

    /// What ended is refused in time everywhere. The second instance is asked nothing before its time is up, as any
    /// deletion reads the rights anew.
    async fn assert_over(&self, shown: &str) {
        let [first, second] = &self.instances;
        assert_eq!(self.asked(first, shown).await[2], 403, "deletions at once");
        self.cloud.turn(Duration::from_secs(5));
        assert_eq!(self.asked(second, shown).await, [200, 403, 403], "after five seconds");
        assert_eq!(self.asked(first, shown).await, [200, 403, 403], "after five seconds");
        self.cloud.turn(Duration::from_secs(5 * 60 - 5));
        for at in &self.instances {
            assert_eq!(self.asked(at, shown).await, [401, 401, 401], "after five minutes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_at_one_instance_is_over_at_all_in_time() {
    let cloud = Cloud::start().await;
    let house = House::new(&cloud).await;
    let [first, second] = &house.instances;
    let admin = basic(OPERATOR, PASSWORD);
    for user in USERS {
        let access = house.access();
        let caller = access.login(user, &PASSWORD.into(), &Address::default()).await.unwrap();
        let wanted = TokenWanted { robot: None, label: String::new(), limits: Limits::None, life: None };
        let (token, credential) = access.token_create(&caller, &name(user), wanted).await.unwrap();
        let shown = basic(user, credential.reveal());
        let bearer = bearer_of(second, &shown, "team/app").await;
        house.assert_can_do_all(&bearer).await;
        let path = match user {
            "deleted" => "/api/v1/users/deleted".to_owned(),
            "granted" => "/api/v1/repositories/team%2Fapp/grants/user:granted".to_owned(),
            _ => format!("/api/v1/accounts/revoked/tokens/{}", token.id),
        };
        let ended = ask(first, Method::DELETE, &path, &admin).await;
        assert_eq!(ended.status(), 204, "{path}: {ended:?}");
        house.assert_over(&bearer).await;
        let again = get(second, "/token", Some(&shown)).await.status();
        assert_eq!(again, if user == "granted" { 200 } else { 401 }, "{user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_repository_is_good_for_nothing_here() {
    let cloud = Cloud::start().await;
    let house = House::new(&cloud).await;
    for at in &house.instances {
        let bearer = bearer_of(at, &basic("granted", PASSWORD), "team/other").await;
        for (method, path) in [
            (Method::GET, "/v2/team/app/manifests/v1"),
            (Method::POST, "/v2/team/app/blobs/uploads/"),
            (Method::DELETE, "/v2/team/app/manifests/v1"),
        ] {
            let refused = ask(at, method.clone(), path, &bearer).await;
            assert_eq!(refused.status(), 401, "{method} {path}");
            assert_eq!(challenge_word(&refused, "error").as_deref(), Some("insufficient_scope"));
        }
        let here = bearer_of(at, &basic("granted", PASSWORD), "team/app").await;
        assert_eq!(get(at, "/v2/team/app/manifests/v1", Some(&here)).await.status(), 200);
    }
}
