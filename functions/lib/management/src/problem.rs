//! Refusals as answers: `application/problem+json` (RFC 9457), and the one place where errors become statuses.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use registry::access::{AccessError, Denied, Lack};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of a problem.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was not carried out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The status in words.
    #[serde(serialize_with = "reason")]
    #[schema(value_type = String)]
    title: StatusCode,
    /// The status of the answer.
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// What is wrong with this request.
    detail: String,
    /// What the registry's log calls this request, if something went wrong inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip)]
    retry_after_secs: Option<u64>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { title: status, status, detail: detail.into(), request_id: None, retry_after_secs: None }
    }

    /// Returns the refusal of somebody who showed nothing.
    pub(crate) fn unidentified() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "authentication required")
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let json = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, [(header::CONTENT_TYPE, MEDIA_TYPE)], json).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Basic realm=\"slipway\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        if let Some(secs) = self.retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, secs.into());
        }
        response
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let detail = error.to_string();
        match error {
            AccessError::Unauthorized => Self::new(StatusCode::UNAUTHORIZED, detail),
            AccessError::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, detail),
            AccessError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, detail),
            AccessError::Conflict(_) => Self::new(StatusCode::CONFLICT, detail),
            AccessError::Invalid(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            AccessError::Throttled { retry_after_secs } => Self {
                retry_after_secs: Some(retry_after_secs),
                ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail)
            },
            AccessError::IssuerUnavailable => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail),
            AccessError::Registry(error) => {
                let told = registry::http::told(error);
                Self { request_id: told.request_id, ..Self::new(told.status, told.message) }
            }
        }
    }
}

impl From<Denied> for Problem {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unauthorized(Lack::Nothing) => Self::unidentified(),
            Denied::Unauthorized(Lack::Invalid | Lack::Scope) => AccessError::Unauthorized.into(),
            Denied::Forbidden(why) => Self::new(StatusCode::FORBIDDEN, why),
            Denied::Access(error) => error.into(),
        }
    }
}

/// Answers what no route is for.
pub(crate) async fn path_unknown(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is nothing at {}", uri.path()))
}

/// Answers what the route has no method for; the router says in `Allow` which it has.
pub(crate) async fn method_not_allowed(method: Method) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{method} is not possible here"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn reason<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(status.canonical_reason().unwrap_or_default())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
