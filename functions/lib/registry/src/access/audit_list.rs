//! Reading the trace of what was done and refused.
//!
//! Times are places in the log, so that what lies outside of them is not read; nor are the logins that succeeded,
//! where none of them can be meant. What else is asked for is looked for in what is left, so much for each page.

use futures_util::future::try_join;
use ulid::Ulid;

use crate::access::accounts::Access;
use crate::access::audit::LOGIN;
use crate::access::{AccessError, Caller};
use crate::ports::{Direction, Item, Query, Timestamp};
use crate::records::{AuditOutcome, AuditRecord, keys};

/// How many days are searched for a page at most; older entries are gone.
const DAYS_MAX: u64 = 400;

/// How many entries are looked at for a page at most.
const LOOKED_AT_MAX: usize = 10_000;

/// How many are read at once where not all of them are wanted.
const READ_AT_ONCE: usize = 1000;

/// An entry and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEntry {
    /// Its place in the log: later entries have greater ids.
    pub id: String,
    /// What it says.
    pub record: AuditRecord,
}

/// Which entries are wanted; what is `None` does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Who it was.
    pub actor: Option<String>,
    /// What was done, or the first word of it: `token` is also `token.create`.
    pub action: Option<String>,
    /// What was not done, likewise.
    pub not_action: Option<String>,
    /// To what, or to what of it: `team/app` is also `team/app:v1`.
    pub target: Option<String>,
    /// Whether it was done.
    pub outcome: Option<AuditOutcome>,
    /// Not before this time.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
}

/// A part of the log, the latest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AuditPage {
    /// What there is in it.
    pub entries: Vec<AuditEntry>,
    /// Before which entry the next part begins; there may be a next one though nothing is in this.
    pub next: Option<String>,
}

impl AuditFilter {
    fn is_met_by(&self, record: &AuditRecord) -> bool {
        let is_of = |wanted: &Option<String>, text: &str, ends: &[char]| {
            wanted.as_ref().is_none_or(|wanted| is_or_begins(text, wanted, ends))
        };
        self.actor.as_ref().is_none_or(|actor| *actor == record.actor)
            && is_of(&self.action, &record.action, &['.'])
            && is_of(&self.target, &record.target, &[':', '@'])
            && !self.not_action.as_ref().is_some_and(|not| is_or_begins(&record.action, not, &['.']))
            && self.outcome.is_none_or(|outcome| outcome == record.outcome)
            && self.since.is_none_or(|since| record.at >= since)
    }

    fn can_be_login(&self) -> bool {
        self.action.as_ref().is_none_or(|action| action == LOGIN)
            && self.not_action.as_ref().is_none_or(|action| action != LOGIN)
            && self.outcome != Some(AuditOutcome::Refused)
    }

    fn can_be_other(&self) -> bool {
        self.action.as_deref() != Some(LOGIN) || self.outcome != Some(AuditOutcome::Done)
    }

    fn is_for_all(&self) -> bool {
        let times_alone = Self { since: self.since, until: self.until, ..Self::default() };
        *self == times_alone
    }
}

/// Returns whether the text is what is wanted, or goes on after it with one of these.
fn is_or_begins(text: &str, wanted: &str, ends: &[char]) -> bool {
    text.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(ends))
}

impl Access {
    /// Lists entries, the latest first, from before the entry `before`; only administrators see them.
    pub async fn audit_list(
        &self,
        caller: &Caller,
        filter: &AuditFilter,
        before: Option<&str>,
        limit: usize,
    ) -> Result<AuditPage, AccessError> {
        self.require_administrator(caller).await?;
        let until = filter.until.map(|until| Ulid::from_parts(until.as_millis(), 0));
        let mut before = before.map(place).transpose()?.into_iter().chain(until).min();
        let today = self.registry.now().day();
        let last_day = before.map_or(today, |id| time_of(id).day().min(today));
        let first_day = filter.since.map_or(0, Timestamp::day).max(last_day.saturating_sub(DAYS_MAX));
        let mut page = AuditPage::default();
        let mut looked_at = 0;
        let mut day = last_day;
        while day >= first_day {
            let at_once = if filter.is_for_all() { limit - page.entries.len() } else { READ_AT_ONCE };
            let entries = self.audit_of_day(day, filter, before, at_once).await?;
            looked_at += entries.len();
            before = entries.last().map(|entry| entry.place()).transpose()?;
            let is_end_of_day = entries.len() < at_once;
            if page.fill(entries, filter, limit) || (looked_at >= LOOKED_AT_MAX && !is_end_of_day) {
                page.next = page.next.or(before.map(|id| id.to_string()));
                return Ok(page);
            }
            if is_end_of_day {
                (before, day) = (
                    None,
                    match day.checked_sub(1) {
                        Some(day) => day,
                        None => break,
                    },
                );
            }
        }
        Ok(page)
    }

    /// Returns the latest entries of the day, of both kinds as far as they can be meant.
    async fn audit_of_day(
        &self,
        day: u64,
        filter: &AuditFilter,
        before: Option<Ulid>,
        limit: usize,
    ) -> Result<Vec<AuditEntry>, AccessError> {
        let before = before.map(|id| id.to_string());
        let latest = async |pk: String, is_wanted: bool| {
            let (after, direction) = (before.clone(), Direction::Descending);
            let query = Query { pk, after, limit, direction, ..Query::default() };
            if is_wanted { self.registry.stores.items.query(query).await } else { Ok(Vec::new()) }
        };
        let (others, logins) = try_join(
            latest(keys::audit_partition(day), filter.can_be_other()),
            latest(keys::audit_login_partition(day), filter.can_be_login()),
        )
        .await?;
        let mut entries: Vec<AuditEntry> = others.iter().chain(&logins).filter_map(entry_of).collect();
        entries.sort_by(|one, other| other.id.cmp(&one.id));
        entries.truncate(limit);
        Ok(entries)
    }
}

impl AuditEntry {
    fn place(&self) -> Result<Ulid, AccessError> {
        place(&self.id)
    }
}

impl AuditPage {
    /// Takes what is wanted of the entries; returns whether there are as many as there shall be.
    fn fill(&mut self, entries: Vec<AuditEntry>, filter: &AuditFilter, limit: usize) -> bool {
        let wanted = entries.into_iter().filter(|entry| filter.is_met_by(&entry.record));
        self.entries.extend(wanted.take(limit - self.entries.len()));
        let is_full = self.entries.len() == limit;
        self.next = self.entries.last().filter(|_| is_full).map(|entry| entry.id.clone());
        is_full
    }
}

fn entry_of(item: &Item) -> Option<AuditEntry> {
    Some(AuditEntry { id: item.key.sk.clone(), record: item.record.as_audit()?.clone() })
}

fn place(id: &str) -> Result<Ulid, AccessError> {
    id.parse().map_err(|_| AccessError::Invalid(format!("{id:?} is no place in the log")))
}

fn time_of(id: Ulid) -> Timestamp {
    Timestamp::from_millis(id.timestamp_ms())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_is_whole_or_the_beginning_of_what_there_is() {
        let target = |text: &str, wanted: &str| is_or_begins(text, wanted, &[':', '@']);
        for text in ["team/app", "team/app:v1", "team/app@sha256:1"] {
            assert!(target(text, "team/app"), "{text}");
        }
        for text in ["team/app2", "team/app/x", "team", ""] {
            assert!(!target(text, "team/app"), "{text}");
        }
    }
}
