//! Who asks.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use registry::access::{Access, Address, Caller, Gate, Shown};

use crate::problem::Problem;

/// The accounts, and who asks something of them.
pub(crate) struct Asking {
    pub(crate) access: Access,
    pub(crate) caller: Caller,
}

impl FromRequestParts<Access> for Asking {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, access: &Access) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        Ok(Self { access: access.clone(), caller: caller.ok_or_else(Problem::unidentified)? })
    }
}

/// Finds out who asks before anything else is looked at.
///
/// Whoever showed nothing and may not, or finds nothing, is asked to show something: both would change by it.
pub(crate) async fn identify(State(access): State<Access>, mut request: Request, next: Next) -> Response {
    let address = request.extensions().get::<Address>().cloned().unwrap_or_default();
    let caller = match caller(access, &registry::http::shown(request.headers()), &address).await {
        Ok(caller) => caller,
        Err(problem) => return problem.into_response(),
    };
    let is_anonymous = caller.is_anonymous();
    request.extensions_mut().insert(caller);
    let response = next.run(request).await;
    match response.status() {
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND if is_anonymous => {
            Problem::unidentified().into_response()
        }
        _ => response,
    }
}

async fn caller(access: Access, shown: &Shown, address: &Address) -> Result<Caller, Problem> {
    let gate = Gate::guarded(access);
    let caller = gate.caller(shown, address).await?;
    if !caller.is_anonymous() {
        gate.admit_known(&caller)?;
    }
    if caller.is_for_scopes() {
        let detail = "an access token with scopes manages nothing; one that was asked for without does";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    }
    Ok(caller.managing())
}
