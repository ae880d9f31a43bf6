//! Repositories as those who own them see them: visibility, grants, immutable tags, and their end.

use std::sync::Arc;

use oci::RepositoryName;

use crate::access::accounts::{Access, Account};
use crate::access::caller::Who;
use crate::access::refusals::Refusal;
use crate::access::rights::Rights;
use crate::access::{AccessError, AccountName, Caller, Permission, Role, may_not_begin};
use crate::beginning::refuse_ending;
use crate::ports::{Condition, Item, Key, Query, Write};
use crate::records::{
    AuditOutcome, Grantee, Grants, ImmutableTags, Record, RepositoryRecord, Visibility, keys,
};
use crate::registry::ATTEMPTS;

/// How many grants a repository may have: they live in one item.
const GRANTS_MAX: usize = 500;

/// How many patterns of immutable tags.
const PATTERNS_MAX: usize = 50;

/// How many repositories are looked at to fill a page with those that the caller may see.
const LOOKED_AT_MAX: usize = 1000;

/// A change of a repository's settings; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct RepositoryChange {
    /// Who may pull.
    pub visibility: Option<Visibility>,
    /// What it is, in a line.
    pub description: Option<String>,
    /// Which tags stay where they are.
    pub immutable_tags: Option<ImmutableTags>,
}

/// A repository and its settings.
pub type RepositoryEntry = (RepositoryName, RepositoryRecord);

impl Access {
    /// Makes a repository before anything is pushed to it.
    pub async fn repository_create(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        change: &RepositoryChange,
    ) -> Result<(), AccessError> {
        let version = self.registry.fresh_version();
        for _ in 0..ATTEMPTS {
            let rights = self.require_maker_of(caller, name).await?;
            self.require_user_or_open(caller).await.map_err(|error| match error {
                AccessError::Forbidden(_) if !rights.is_there => AccessError::forbidden(format!(
                    "these credentials manage nothing; but a push with them makes repository {name}"
                )),
                error => error,
            })?;
            let mut record = RepositoryRecord::new(self.registry.now(), rights.new_visibility);
            apply(&mut record, change)?;
            let (key, record) = (keys::repository(name), Record::Repository(record));
            let mut writes = vec![
                self.registry.put(key.clone(), version.clone(), record, Condition::Absent),
                self.registry.put(keys::catalog(name), version.clone(), Record::Catalog, Condition::Always),
                self.audit_write(caller, "repository.create", name.as_str(), AuditOutcome::Done, ""),
            ];
            writes.extend(rights.same_account.clone());
            match self.registry.transact(writes).await? {
                Some(conflict) if conflict.key != key => {}
                Some(conflict) if conflict.found.as_ref().is_none_or(|item| item.version != version) => {
                    return Err(AccessError::Conflict(format!("repository {name} exists")));
                }
                _ => return Ok(()),
            }
        }
        Err(AccessError::contended())
    }

    /// Returns the caller's rights in a repository that they may make.
    async fn require_maker_of(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<Arc<Rights>, AccessError> {
        let rights = self.rights_now(caller, std::slice::from_ref(name)).await?;
        let rights = rights.into_iter().next().unwrap_or_default();
        if rights.permissions.contains(&Permission::Push) {
            return Ok(rights);
        }
        Err(if rights.knows_it_is_missing() {
            AccessError::Forbidden(may_not_begin(name))
        } else {
            let first = name.as_str().split('/').next().unwrap_or_default();
            AccessError::forbidden(format!(
                "you may not make repository {name}: {first} is neither you nor an organisation that you own"
            ))
        })
    }

    /// Returns the repository's settings, and what the caller is there.
    pub async fn repository_get(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<(RepositoryRecord, Option<Role>), AccessError> {
        let (item, role) = self.repository_seen(caller, name).await?;
        let record = item.record.as_repository().cloned().ok_or_else(|| repository_unknown(name))?;
        Ok((record, role))
    }

    /// Changes the repository's settings.
    pub async fn repository_change(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        change: &RepositoryChange,
    ) -> Result<(), AccessError> {
        self.repository_update(caller, name, "repository.change", &words(change), |record| {
            apply(record, change)
        })
        .await
    }

    /// Lists who was given which role, to admins of the repository. A credential that may only delete there is none.
    pub async fn grant_list(&self, caller: &Caller, name: &RepositoryName) -> Result<Grants, AccessError> {
        let item = self.require_admin(caller, name).await?;
        let record = item.record.as_repository().ok_or_else(|| repository_unknown(name))?;
        Ok(record.grants.clone())
    }

    /// Gives a user or team a role in the repository.
    pub async fn grant_put(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        grantee: &Grantee,
        role: Role,
    ) -> Result<(), AccessError> {
        self.require_admin(caller, name).await?;
        let detail = format!("{grantee} {role:?}").to_lowercase();
        let change = |record: &mut RepositoryRecord| {
            record.grants.insert(grantee.clone(), role);
            if record.grants.len() > GRANTS_MAX {
                return Err(AccessError::Invalid(format!(
                    "a repository has {GRANTS_MAX} grants at most; use teams"
                )));
            }
            Ok(())
        };
        for _ in 0..ATTEMPTS {
            let check = self.require_grantee(name, grantee).await?;
            if self.repository_attempt(caller, name, ("grant.put", &detail), &change, check).await? {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Takes the role away.
    pub async fn grant_delete(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        grantee: &Grantee,
    ) -> Result<(), AccessError> {
        self.repository_update(caller, name, "grant.delete", &grantee.to_string(), |record| {
            match record.grants.remove(grantee) {
                Some(_) => Ok(()),
                None => Err(AccessError::unknown(format!("grant of {grantee}"))),
            }
        })
        .await
    }

    /// Lists the repositories that the caller may see, beyond `after`; of one namespace, or of all.
    ///
    /// Returns also where the next page begins, sealed where that is at a repository that the caller may not see.
    pub async fn repository_page(
        &self,
        caller: &Caller,
        namespace: Option<&AccountName>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<RepositoryEntry>, Option<String>), AccessError> {
        let keys = self.keys();
        let mut after = after.map(|after| keys.unsealed(after));
        let mut seen: Vec<RepositoryEntry> = Vec::new();
        let mut looked_at = 0;
        while looked_at < LOOKED_AT_MAX {
            let names = self.names_beyond(namespace, after.clone(), 100).await?;
            if names.is_empty() {
                return Ok((seen, None));
            }
            let rights = self.rights_now(caller, &names).await?;
            let found = self.read(names.iter().map(keys::repository).collect()).await?;
            for (name, rights) in names.into_iter().zip(rights) {
                looked_at += 1;
                after = Some(name.to_string());
                let record = found.get(&keys::repository(&name)).and_then(|item| item.record.as_repository());
                if let Some(record) = record.filter(|_| rights.permissions.contains(&Permission::Pull)) {
                    seen.push((name, record.clone()));
                }
                if seen.len() >= limit {
                    return Ok((seen, after));
                }
            }
        }
        let is_seen = |name: &String| seen.last().is_some_and(|(last, _)| last.as_str() == name);
        let next = after.and_then(|name| if is_seen(&name) { Some(name) } else { keys.seal(&name) });
        Ok((seen, next))
    }

    pub(crate) async fn repositories_of(
        &self,
        namespace: &AccountName,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<RepositoryName>, AccessError> {
        self.names_beyond(Some(namespace), after, limit).await
    }

    /// The names of a namespace are its own, and those that begin with it and a slash.
    async fn names_beyond(
        &self,
        namespace: Option<&AccountName>,
        after: Option<String>,
        limit: usize,
    ) -> Result<Vec<RepositoryName>, AccessError> {
        let mut query =
            Query { pk: keys::catalog_partition(), limit, after: after.clone(), ..Query::default() };
        let mut names = Vec::new();
        if let Some(namespace) = namespace {
            query.prefix = format!("{namespace}/");
            if after.is_none()
                && self.registry.get(Key::new(keys::catalog_partition(), namespace.as_str())).await?.is_some()
            {
                names.extend(namespace.as_str().parse::<RepositoryName>());
            }
        }
        let listed = self.registry.stores.items.query(query).await?;
        names.extend(listed.iter().filter_map(|item| item.key.sk.parse::<RepositoryName>().ok()));
        names.truncate(limit);
        Ok(names)
    }

    /// Whoever may not even pull does not learn that the repository exists.
    async fn repository_seen(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<(Item, Option<Role>), AccessError> {
        let rights = self.rights_now(caller, std::slice::from_ref(name)).await?;
        let permissions =
            rights.into_iter().next().map(|rights| rights.permissions.clone()).unwrap_or_default();
        let role = [Role::Admin, Role::Push, Role::Pull]
            .into_iter()
            .find(|role| role.permissions().is_subset(&permissions));
        let item = self.registry.get(keys::repository(name)).await?.filter(|_| role.is_some());
        Ok((item.ok_or_else(|| repository_unknown(name))?, role))
    }

    pub(super) async fn require_admin(
        &self,
        caller: &Caller,
        name: &RepositoryName,
    ) -> Result<Item, AccessError> {
        let (item, role) = self.repository_seen(caller, name).await?;
        let allowed = match self.require_user_or_open(caller).await {
            Ok(()) if role != Some(Role::Admin) => {
                Err(AccessError::forbidden(format!("only an admin of {name} may do that")))
            }
            allowed => allowed,
        };
        if matches!(allowed, Err(AccessError::Forbidden(_))) && !caller.is_anonymous() {
            let target = name.to_string();
            let refusal = Refusal { action: "repository.manage", target, detail: String::new() };
            self.note_refusal(caller, &refusal).await;
        }
        allowed.map(|()| item)
    }

    /// Robots push and pull; they do not manage.
    async fn require_user_or_open(&self, caller: &Caller) -> Result<(), AccessError> {
        match caller.who {
            Who::Everybody => self.require_open().await,
            _ => self.user_now(caller).await.map(|_| ()),
        }
    }

    /// Returns the check that a team is there still, whose name another one may have later.
    async fn require_grantee(
        &self,
        name: &RepositoryName,
        grantee: &Grantee,
    ) -> Result<Option<Write>, AccessError> {
        let unknown = || AccessError::unknown(grantee.to_string());
        match grantee {
            Grantee::User(user) => match self.account_item(user).await? {
                Some((_, Account::User(_))) => self.require_active(user).await.map(|()| None),
                _ => Err(unknown()),
            },
            Grantee::Team(team) => {
                let namespace = AccountName::namespace_of(name).ok_or_else(unknown)?;
                match self.team_check(&namespace, team).await {
                    Err(AccessError::Unknown(_)) => Err(unknown()),
                    check => check.map(Some),
                }
            }
        }
    }

    async fn repository_update(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        action: &str,
        detail: &str,
        change: impl Fn(&mut RepositoryRecord) -> Result<(), AccessError>,
    ) -> Result<(), AccessError> {
        for _ in 0..ATTEMPTS {
            if self.repository_attempt(caller, name, (action, detail), &change, None).await? {
                return Ok(());
            }
        }
        Err(AccessError::contended())
    }

    /// Changes the settings while the check holds; returns whether nobody else was first.
    async fn repository_attempt(
        &self,
        caller: &Caller,
        name: &RepositoryName,
        (action, detail): (&str, &str),
        change: &impl Fn(&mut RepositoryRecord) -> Result<(), AccessError>,
        check: Option<Write>,
    ) -> Result<bool, AccessError> {
        let item = self.require_admin(caller, name).await?;
        let mut record = item.record.as_repository().cloned().ok_or_else(|| repository_unknown(name))?;
        refuse_ending(name, Some(&item))?;
        change(&mut record)?;
        let (seen, version) = (Condition::Version(item.version), self.registry.fresh_version());
        let mut writes = vec![
            self.registry.put(item.key, version, Record::Repository(record), seen),
            self.audit_write(caller, action, name.as_str(), AuditOutcome::Done, detail),
        ];
        writes.extend(check);
        Ok(self.registry.transact(writes).await?.is_none())
    }
}

pub(super) fn repository_unknown(name: &RepositoryName) -> AccessError {
    AccessError::unknown(format!("repository {name}"))
}

fn apply(record: &mut RepositoryRecord, change: &RepositoryChange) -> Result<(), AccessError> {
    if let Some(visibility) = change.visibility {
        record.is_public = visibility == Visibility::Public;
    }
    if let Some(description) = &change.description {
        if description.chars().count() > 200 || description.chars().any(char::is_control) {
            return Err(AccessError::Invalid(
                "a description has 200 characters at most, in one line".to_owned(),
            ));
        }
        record.description.clone_from(description);
    }
    if let Some(tags) = &change.immutable_tags {
        let mut patterns = tags.patterns.iter().chain(&tags.except);
        let is_pattern = |text: &String| text.replace(['*', '?'], "x").parse::<oci::Tag>().is_ok();
        if patterns.clone().count() > PATTERNS_MAX || !patterns.all(is_pattern) {
            return Err(AccessError::Invalid(format!(
                "immutable tags are {PATTERNS_MAX} patterns of tags at most"
            )));
        }
        record.immutable_tags.clone_from(tags);
    }
    Ok(())
}

fn words(change: &RepositoryChange) -> String {
    let words = [
        change.visibility.map(|visibility| format!("visibility={visibility:?}").to_lowercase()),
        change.description.as_ref().map(|_| "description".to_owned()),
        change.immutable_tags.as_ref().map(|tags| {
            format!("immutable_tags={} except={}", tags.patterns.join(","), tags.except.join(","))
        }),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
