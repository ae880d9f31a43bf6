//! `/me`: as whom a request is known.

use axum::Json;
use registry::access::{Access, AccessError, AccountName, Who};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::problem::Problem;
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(me_get))
}

/// What a caller can be.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CallerKind)]
enum Kind {
    /// Nobody in particular.
    Anonymous,
    /// Anybody, in a registry that is open.
    Everybody,
    /// A user.
    User,
    /// A robot of a namespace.
    Robot,
}

/// As whom a request is known.
#[derive(Serialize, ToSchema)]
struct Me {
    /// The user's name, `namespace+robot`, or `anonymous`.
    name: String,
    kind: Kind,
    /// Whether these credentials may do everything in this registry.
    is_administrator: bool,
    /// The organisations that the user is in, if these credentials may know.
    #[schema(value_type = Vec<words::Name>)]
    organisations: Vec<AccountName>,
}

/// Tells as whom the request is known.
#[utoipa::path(get, path = "/me", tag = "me", security((), ("basic" = []), ("bearer" = [])), responses((status = OK, description = "Who asks.", body = Me)))]
async fn me_get(Asking { access, caller }: Asking) -> Result<Json<Me>, Problem> {
    let kind = match caller.who() {
        Who::Anonymous => Kind::Anonymous,
        Who::Everybody => Kind::Everybody,
        Who::User(_) => Kind::User,
        Who::Robot(..) => Kind::Robot,
    };
    let organisations = match caller.user() {
        Some(user) => if_allowed(access.membership_list(&caller, user).await)?,
        None => Vec::new(),
    };
    let is_administrator = if_allowed(access.is_administrator(&caller).await)?;
    Ok(Json(Me { name: caller.principal().as_str().to_owned(), kind, is_administrator, organisations }))
}

/// Credentials with limits manage nothing, but who shows them may know that.
fn if_allowed<T: Default>(result: Result<T, AccessError>) -> Result<T, AccessError> {
    match result {
        Err(AccessError::Forbidden(_)) => Ok(T::default()),
        result => result,
    }
}
