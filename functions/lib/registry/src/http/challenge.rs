//! What somebody is told who may not: which token to fetch where, or that none will help.

use http::header;
use oci::ErrorCode;

use super::error::HttpError;
use super::token;
use crate::access::{AccessError, Denied, Gate, Lack, ScopeWanted, may_not};

/// Returns the refusal, with the challenge that clients log in by.
pub(crate) fn denied(denied: Denied, gate: &Gate, origin: &str, scope: Option<&str>) -> HttpError {
    match denied {
        Denied::Unauthorized(lack) => {
            let service = gate.access().map(|access| access.service()).unwrap_or_default();
            HttpError::new(ErrorCode::Unauthorized, message(lack, scope))
                .with_header(header::WWW_AUTHENTICATE, &challenge(lack, origin, &service, scope))
        }
        Denied::Forbidden(why) => HttpError::new(ErrorCode::Denied, why),
        Denied::Access(error) => error.into(),
    }
}

fn message(lack: Lack, scope: Option<&str>) -> String {
    match lack {
        Lack::Nothing => "authentication required".to_owned(),
        Lack::Invalid => AccessError::Unauthorized.to_string(),
        // Whoever may gets a token for it, so that this is the last word to those who may not.
        Lack::Scope => match scope.and_then(ScopeWanted::parse) {
            Some(ScopeWanted::Repository(name, permissions)) => permissions
                .last()
                .map_or_else(String::new, |permission| may_not("you", *permission, name.as_str())),
            _ => "the access token does not allow this".to_owned(),
        },
    }
}

/// As the token protocol of Docker has it, with the error word of RFC 6750.
fn challenge(lack: Lack, origin: &str, service: &str, scope: Option<&str>) -> String {
    let mut challenge = format!("Bearer realm=\"{origin}{}\",service=\"{service}\"", token::PATH);
    if let Some(scope) = scope {
        challenge.push_str(&format!(",scope=\"{scope}\""));
    }
    match lack {
        Lack::Nothing => {}
        Lack::Invalid => challenge.push_str(",error=\"invalid_token\""),
        Lack::Scope => challenge.push_str(",error=\"insufficient_scope\""),
    }
    challenge
}

impl From<AccessError> for HttpError {
    fn from(error: AccessError) -> Self {
        let message = error.to_string();
        match error {
            AccessError::Unauthorized => Self::new(ErrorCode::Unauthorized, message),
            AccessError::Forbidden(_) => Self::new(ErrorCode::Denied, message),
            AccessError::Unknown(_) => Self::new(ErrorCode::NameUnknown, message),
            AccessError::Conflict(_) | AccessError::Invalid(_) => {
                Self::new(ErrorCode::ParameterInvalid, message)
            }
            AccessError::IssuerUnavailable => Self::new(ErrorCode::Unavailable, message),
            AccessError::Throttled { retry_after_secs } => Self::new(ErrorCode::TooManyRequests, message)
                .with_header(header::RETRY_AFTER, &retry_after_secs.to_string()),
            AccessError::Registry(error) => error.into(),
        }
    }
}
