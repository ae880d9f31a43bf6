//! A guarded registry with a few accounts, and what they show.

use std::collections::BTreeSet;
use std::time::Duration;

use registry::access::{
    Access, Address, Caller, Credential, Limits, Permission, RepositoryChange, Scope, TokenWanted,
};
use registry::records::Visibility;
use serde_json::Value;
use test_support::access::{basic, bearer};

use crate::client::{Client, Reply};
use crate::world::World;

/// The password of every user.
pub(super) const PASSWORD: &str = "plum-Harbour-94-kettle";

pub(super) struct House {
    pub(super) world: World,
    pub(super) access: Access,
}

/// Returns somebody who may manage everything.
pub(super) fn root() -> Caller {
    Caller::everybody(Address::default())
}

pub(super) fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Returns who logs in with the password that all have.
pub(super) async fn login(access: &Access, user: &str) -> Caller {
    access.login(user, &PASSWORD.into(), &Address::default()).await.unwrap()
}

pub(super) fn limits(repositories: &str, permissions: &[Permission]) -> Limits {
    let permissions = permissions.iter().copied().collect::<BTreeSet<_>>();
    Limits::Scopes(vec![Scope { repositories: repositories.to_owned(), permissions }])
}

impl House {
    /// Returns a guarded registry that has the first administrator and the organisation `team`.
    pub(super) async fn new() -> Self {
        Self::on(World::new()).await
    }

    pub(super) async fn on(world: World) -> Self {
        let access = world.access();
        access.first_administrator_create(&PASSWORD.into()).await.unwrap();
        access.organisation_create(&root(), &name("team")).await.unwrap();
        Self { world, access }
    }

    /// Returns a client of the first process; it shows nothing.
    pub(super) fn client(&self) -> Client {
        Client::guarded(&self.access)
    }

    /// Returns a client of a process that has just started.
    pub(super) fn cold_client(&self) -> Client {
        Client::guarded(&self.world.access())
    }

    /// Returns the accounts of as many processes as ask at once.
    pub(super) fn processes(&self) -> Vec<Access> {
        (0..8).map(|_| self.world.access()).collect()
    }

    /// Makes a user, and returns what Basic authentication shows of the password.
    pub(super) async fn user(&self, user: &str) -> String {
        self.access.user_create(&root(), &name(user), &PASSWORD.into(), false).await.unwrap();
        basic(user, PASSWORD)
    }

    /// Makes a personal token.
    pub(super) async fn personal(&self, user: &str, limits: Limits) -> Credential {
        let caller = login(&self.access, user).await;
        let wanted = TokenWanted { robot: None, label: String::new(), limits, life: None };
        self.access.token_create(&caller, &name(user), wanted).await.unwrap().1
    }

    /// Makes a robot of `team`, and returns its token.
    pub(super) async fn robot(&self, robot: &str, limits: Limits) -> Credential {
        let wanted = TokenWanted { robot: Some(name(robot)), label: String::new(), limits, life: None };
        self.access.token_create(&root(), &name("team"), wanted).await.unwrap().1
    }

    /// Makes a robot that may do everything in `team`, and returns what it shows.
    pub(super) async fn all_in_team(&self) -> String {
        let credential = self.robot("all", limits("team/*", &Permission::ALL)).await;
        basic("team+all", credential.reveal())
    }

    /// Makes a robot that may do everything in `team`, and returns a client that shows its token.
    pub(super) async fn pusher(&self, robot: &str) -> Client {
        let credential = self.robot(robot, limits("team/*", &Permission::ALL)).await;
        self.client().showing(&basic(&format!("team+{robot}"), credential.reveal()))
    }

    /// Makes a repository.
    pub(super) async fn repository(&self, repository: &str, visibility: Visibility) {
        let change = RepositoryChange { visibility: Some(visibility), ..RepositoryChange::default() };
        self.access.repository_create(&root(), &name(repository), &change).await.unwrap();
    }

    /// Lets seconds pass.
    pub(super) fn wait(&self, secs: u64) {
        self.world.clock.advance(Duration::from_secs(secs));
    }
}

/// Asks for an access token by GET.
pub(super) async fn ask_token(client: &Client, shown: &str, query: &str) -> Reply {
    client.showing(shown).get(&format!("/token?{query}")).await
}

/// Returns what a client shows that was given an access token for these scopes.
pub(super) async fn bearer_of(client: &Client, shown: &str, scopes: &[&str]) -> String {
    let query: Vec<String> = scopes.iter().map(|scope| format!("scope={scope}")).collect();
    bearer(&field(&ask_token(client, shown, &query.join("&")).await.expect(200), "token"))
}

/// Returns a field of the answer's JSON.
pub(super) fn field(reply: &Reply, field: &str) -> String {
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).to_owned()
}

/// Returns the error word of the challenge.
pub(super) fn error_word(reply: &Reply) -> Option<&str> {
    let challenge = reply.headers.get("www-authenticate")?.to_str().unwrap();
    challenge.split_once("error=\"")?.1.split('"').next()
}
