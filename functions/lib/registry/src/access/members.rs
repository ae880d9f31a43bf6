//! Members of organisations, and of their teams.

use crate::access::accounts::{Access, Account};
use crate::access::policy::namespace_visibility;
use crate::access::{AccessError, AccountName, Caller, TeamName};
use crate::ports::{Condition, Item, Query, Write};
use crate::records::{AuditOutcome, MemberRecord, OrganisationRole, Record, keys};
use crate::registry::ATTEMPTS;

/// How many members are listed.
const MEMBERS_MAX: usize = 10_000;

/// What the audit log calls it that somebody becomes a member, or another one.
pub(crate) const MEMBER_PUT: &str = "member.put";

impl Access {
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

    pub(crate) async fn members(
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

    pub(crate) async fn memberships(&self, user: &AccountName) -> Result<Vec<AccountName>, AccessError> {
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
    ///
    /// An owner whom another owner made one has all the rights of one, but nothing to lose by it: until they agree, by
    /// doing the same themselves, they may leave at any time, and nobody can leave the organisation to them.
    pub async fn member_put(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        user: &AccountName,
        role: OrganisationRole,
    ) -> Result<(), AccessError> {
        self.require_manager(caller, organisation).await?;
        for _ in 0..ATTEMPTS {
            let (place, _) = self.organisation_item(organisation).await?;
            let (account, record) = self.user_item(user).await?;
            // Who agrees is counted, and finds out whether somebody else was at the same moment.
            let stays = match caller.user() == Some(user) {
                true => self.account_rewritten(&account, Account::User(record)),
                false => self.account_stays(&account),
            };
            let item = self.registry.get(keys::member(organisation, user)).await?;
            let before = item.as_ref().and_then(|item| item.record.as_member());
            let checks = match before {
                Some(member) if role != OrganisationRole::Owner => {
                    self.other_owner(organisation, user, member).await?
                }
                _ => Vec::new(),
            };
            let member = self.member_changed(caller, user, role, before).await?;
            let act = (MEMBER_PUT, format!("{user} {role:?}").to_lowercase());
            let mut writes = self.member_writes(caller, organisation, user, member, act, item.as_ref());
            writes.extend([stays, self.account_stays(&place)]);
            writes.extend(checks);
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Returns the member with another role, and whether that is by its own will. Administrators are asked in its place.
    async fn member_changed(
        &self,
        caller: &Caller,
        user: &AccountName,
        role: OrganisationRole,
        before: Option<&MemberRecord>,
    ) -> Result<MemberRecord, AccessError> {
        let was_owner = before.is_some_and(|member| member.role == OrganisationRole::Owner);
        let was_unasked = before.is_some_and(|member| member.is_unasked);
        let is_unasked = match role {
            OrganisationRole::Member => false,
            OrganisationRole::Owner if self.is_administrator(caller).await? => false,
            OrganisationRole::Owner if caller.user() == Some(user) => {
                if was_unasked {
                    self.require_few_organisations(user).await?;
                }
                false
            }
            OrganisationRole::Owner => was_unasked || !was_owner,
        };
        let member = before.cloned().unwrap_or_else(|| MemberRecord::new(self.registry.now()));
        Ok(MemberRecord { role, is_unasked, ..member })
    }

    /// Returns what makes the user a member like this, if nothing changed since `before` was read; the audit log is told
    /// the action with its detail.
    pub(crate) fn member_writes(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        user: &AccountName,
        member: MemberRecord,
        (action, detail): (&str, String),
        before: Option<&Item>,
    ) -> Vec<Write> {
        let version = self.registry.fresh_version();
        let record = Record::Member(member);
        let put = |key, record, condition| self.registry.put(key, version.clone(), record, condition);
        vec![
            put(keys::member(organisation, user), record, Condition::unchanged(before)),
            put(keys::membership(user, organisation), Record::Listed, Condition::Always),
            self.audit_write(caller, action, organisation.as_str(), AuditOutcome::Done, &detail),
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
            let member = item.as_ref().and_then(|item| item.record.as_member().cloned());
            let (item, member) =
                item.zip(member).ok_or_else(|| AccessError::unknown(format!("member {user}")))?;
            let checks = self.other_owner(organisation, user, &member).await?;
            let (place, target) = (organisation.as_str(), user.as_str());
            let mut writes = vec![
                Write::Delete(item.key, Condition::Version(item.version)),
                Write::Delete(keys::membership(user, organisation), Condition::Always),
                self.audit_write(caller, "member.delete", place, AuditOutcome::Done, target),
            ];
            writes.extend(checks);
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Returns the checks that each of the user's organisations has another owner; some may be the same.
    pub(crate) async fn other_owners(&self, user: &AccountName) -> Result<Vec<Write>, AccessError> {
        let mut checks = Vec::new();
        for organisation in self.memberships(user).await? {
            let item = self.registry.get(keys::member(&organisation, user)).await?;
            if let Some(member) = item.as_ref().and_then(|item| item.record.as_member()) {
                checks.extend(self.other_owner(&organisation, user, member).await?);
            }
        }
        Ok(checks)
    }

    /// Returns the checks that somebody else is an owner still, with the same account, when it is written that the user,
    /// who is such a member, is none any more: an organisation without an owner is nobody's. Only those count who agreed
    /// to be one, and can use their account.
    async fn other_owner(
        &self,
        organisation: &AccountName,
        user: &AccountName,
        member: &MemberRecord,
    ) -> Result<Vec<Write>, AccessError> {
        if !member.is_willing_owner() {
            return Ok(Vec::new());
        }
        let members = self.member_items(organisation).await?;
        if let Some((member, account)) = self.first_owner(&members, user).await? {
            return Ok([member, &account].map(unchanged).to_vec());
        }
        let is_unasked = |item: &Item| item.record.as_member().is_some_and(|member| member.is_unasked);
        let remedy = match members.iter().any(is_unasked) {
            true => format!(
                "; others were made one, and have to agree first: `slipway org accept {organisation}`"
            ),
            false => String::new(),
        };
        Err(AccessError::Conflict(format!("{user} is the only owner of {organisation}{remedy}")))
    }

    /// Returns one of the members who owns the organisation with this user, and its account.
    async fn first_owner<'a>(
        &self,
        members: &'a [Item],
        user: &AccountName,
    ) -> Result<Option<(&'a Item, Item)>, AccessError> {
        let owner = |item: &'a Item| {
            item.record.as_member().filter(|member| member.is_willing_owner())?;
            let name: AccountName = item.key.sk.strip_prefix(keys::MEMBERS)?.parse().ok()?;
            (name != *user).then(|| (item, keys::account(&name)))
        };
        let owners: Vec<_> = members.iter().filter_map(owner).collect();
        let mut accounts = self.read(owners.iter().map(|(_, key)| key.clone()).collect()).await?;
        Ok(owners.into_iter().find_map(|(item, key)| {
            let account = accounts.remove(&key).filter(|account| namespace_visibility(account).is_some())?;
            Some((item, account))
        }))
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
            let check = match is_in {
                true => Some(self.team_check(organisation, team).await?),
                false => None,
            };
            let item = self.registry.get(keys::member(organisation, user)).await?;
            let member = item.as_ref().and_then(|item| item.record.as_member());
            let member = member.ok_or_else(|| AccessError::unknown(format!("member {user}")))?;
            let mut member = member.clone();
            let is_change = if is_in { member.teams.insert(team.clone()) } else { member.teams.remove(team) };
            if !is_change {
                return Ok(());
            }
            let act = if is_in { "team.member.put" } else { "team.member.delete" };
            let act = (act, format!("{team} {user}"));
            let mut writes = self.member_writes(caller, organisation, user, member, act, item.as_ref());
            writes.extend(check);
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }
}

fn unchanged(item: &Item) -> Write {
    Write::Check(item.key.clone(), Condition::unchanged(Some(item)))
}
