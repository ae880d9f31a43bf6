//! What can be said against a login or an act of management.

use crate::Error;
use crate::access::NameInvalid;
use crate::ports::StoreError;

/// Why something about accounts was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Nobody with these credentials; which part is wrong is not told.
    #[error("the credentials are wrong, expired or revoked")]
    Unauthorized,
    /// Not with what the caller showed, or not by this caller.
    #[error("{0}")]
    Forbidden(String),
    /// There is no such thing, as far as the caller may know.
    #[error("{0} is unknown")]
    Unknown(String),
    /// There is such a thing already, or it is needed.
    #[error("{0}")]
    Conflict(String),
    /// The wish makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Too many wrong attempts.
    #[error("too many failed logins; try again in {retry_after_secs} seconds")]
    Throttled {
        /// When the next attempt is possible.
        retry_after_secs: u64,
    },
    /// Whoever vouches for the caller does not answer; nobody's wrong attempt, and worth another one.
    #[error("the issuer of the identity token cannot be asked for its keys now; try again")]
    IssuerUnavailable,
    /// Something of the registry itself.
    #[error(transparent)]
    Registry(#[from] Error),
}

impl AccessError {
    pub(crate) fn forbidden(what: impl Into<String>) -> Self {
        Self::Forbidden(what.into())
    }

    pub(crate) fn unknown(what: impl Into<String>) -> Self {
        Self::Unknown(what.into())
    }

    pub(crate) fn contended() -> Self {
        Self::Registry(Error::Contended)
    }
}

impl From<StoreError> for AccessError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl From<NameInvalid> for AccessError {
    fn from(error: NameInvalid) -> Self {
        Self::Invalid(error.to_string())
    }
}
