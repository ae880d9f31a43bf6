//! Organisations and their teams.

use oci::RepositoryName;

use crate::access::accounts::{Access, Account};
use crate::access::members::MEMBER_PUT;
use crate::access::refusals::Refusal;
use crate::access::{AccessError, AccountName, Caller, TeamName};
use crate::ports::{Condition, Item, Write};
use crate::records::{
    AccountState, AuditOutcome, Grantee, MemberRecord, OrganisationRecord, OrganisationRole, Record,
    TeamRecord, UserRecord, Visibility, keys,
};
use crate::registry::ATTEMPTS;

/// How many teams an organisation may have.
const TEAMS_MAX: usize = 200;

/// How many organisations a user may own who makes another one.
const ORGANISATIONS_MAX: usize = 20;

/// How many a user may have made: the names of those that were deleted stay taken.
const ORGANISATIONS_MADE_MAX: u32 = 100;

/// What visitors would take for more than a name.
const RESERVED: [&str; 8] =
    ["admin", "administrator", "docker", "library", "localhost", "root", "slipway", "system"];

/// How many repositories are looked at in one call.
const REPOSITORIES_PAGE: usize = 100;

impl Access {
    /// Makes an organisation; the user who does is its first owner.
    ///
    /// Repositories that nobody owns belong to administrators, so that nobody else gets them by taking their name.
    pub async fn organisation_create(&self, caller: &Caller, name: &AccountName) -> Result<(), AccessError> {
        let record = OrganisationRecord {
            state: AccountState::Active,
            default_visibility: Visibility::default(),
            teams: std::collections::BTreeMap::new(),
            created: self.registry.now(),
            is_ending: false,
        };
        let (action, version) = ("organisation.create", self.registry.fresh_version());
        for _ in 0..ATTEMPTS {
            let record = Record::Organisation(record.clone());
            let owner = self.first_owner_writes(caller, name).await?;
            if self.account_store(caller, name, record, action, &version, owner).await? {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Returns what makes the caller the first owner, if it is a user, whose account stays; refuses who may not make it.
    ///
    /// The account is read first, and what is counted is written there: of two who make the last organisation at the same
    /// moment, one finds the account changed, and counts again.
    async fn first_owner_writes(
        &self,
        caller: &Caller,
        organisation: &AccountName,
    ) -> Result<Vec<Write>, AccessError> {
        let is_administrator = self.is_administrator(caller).await?;
        let account = match caller.user() {
            Some(user) => Some(self.user_item(user).await?),
            None => None,
        };
        if !is_administrator {
            self.require_maker(caller, organisation, account.as_ref().map(|(_, user)| user)).await?;
        } else if account.is_none() && !self.has_accounts().await? {
            // An organisation alone would close the registry, with nobody to open it.
            return Err(AccessError::Conflict("make a user first, who can manage it".to_owned()));
        }
        let Some((user, (item, record))) = caller.user().zip(account) else { return Ok(Vec::new()) };
        if organisation == user {
            return Err(name_taken(organisation));
        }
        let stays = match is_administrator {
            true => self.account_stays(&item),
            false => {
                let organisations_made = record.organisations_made + 1;
                self.account_rewritten(&item, Account::User(UserRecord { organisations_made, ..record }))
            }
        };
        let act = (MEMBER_PUT, format!("{user} owner"));
        let owner = MemberRecord { role: OrganisationRole::Owner, ..MemberRecord::new(self.registry.now()) };
        let mut writes = self.member_writes(caller, organisation, user, owner, act, None);
        writes.push(stays);
        Ok(writes)
    }

    /// Refuses who may make no organisation, or none of this name; and that is noted.
    async fn require_maker(
        &self,
        caller: &Caller,
        name: &AccountName,
        record: Option<&UserRecord>,
    ) -> Result<(), AccessError> {
        let Some(user) = caller.user().filter(|_| !self.options().organisations_are_for_administrators)
        else {
            return self.require_administrator(caller).await;
        };
        let made = record.map_or(0, |record| record.organisations_made);
        let result = match self.require_free(name).await {
            Ok(()) if made >= ORGANISATIONS_MADE_MAX => Err(AccessError::Conflict(format!(
                "{user} has made {ORGANISATIONS_MADE_MAX} organisations, deleted ones too, which is the most; an administrator can make more"
            ))),
            Ok(()) => self.require_few_organisations(user).await,
            taken => taken,
        };
        if let Err(AccessError::Conflict(why)) = &result {
            let (target, detail) = (name.to_string(), why.clone());
            self.note_refusal(caller, &Refusal { action: "organisation.create", target, detail }).await;
        }
        result
    }

    /// Refuses what is not for everybody to take, although there is no account of that name.
    async fn require_free(&self, name: &AccountName) -> Result<(), AccessError> {
        if RESERVED.contains(&name.as_str()) {
            return Err(AccessError::Conflict(format!("{name} is for administrators to make")));
        }
        match self.first_repository(name).await? {
            Some(_) => Err(name_taken(name)),
            None => Ok(()),
        }
    }

    /// Names are given once and for ever, so that nobody may take too many. It holds if the user's account does not change
    /// between before it is asked and what is written then. What others made somebody an owner of does
    /// not count.
    pub(crate) async fn require_few_organisations(&self, user: &AccountName) -> Result<(), AccessError> {
        let organisations = self.memberships(user).await?;
        let found = self.read(organisations.iter().map(|name| keys::member(name, user)).collect()).await?;
        let is_owner = |name: &&AccountName| {
            let member = found.get(&keys::member(name, user)).and_then(|item| item.record.as_member());
            member.is_some_and(MemberRecord::is_willing_owner)
        };
        match organisations.iter().filter(is_owner).count() < ORGANISATIONS_MAX {
            true => Ok(()),
            false => Err(AccessError::Conflict(format!(
                "{user} owns {ORGANISATIONS_MAX} organisations, which is the most; an administrator can make more"
            ))),
        }
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
        let audit =
            self.audit_write(caller, "organisation.change", name.as_str(), AuditOutcome::Done, &detail);
        self.organisation_update(name, Some(audit), |organisation| {
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
        let place = organisation.as_str();
        let audit = self.audit_write(caller, "team.put", place, AuditOutcome::Done, team.as_str());
        self.organisation_update(organisation, Some(audit), |record| {
            if record.teams.get(team).is_some_and(|team| team.is_ending) {
                return Err(team_ending(team));
            }
            let described = TeamRecord { description: description.to_owned(), is_ending: false };
            record.teams.insert(team.clone(), described);
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
        let unknown = || AccessError::unknown(format!("team {team}"));
        // A team that is made again under this name must not find the old members, nor what the old one was granted: from
        // here on it gets nothing more, and what a deletion that did not end has left is ended by another one.
        self.organisation_update(organisation, None, |record| {
            record.teams.get_mut(team).ok_or_else(unknown)?.is_ending = true;
            Ok(())
        })
        .await?;
        for (user, member) in self.members(organisation).await? {
            if member.teams.contains(team) {
                self.team_member_change(caller, organisation, team, &user, false).await?;
            }
        }
        self.team_grants_end(caller, organisation, team).await?;
        let place = organisation.as_str();
        let audit = self.audit_write(caller, "team.delete", place, AuditOutcome::Done, team.as_str());
        self.organisation_update(organisation, Some(audit), |record| {
            // Somebody else may have ended it, and made another one.
            match record.teams.remove(team) {
                Some(ended) if ended.is_ending => Ok(()),
                _ => Err(unknown()),
            }
        })
        .await
    }

    /// Returns the check that the organisation has the team still, and that nobody is deleting it, when something is
    /// given to it.
    pub(crate) async fn team_check(
        &self,
        organisation: &AccountName,
        team: &TeamName,
    ) -> Result<Write, AccessError> {
        let (item, record) = self.organisation_item(organisation).await?;
        match record.teams.get(team) {
            Some(found) if found.is_ending => Err(team_ending(team)),
            Some(_) => Ok(Write::Check(item.key, Condition::Version(item.version))),
            None => Err(AccessError::unknown(format!("team {team}"))),
        }
    }

    async fn team_grants_end(
        &self,
        caller: &Caller,
        organisation: &AccountName,
        team: &TeamName,
    ) -> Result<(), AccessError> {
        let grantee = Grantee::Team(team.clone());
        let mut after = None;
        loop {
            let names = self.repositories_of(organisation, after.take(), REPOSITORIES_PAGE).await?;
            let found = self.read(names.iter().map(keys::repository).collect()).await?;
            let is_granted = |name: &&RepositoryName| {
                let record = found.get(&keys::repository(name)).and_then(|item| item.record.as_repository());
                record.is_some_and(|record| record.grants.contains_key(&grantee))
            };
            for name in names.iter().filter(is_granted) {
                match self.grant_delete(caller, name, &grantee).await {
                    Ok(()) | Err(AccessError::Unknown(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            match names.last() {
                Some(last) => after = Some(last.to_string()),
                None => return Ok(()),
            }
        }
    }

    /// Changes the organisation; who is deleting it meanwhile finds it changed, and looks again.
    async fn organisation_update(
        &self,
        name: &AccountName,
        audit: Option<Write>,
        change: impl Fn(&mut OrganisationRecord) -> Result<(), AccessError>,
    ) -> Result<(), AccessError> {
        for _ in 0..ATTEMPTS {
            let (item, mut record) = self.organisation_item(name).await?;
            change(&mut record)?;
            record.is_ending = false;
            let (seen, version) = (Condition::Version(item.version), self.registry.fresh_version());
            let mut writes = vec![self.registry.put(item.key, version, Record::Organisation(record), seen)];
            writes.extend(audit.clone());
            if self.registry.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    pub(crate) async fn organisation_item(
        &self,
        name: &AccountName,
    ) -> Result<(Item, OrganisationRecord), AccessError> {
        match self.account_item(name).await? {
            Some((item, Account::Organisation(record))) if record.state != AccountState::Deleted => {
                Ok((item, record))
            }
            _ => Err(AccessError::unknown(format!("organisation {name}"))),
        }
    }
}

fn name_taken(name: &AccountName) -> AccessError {
    AccessError::Conflict(format!("the name {name} is taken, or was once"))
}

fn team_ending(team: &TeamName) -> AccessError {
    AccessError::Conflict(format!("team {team} is being deleted; if that broke off, delete it again"))
}
