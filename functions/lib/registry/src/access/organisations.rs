//! Organisations: their members and teams.

use std::collections::BTreeSet;

use crate::access::accounts::{Access, Account};
use crate::access::{AccessError, AccountName, Caller, TeamName};
use crate::ports::{Condition, Item, Query, Write};
use crate::records::{
    AccountState, AuditOutcome, MemberRecord, OrganisationRecord, OrganisationRole, Record, TeamRecord,
    Visibility, keys,
};
use crate::registry::ATTEMPTS;

/// How many teams an organisation may have.
const TEAMS_MAX: usize = 200;

/// How many members are listed.
const MEMBERS_MAX: usize = 10_000;

impl Access {
    /// Makes an organisation; the user who does is its first owner.
    ///
    /// Repositories that nobody owns belong to administrators, so that nobody else gets them by taking their name.
    pub async fn organisation_create(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        let user = match caller.user() {
            Some(user) => {
                self.user_now(caller).await?;
                Some(user)
            }
            None => {
                self.require_administrator(caller).await?;
                // An organisation alone would close the registry, with nobody to open it.
                if !self.has_accounts().await? {
                    return Err(AccessError::Conflict("make a user first, who can manage it".to_owned()));
                }
                None
            }
        };
        if !self.is_administrator(caller).await? && self.first_repository(name).await?.is_some() {
            return Err(AccessError::Conflict(format!("the name {name} is taken, or was once")));
        }
        let record = OrganisationRecord {
            state: AccountState::Active,
            default_visibility: Visibility::default(),
            teams: std::collections::BTreeMap::new(),
            created: self.registry.now(),
        };
        let owner = user.map(|user| {
            self.member_writes(caller, name, user, OrganisationRole::Owner, BTreeSet::new(), None)
        });
        let record = Record::Organisation(record);
        self.account_store(caller, name, record, "organisation.create", owner.unwrap_or_default()).await
    }

    /// Changes what new repositories of an organisation are.
    pub async fn organisation_change(
        &self,
        caller: &Caller,
        name: &AccountName,
        default_visibility: Visibility,
    ) -> Result<(), AccessError> {
        self.require_manager(caller, name).await?;
        let detail = format!("visibility={default_visibility:?}").to_lowercase();
        self.organisation_update(caller, name, "organisation.change", &detail, |organisation| {
            organisation.default_visibility = default_visibility;
            Ok(())
        })
        .await
    }

    /// Makes a team, or describes it anew.
    pub async fn team_put(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        team: &TeamName,
        description: &str,
    ) -> Result<(), AccessError> {
        self.require_manager(caller, organisation).await?;
        if description.chars().count() > 200 || description.chars().any(char::is_control) {
            return Err(AccessError::Invalid(
                "a description has 200 characters at most, in one line".to_owned(),
            ));
        }
        self.organisation_update(caller, organisation, "team.put", team.as_str(), |record| {
            record.teams.insert(team.clone(), TeamRecord { description: description.to_owned() });
            if record.teams.len() > TEAMS_MAX {
                return Err(AccessError::Invalid(format!("an organisation has {TEAMS_MAX} teams at most")));
            }
            Ok(())
        })
        .await
    }

    /// Deletes a team. Its members stay in the organisation, without what the team gave them.
    pub async fn team_delete(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        team: &TeamName,
    ) -> Result<(), AccessError> {
        self.require_manager(caller, organisation).await?;
        // Members first: what is left of a deletion that did not end is a team with nobody in it. A team that is made
        // again under this name must not find the old members.
        for (user, member) in self.members(organisation).await? {
            if member.teams.contains(team) {
                self.team_member_change(caller, organisation, team, &user, false).await?;
            }
        }
        self.organisation_update(caller, organisation, "team.delete", team.as_str(), |record| {
            match record.teams.remove(team) {
                Some(_) => Ok(()),
                None => Err(AccessError::unknown(format!("team {team}"))),
            }
        })
        .await
    }

    async fn organisation_update(
        &self,
        caller: &Caller,
        name: &AccountName,
        action: &str,
        detail: &str,
        change: impl Fn(&mut OrganisationRecord) -> Result<(), AccessError>,
    ) -> Result<(), AccessError> {
        for _ in 0..ATTEMPTS {
            let (item, mut record) = self.organisation_item(name).await?;
            change(&mut record)?;
            let seen = Condition::Version(item.version.clone());
            let version = self.registry.fresh_version();
            let writes = vec![
                self.registry.put(item.key.clone(), version, Record::Organisation(record), seen),
                self.audit_write(caller, action, name.as_str(), AuditOutcome::Done, detail),
            ];
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    async fn organisation_item(&self, name: &AccountName) -> Result<(Item, OrganisationRecord), AccessError> {
        match self.account_item(name).await? {
            Some((item, Account::Organisation(record))) if record.state != AccountState::Deleted => {
                Ok((item, record))
            }
            _ => Err(AccessError::unknown(format!("organisation {name}"))),
        }
    }

    /// Lists the members; every member sees them.
    pub async fn member_list(
        &self,
        caller: &Caller,
        organisation: &AccountName,
    ) -> Result<Vec<(AccountName, MemberRecord)>, AccessError> {
        if self.member(caller, organisation).await?.is_none() {
            self.require_manager(caller, organisation).await?;
        }
        self.organisation_item(organisation).await?;
        self.members(organisation).await
    }

    async fn members(
        &self,
        organisation: &AccountName,
    ) -> Result<Vec<(AccountName, MemberRecord)>, AccessError> {
        let member = |item: &Item| {
            let name = item.key.sk.strip_prefix(keys::MEMBERS)?.parse().ok()?;
            Some((name, item.record.as_member()?.clone()))
        };
        Ok(self.member_items(organisation).await?.iter().filter_map(member).collect())
    }

    async fn member_items(&self, organisation: &AccountName) -> Result<Vec<Item>, AccessError> {
        let query = Query {
            pk: keys::account_partition(organisation),
            prefix: keys::MEMBERS.to_owned(),
            limit: MEMBERS_MAX,
            ..Query::default()
        };
        Ok(self.registry.stores.items.query(query).await?)
    }

    /// Lists the organisations that a user is in; only the user and administrators see that.
    pub async fn membership_list(
        &self,
        caller: &Caller,
        user: &AccountName,
    ) -> Result<Vec<AccountName>, AccessError> {
        if caller.user() == Some(user) {
            self.user_now(caller).await?;
        } else {
            self.require_administrator(caller).await?;
        }
        self.memberships(user).await
    }

    async fn memberships(&self, user: &AccountName) -> Result<Vec<AccountName>, AccessError> {
        let query = Query {
            pk: keys::account_partition(user),
            prefix: keys::MEMBERSHIPS.to_owned(),
            limit: MEMBERS_MAX,
            ..Query::default()
        };
        let items = self.registry.stores.items.query(query).await?;
        Ok(items
            .iter()
            .filter_map(|item| item.key.sk.strip_prefix(keys::MEMBERSHIPS)?.parse().ok())
            .collect())
    }

    /// Makes the user a member, or gives a member another role.
    pub async fn member_put(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        user: &AccountName,
        role: OrganisationRole,
    ) -> Result<(), AccessError> {
        self.require_manager(caller, organisation).await?;
        self.organisation_item(organisation).await?;
        match self.account_item(user).await? {
            Some((_, Account::User(record))) if record.state == AccountState::Active => {}
            _ => return Err(AccessError::unknown(format!("user {user}"))),
        }
        for _ in 0..ATTEMPTS {
            let item = self.registry.get(keys::member(organisation, user)).await?;
            let before = item.as_ref().and_then(|item| item.record.as_member());
            let check = match before {
                Some(member) if role != OrganisationRole::Owner => {
                    self.other_owner(organisation, user, member.role).await?
                }
                _ => None,
            };
            let teams = before.map(|member| member.teams.clone()).unwrap_or_default();
            let mut writes = self.member_writes(caller, organisation, user, role, teams, item.as_ref());
            writes.extend(check);
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Returns what makes the user a member like this, if nothing changed since `before` was read.
    fn member_writes(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        user: &AccountName,
        role: OrganisationRole,
        teams: BTreeSet<TeamName>,
        before: Option<&Item>,
    ) -> Vec<Write> {
        let since = before
            .and_then(|item| item.record.as_member())
            .map_or(self.registry.now(), |member| member.since);
        let version = self.registry.fresh_version();
        let record = Record::Member(MemberRecord { role, teams, since });
        let detail = format!("{user} {role:?}").to_lowercase();
        let put = |key, record, condition| self.registry.put(key, version.clone(), record, condition);
        vec![
            put(keys::member(organisation, user), record, Condition::unchanged(before)),
            put(keys::membership(user, organisation), Record::Listed, Condition::Always),
            self.audit_write(caller, "member.put", organisation.as_str(), AuditOutcome::Done, &detail),
        ]
    }

    /// Takes the user out of the organisation. Everybody may take themselves out.
    pub async fn member_delete(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        user: &AccountName,
    ) -> Result<(), AccessError> {
        if caller.user() == Some(user) {
            self.user_now(caller).await?;
        } else {
            self.require_manager(caller, organisation).await?;
        }
        for _ in 0..ATTEMPTS {
            let item = self.registry.get(keys::member(organisation, user)).await?;
            let role = item.as_ref().and_then(|item| Some(item.record.as_member()?.role));
            let (item, role) =
                item.zip(role).ok_or_else(|| AccessError::unknown(format!("member {user}")))?;
            let check = self.other_owner(organisation, user, role).await?;
            let (place, target) = (organisation.as_str(), user.as_str());
            let mut writes = vec![
                Write::Delete(item.key, Condition::Version(item.version)),
                Write::Delete(keys::membership(user, organisation), Condition::Always),
                self.audit_write(caller, "member.delete", place, AuditOutcome::Done, target),
            ];
            writes.extend(check);
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Refuses if an organisation would have no owner without this user.
    pub(crate) async fn require_other_owners(&self, user: &AccountName) -> Result<(), AccessError> {
        for organisation in self.memberships(user).await? {
            let item = self.registry.get(keys::member(&organisation, user)).await?;
            if let Some(member) = item.as_ref().and_then(|item| item.record.as_member()) {
                self.other_owner(&organisation, user, member.role).await?;
            }
        }
        Ok(())
    }

    /// Returns the check that somebody else is an owner still when it is written that the user, who has this role, is
    /// none any more: an organisation without an owner is nobody's.
    async fn other_owner(
        &self,
        organisation: &AccountName,
        user: &AccountName,
        role: OrganisationRole,
    ) -> Result<Option<Write>, AccessError> {
        if role != OrganisationRole::Owner {
            return Ok(None);
        }
        let own = keys::member(organisation, user);
        let is_owner = |item: &Item| {
            item.record.as_member().is_some_and(|member| member.role == OrganisationRole::Owner)
        };
        let members = self.member_items(organisation).await?;
        match members.into_iter().find(|item| item.key != own && is_owner(item)) {
            Some(item) => Ok(Some(Write::Check(item.key, Condition::Version(item.version)))),
            None => Err(AccessError::Conflict(format!("{user} is the only owner of {organisation}"))),
        }
    }

    /// Puts a member into a team, or takes it out.
    pub async fn team_member_change(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        team: &TeamName,
        user: &AccountName,
        is_in: bool,
    ) -> Result<(), AccessError> {
        self.require_manager(caller, organisation).await?;
        let (_, record) = self.organisation_item(organisation).await?;
        if !record.teams.contains_key(team) {
            return Err(AccessError::unknown(format!("team {team}")));
        }
        for _ in 0..ATTEMPTS {
            let item = self.registry.get(keys::member(organisation, user)).await?;
            let member = item.as_ref().and_then(|item| item.record.as_member());
            let member = member.ok_or_else(|| AccessError::unknown(format!("member {user}")))?;
            let mut teams = member.teams.clone();
            let is_change = if is_in { teams.insert(team.clone()) } else { teams.remove(team) };
            if !is_change {
                return Ok(());
            }
            let role = member.role;
            let writes = self.member_writes(caller, organisation, user, role, teams, item.as_ref());
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }
}
