//! Everything that a registry answers: its content, logins, and its management.

use http::{Request, Response};
use management::Management;
use registry::access::Access;
use registry::http::{Body, Service};

/// What answers requests. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Site {
    registry: Service,
    management: Management,
}

impl Site {
    /// Joins the service with the management of the same accounts.
    pub(crate) fn new(registry: Service, access: Access) -> Self {
        Self { registry, management: Management::new(access) }
    }

    /// Hands the request to the part that its path belongs to.
    pub(crate) async fn answer(self, request: Request<Body>) -> Response<Body> {
        match is_management(request.uri().path()) {
            true => self.management.handle(request).await,
            false => self.registry.handle(request).await,
        }
    }
}

fn is_management(path: &str) -> bool {
    path.strip_prefix(management::PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_management_has_its_prefix_for_itself() {
        assert!(is_management("/api/v1/me") && is_management("/api/v1"));
        assert!(!is_management("/api/v11/me") && !is_management("/v2/api/v1/me") && !is_management("/token"));
    }
}
