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
        self.repository.as_ref().filter(|repository| repository.is_public).map(|_| Role::Pull)
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
