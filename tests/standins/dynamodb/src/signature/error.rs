//! Why a request is not taken.

use http::StatusCode;

use crate::answer::{Answer, common_error};

/// Why a request is not taken.
#[derive(Debug)]
pub(crate) enum SignatureError {
    Missing,
    Incomplete(String),
    UnknownClient,
    Invalid(String),
}

impl SignatureError {
    pub(crate) fn into_answer(self) -> Answer {
        let (name, message) = match self {
            Self::Missing => {
                ("MissingAuthenticationTokenException", "Request is missing Authentication Token".to_owned())
            }
            Self::Incomplete(message) => ("IncompleteSignatureException", message),
            Self::UnknownClient => (
                "UnrecognizedClientException",
                "The security token included in the request is invalid.".to_owned(),
            ),
            Self::Invalid(message) => ("InvalidSignatureException", message),
        };
        common_error(StatusCode::BAD_REQUEST, name, &message)
    }
}
