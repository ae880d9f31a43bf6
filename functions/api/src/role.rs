//! What a deployment of this function may do; its rights at AWS are cut to the same measure.

use http::Method;

/// A role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Answers GET and HEAD of content.
    Read,
    /// Answers everything else of content, and manages accounts.
    Write,
    /// Makes access tokens: the only one that signs.
    Token,
}

/// The environment names no role.
#[derive(Debug, thiserror::Error)]
#[error("the variable SLIPWAY_ROLE has to be \"read\", \"write\" or \"token\", not {0:?}")]
pub struct RoleUnknown(String);

impl Role {
    /// Reads the environment.
    pub fn read() -> Result<Self, RoleUnknown> {
        match std::env::var("SLIPWAY_ROLE").unwrap_or_default().as_str() {
            "read" => Ok(Self::Read),
            "write" => Ok(Self::Write),
            "token" => Ok(Self::Token),
            other => Err(RoleUnknown(other.to_owned())),
        }
    }

    /// Returns the role that answers such a request, as the routes of the template have it.
    pub fn of(method: &Method, path: &str) -> Self {
        let is_read = *method == Method::GET || *method == Method::HEAD;
        match path {
            "/token" => Self::Token,
            _ if path.starts_with("/api/") => Self::Write,
            _ if is_read => Self::Read,
            _ => Self::Write,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_for_one_role() {
        for (method, path, role) in [
            (Method::GET, "/v2/", Role::Read),
            (Method::HEAD, "/v2/a/blobs/b", Role::Read),
            (Method::PATCH, "/v2/a/blobs/uploads/b", Role::Write),
            (Method::GET, "/token", Role::Token),
            (Method::POST, "/token", Role::Token),
            (Method::GET, "/api/v1/me", Role::Write),
            (Method::GET, "/apis", Role::Read),
        ] {
            assert_eq!(Role::of(&method, path), role, "{method} {path}");
        }
    }
}
