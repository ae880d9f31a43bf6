//! What somebody may do in a repository: one pure function from facts to permissions.

use oci::RepositoryName;

use crate::access::caller::Who;
use crate::access::{AccountName, Permissions, Role};
use crate::ports::Item;
use crate::records::{
    AccountState, Grantee, MemberRecord, OrganisationRole, RepositoryRecord, UserRecord, Visibility,
};

/// What is known when somebody asks for something in a repository.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// The user who asks.
    pub(crate) user: Option<UserRecord>,
    /// The repository; it may not exist yet.
    pub(crate) repository: Option<RepositoryRecord>,
    /// Whether the repository's namespace is an account's, and what new repositories there are.
    pub(crate) namespace: Option<Visibility>,
    /// The user as a member of the organisation whose namespace it is.
    pub(crate) member: Option<MemberRecord>,
}

impl Facts {
    /// Returns what `who` may do in the repository, before any limits of the credential.
    pub(crate) fn permissions(&self, who: &Who, repository: &RepositoryName) -> Permissions {
        match who {
            Who::Everybody => Role::Admin.permissions(),
            Who::Anonymous => self.public_role().map(Role::permissions).unwrap_or_default(),
            // A robot is what its limits make of it, and nothing outside its namespace.
            Who::Robot(namespace, _) if namespace.owns(repository) && self.namespace.is_some() => {
                Role::Admin.permissions()
            }
            Who::Robot(..) => self.public_role().map(Role::permissions).unwrap_or_default(),
            Who::User(name) => self.role(name, repository).map(Role::permissions).unwrap_or_default(),
        }
    }

    /// Returns what the user is in the repository: the most that anything makes of them.
    pub(crate) fn role(&self, name: &AccountName, repository: &RepositoryName) -> Option<Role> {
        let user = self.user.as_ref().filter(|user| user.state == AccountState::Active)?;
        let is_admin = user.is_administrator
            || name.owns(repository)
            || self.member.as_ref().is_some_and(|member| member.role == OrganisationRole::Owner);
        if is_admin {
            return Some(Role::Admin);
        }
        self.granted_role(name).max(self.public_role())
    }

    fn granted_role(&self, name: &AccountName) -> Option<Role> {
        let grants = &self.repository.as_ref()?.grants;
        let own = grants.get(&Grantee::User(name.clone())).copied();
        let teams = self.member.iter().flat_map(|member| &member.teams);
        let by_teams = teams.filter_map(|team| grants.get(&Grantee::Team(team.clone())).copied()).max();
        own.max(by_teams)
    }

    fn public_role(&self) -> Option<Role> {
        self.repository.as_ref().filter(|repository| repository.is_open()).map(|_| Role::Pull)
    }
}

/// Returns what new repositories of an account are, if it can be used.
pub(crate) fn namespace_visibility(item: &Item) -> Option<Visibility> {
    let (state, visibility) = match (item.record.as_user(), item.record.as_organisation()) {
        (Some(user), _) => (user.state, user.default_visibility),
        (_, Some(organisation)) => (organisation.state, organisation.default_visibility),
        _ => return None,
    };
    (state == AccountState::Active).then_some(visibility)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Permission, TeamName};
    use crate::ports::Timestamp;

    fn user(state: AccountState, is_administrator: bool) -> UserRecord {
        UserRecord {
            state,
            password: None,
            password_since: Timestamp::default(),
            is_administrator,
            default_visibility: Visibility::default(),
            created: Timestamp::default(),
            organisations_made: 0,
            is_ending: false,
        }
    }

    fn member(role: OrganisationRole, teams: &[&str]) -> MemberRecord {
        let teams = teams.iter().map(|team| team.parse::<TeamName>().unwrap()).collect();
        MemberRecord { role, teams, ..MemberRecord::new(Timestamp::default()) }
    }

    fn repository(is_public: bool, grants: &[(&str, Role)]) -> RepositoryRecord {
        let visibility = if is_public { Visibility::Public } else { Visibility::Private };
        let grants = grants.iter().map(|(grantee, role)| (grantee.parse().unwrap(), *role)).collect();
        RepositoryRecord { grants, ..RepositoryRecord::new(Timestamp::default(), visibility) }
    }

    fn who(text: &str) -> Who {
        if text == "everybody" { Who::Everybody } else { Who::parse(text).unwrap() }
    }

    /// Returns what may be done in `team/app`.
    fn words(facts: &Facts, text: &str) -> String {
        let permissions = facts.permissions(&who(text), &"team/app".parse().unwrap());
        permissions.into_iter().map(Permission::as_str).collect::<Vec<_>>().join(" ")
    }

    const ACTIVE: AccountState = AccountState::Active;
    const R: &str = "pull";
    const RW: &str = "pull push";
    const RWD: &str = "pull push delete";

    #[test]
    fn what_each_may_do_in_a_private_a_public_and_a_missing_repository() {
        let plain = || Some(user(ACTIVE, false));
        let member = |role, teams: &[&str]| Some(member(role, teams));
        let (is_member, is_owner) = (OrganisationRole::Member, OrganisationRole::Owner);
        let none: &[(&str, Role)] = &[];
        let devs_push: &[(&str, Role)] = &[("team:devs", Role::Push)];
        let alice_pull: &[(&str, Role)] = &[("user:alice", Role::Pull)];
        let both: &[(&str, Role)] =
            &[("user:alice", Role::Pull), ("team:devs", Role::Push), ("team:ops", Role::Admin)];
        for (what, who, account, member, grants, private, public, missing) in [
            ("nobody", "anonymous", None, None, none, "", R, ""),
            ("everybody", "everybody", None, None, none, RWD, RWD, RWD),
            ("a user", "alice", plain(), None, none, "", R, ""),
            ("a user who is not there", "alice", None, None, alice_pull, "", "", ""),
            ("a namesake of a grant", "alice2", plain(), None, alice_pull, "", R, ""),
            ("with a grant", "alice", plain(), None, alice_pull, R, R, ""),
            ("a member", "alice", plain(), member(is_member, &[]), devs_push, "", R, ""),
            ("in the team", "alice", plain(), member(is_member, &["devs"]), devs_push, RW, RW, ""),
            ("in another team", "alice", plain(), member(is_member, &["ops"]), devs_push, "", R, ""),
            ("the most of all", "alice", plain(), member(is_member, &["devs"]), both, RW, RW, ""),
            (
                "the most of all teams",
                "alice",
                plain(),
                member(is_member, &["devs", "ops"]),
                both,
                RWD,
                RWD,
                "",
            ),
            ("an owner", "alice", plain(), member(is_owner, &[]), none, RWD, RWD, RWD),
            ("the owner of the namespace", "team", plain(), None, none, RWD, RWD, RWD),
            ("an administrator", "alice", Some(user(ACTIVE, true)), None, none, RWD, RWD, RWD),
            (
                "disabled",
                "alice",
                Some(user(AccountState::Disabled, true)),
                member(is_owner, &[]),
                both,
                "",
                "",
                "",
            ),
            (
                "deleted",
                "alice",
                Some(user(AccountState::Deleted, true)),
                member(is_owner, &[]),
                both,
                "",
                "",
                "",
            ),
            ("a robot of the namespace", "team+ci", None, None, none, RWD, RWD, RWD),
            ("a robot of another", "other+ci", None, None, none, "", R, ""),
            ("a robot is no grantee", "alice+ci", plain(), None, alice_pull, "", R, ""),
        ] {
            let in_repository = |repository: Option<RepositoryRecord>| {
                let namespace = Some(Visibility::Private);
                words(&Facts { user: account.clone(), member: member.clone(), namespace, repository }, who)
            };
            assert_eq!(in_repository(Some(repository(false, grants))), private, "{what}, private");
            assert_eq!(in_repository(Some(repository(true, grants))), public, "{what}, public");
            assert_eq!(in_repository(None), missing, "{what}, missing");
        }
    }

    #[test]
    fn a_robot_of_an_account_that_cannot_be_used_is_a_stranger() {
        let facts = Facts { repository: Some(repository(true, &[])), ..Facts::default() };
        assert_eq!(words(&facts, "team+ci"), R);
        let facts = Facts { repository: Some(repository(false, &[])), ..Facts::default() };
        assert_eq!(words(&facts, "team+ci"), "");
    }
}
