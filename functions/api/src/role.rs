//! What a deployment of this function may do; its rights at AWS are cut to the same measure.

use http::Method;

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answers GET and HEAD.
    Read,
    /// Answers everything else.
    Write,
}

/// The environment names no role.
#[derive(Debug, thiserror::Error)]
#[error("the variable SLIPWAY_ROLE has to be \"read\" or \"write\", not {0:?}")]
pub struct RoleUnknown(String);

impl Role {
    /// Reads the environment.
    pub fn read() -> Result<Self, RoleUnknown> {
        match std::env::var("SLIPWAY_ROLE").unwrap_or_default().as_str() {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            other => Err(RoleUnknown(other.to_owned())),
        }
    }

    /// Returns whether requests with this method are for this role.
    pub fn answers(self, method: &Method) -> bool {
        let is_read = *method == Method::GET || *method == Method::HEAD;
        is_read == (self == Self::Read)
    }
}
