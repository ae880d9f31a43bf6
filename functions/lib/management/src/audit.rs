//! `/audit`: what was done and refused.

use axum::Json;
use registry::access::{Access, AuditEntry};
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
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditPaging),
    responses((status = OK, description = "A page of entries.", body = Page<Entry>)))]
async fn audit_list(
    Asking { access, caller }: Asking,
    Asked(AuditPaging { limit, before }): Asked<AuditPaging>,
) -> Result<Json<Page<Entry>>, Problem> {
    let entries = access.audit_list(&caller, before.as_deref(), limit.0).await?;
    let next = entries.last().filter(|_| entries.len() == limit.0).map(|entry| entry.id.clone());
    Ok(Json(Page::new(entries.into_iter().map(Entry::from).collect(), next)))
}
