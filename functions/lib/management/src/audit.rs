//! `/audit`: what was done and refused.

use axum::Json;
use registry::access::{Access, AuditEntry, AuditFilter};
use registry::records::{AuditOutcome, AuditRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, Time};
use crate::paging::{After, Limit, Page};
use crate::problem::Problem;
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(audit_list))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AuditPaging {
    /// How many entries at most.
    #[serde(default)]
    #[param(value_type = u16, required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Limit,
    /// The `next` of the page before: entries are listed from before that one.
    #[serde(default)]
    #[param(value_type = String, required = false)]
    before: After,
    /// Only what this one did or tried: a user, a robot (`team+ci`), or `anonymous`.
    #[serde(default)]
    actor: Option<String>,
    /// Only this, for example `grant.put`, or all that begins with this word, for example `grant`.
    #[serde(default)]
    action: Option<String>,
    /// Not this, likewise; `login` leaves the logins away.
    #[serde(default)]
    not_action: Option<String>,
    /// Only what was done to this, for example `alice`, or `team/app` with its tags and manifests.
    #[serde(default)]
    target: Option<String>,
    /// Only what was done, what was refused, or what was begun.
    #[serde(default)]
    #[param(value_type = Option<words::Outcome>)]
    outcome: Option<AuditOutcome>,
    /// Nothing before this time.
    #[serde(default)]
    #[param(value_type = Option<words::Time>)]
    since: Option<Time>,
    /// Nothing at this time, or later.
    #[serde(default)]
    #[param(value_type = Option<words::Time>)]
    until: Option<Time>,
}

impl AuditPaging {
    fn filter(&self) -> AuditFilter {
        AuditFilter {
            actor: self.actor.clone(),
            action: self.action.clone(),
            not_action: self.not_action.clone(),
            target: self.target.clone(),
            outcome: self.outcome,
            since: self.since.map(Into::into),
            until: self.until.map(Into::into),
        }
    }
}

/// Something that somebody did or tried.
#[derive(Serialize, ToSchema)]
struct Entry {
    /// Its place in the log: later entries have greater ids.
    id: String,
    #[schema(value_type = words::Time)]
    at: Time,
    /// Who, as far as was known.
    actor: String,
    /// From where, as far as is known.
    address: String,
    /// What, for example `login` or `grant.put`.
    action: String,
    /// To what.
    target: String,
    #[schema(value_type = words::Outcome)]
    outcome: AuditOutcome,
    /// More about it.
    detail: String,
}

impl From<AuditEntry> for Entry {
    fn from(AuditEntry { id, record }: AuditEntry) -> Self {
        let AuditRecord { at, actor, address, action, target, outcome, detail } = record;
        Self { id, at: at.into(), actor, address, action, target, outcome, detail }
    }
}

/// Lists what was done and refused, the latest first, for administrators.
///
/// A page with filters can have fewer entries than its limit, even none, and a `next` all the same.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditPaging),
    responses((status = OK, description = "A page of entries.", body = Page<Entry>)))]
async fn audit_list(
    Asking { access, caller }: Asking,
    Asked(asked): Asked<AuditPaging>,
) -> Result<Json<Page<Entry>>, Problem> {
    let page = access.audit_list(&caller, &asked.filter(), asked.before.as_deref(), asked.limit.0).await?;
    Ok(Json(Page::new(page.entries.into_iter().map(Entry::from).collect(), page.next, |entry: &Entry| {
        entry.id.clone()
    })))
}
