//! The accounts that the table is about: making them, and ending some.

use std::collections::BTreeSet;
use std::time::Duration;

use registry::access::{
    Access, AccountName, Address, Caller, Credential, Limits, Permission, RepositoryChange, Role as Granted,
    Scope, TokenWanted, UserChange,
};
use registry::records::{Grantee, OrganisationRole, Visibility};

use super::table::{Place, Role};

/// The password of every user; as long as the first one is on AWS.
pub const PASSWORD: &str = "plum-Harbour-94-kettle-7";

/// What the operator does to the accounts.
pub(super) struct Stage<'a> {
    pub(super) access: &'a Access,
    pub(super) admin: Caller,
}

pub(super) fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

/// Returns who logs in with the password that all have.
pub(super) async fn login(access: &Access, user: &str) -> Caller {
    access.login(user, &PASSWORD.into(), &Address::default()).await.unwrap()
}

impl Stage<'_> {
    pub(super) async fn accounts(&self) {
        let is_user = |role: &Role| !matches!(role, Role::Anonymous | Role::Robot | Role::Limited);
        for role in Role::all().filter(is_user) {
            let is_administrator = role == Role::Administrator;
            self.access
                .user_create(&self.admin, &name(&role.user()), &PASSWORD.into(), is_administrator)
                .await
                .unwrap();
        }
        for organisation in ["team", "other"] {
            self.access.organisation_create(&self.admin, &name(organisation)).await.unwrap();
        }
        let team: AccountName = name("team");
        self.access.team_put(&self.admin, &team, &name("devs"), "those who push").await.unwrap();
        let in_devs = [Role::Pusher, Role::Expired, Role::Revoked, Role::Deleted, Role::Disabled];
        for role in [Role::Owner, Role::Member].iter().chain(&in_devs) {
            let as_what =
                if *role == Role::Owner { OrganisationRole::Owner } else { OrganisationRole::Member };
            self.access.member_put(&self.admin, &team, &name(&role.user()), as_what).await.unwrap();
        }
        for role in in_devs {
            let user = name(&role.user());
            self.access.team_member_change(&self.admin, &team, &name("devs"), &user, true).await.unwrap();
        }
    }

    pub(super) async fn repositories(&self) {
        for place in [Place::Opened, Place::Hidden, Place::Board] {
            let repository = name(&place.name(Role::Anonymous));
            let visibility = if place == Place::Opened { Visibility::Public } else { Visibility::Private };
            let change = RepositoryChange { visibility: Some(visibility), ..RepositoryChange::default() };
            self.access.repository_create(&self.admin, &repository, &change).await.unwrap();
            if place == Place::Board {
                continue;
            }
            let user = |role: Role| Grantee::User(name(&role.user()));
            for (grantee, role) in [
                (user(Role::Puller), Granted::Pull),
                (Grantee::Team(name("devs")), Granted::Push),
                (user(Role::Admin), Granted::Admin),
            ] {
                self.access.grant_put(&self.admin, &repository, &grantee, role).await.unwrap();
            }
        }
    }

    pub(super) async fn token(&self, role: Role) -> Credential {
        let scope = |repositories: &str, permissions: &[Permission]| {
            let permissions = permissions.iter().copied().collect::<BTreeSet<_>>();
            Limits::Scopes(vec![Scope { repositories: repositories.to_owned(), permissions }])
        };
        let (caller, owner, robot, limits) = match role {
            Role::Robot => {
                let limits = scope("team/*", &[Permission::Pull, Permission::Push]);
                (self.admin.clone(), "team".to_owned(), Some(name("ci")), limits)
            }
            Role::Limited => {
                let limits = scope(&Place::Hidden.name(role), &[Permission::Pull]);
                (login(self.access, &role.user()).await, role.user(), None, limits)
            }
            _ => (login(self.access, &role.user()).await, role.user(), None, Limits::None),
        };
        let life = (role == Role::Expired).then_some(Duration::from_secs(60));
        let wanted = TokenWanted { robot, label: String::new(), limits, life };
        self.access.token_create(&caller, &name(&owner), wanted).await.unwrap().1
    }

    pub(super) async fn end(&self, role: Role, credential: &Credential) {
        let user: AccountName = name(&role.user());
        match role {
            Role::Revoked => {
                let owner = login(self.access, user.as_str()).await;
                self.access.token_revoke(&owner, &user, credential.id()).await.unwrap();
            }
            Role::Deleted => self.access.account_delete(&self.admin, &user).await.unwrap(),
            Role::Disabled => {
                let change = UserChange { is_disabled: Some(true), ..UserChange::default() };
                self.access.user_change(&self.admin, &user, &change).await.unwrap();
            }
            _ => {}
        }
    }
}
