//! Everything that a registry answers: its content, logins, and its management.

use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::{BodyExt, Full};
use management::Management;
use oci::ErrorCode;
use registry::access::Access;
use registry::http::{Body, Service, is_host, refusal};

use crate::serve_settings::is_this_machine;

use crate::housekeeping::{self, Housekeeping};

/// Where load balancers ask.
const HEALTH: &str = "/healthz";

/// What answers requests. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Site {
    registry: Service,
    management: Management,
    /// Whose being open must not be used by pages of other sites, if only this machine is to get here.
    of_this_machine: Option<Access>,
    housekeeping: Option<Housekeeping>,
}

impl Site {
    /// Joins the service with the management of the same accounts.
    pub(crate) fn new(registry: Service, access: Access) -> Self {
        let management = Management::new(access).entered_by(registry.entry().clone());
        Self { registry, management, housekeeping: None, of_this_machine: None }
    }

    /// The same for this machine alone: as long as everybody may do everything, the registry has no other name than
    /// this machine's. A page in a browser here could otherwise let its own name lead here, and then read and change all
    /// (DNS rebinding).
    pub(crate) fn of_this_machine(self, access: Access) -> Self {
        Self { of_this_machine: Some(access), ..self }
    }

    /// The same for whoever holds the data folder.
    pub(crate) fn with_housekeeping(self, housekeeping: Housekeeping) -> Self {
        Self { housekeeping: Some(housekeeping), ..self }
    }

    /// Hands the request to the part that its path belongs to.
    pub(crate) async fn answer(self, request: Request<Body>) -> Response<Body> {
        if let Some(access) = self.of_this_machine.as_ref().filter(|_| has_another_name(request.headers()))
            && !matches!(access.is_open().await, Ok(false))
        {
            return refusal(
                ErrorCode::Denied,
                "an open registry is localhost and nothing else; give it accounts, or start it with --url and --open",
            );
        }
        let path = request.uri().path();
        match &self.housekeeping {
            Some(housekeeping) if path == housekeeping::PATH => housekeeping.answer(request).await,
            _ if path == HEALTH => health(),
            _ if is_management(path) => self.management.handle(request).await,
            _ => self.registry.handle(request).await,
        }
    }
}

/// Says that somebody answers here, and nothing else: no storage is asked, and no login.
fn health() -> Response<Body> {
    let body = Full::from("ok\n").map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    registry::http::guard(&mut response);
    response
}

fn has_another_name(headers: &HeaderMap) -> bool {
    let is_here = |host: &str| host.parse().is_ok_and(|host: Authority| is_this_machine(host.host()));
    let is_here = |host: &HeaderValue| is_host(host.as_bytes()) && host.to_str().is_ok_and(is_here);
    headers.get_all(header::HOST).iter().any(|host| !is_here(host))
}

fn is_management(path: &str) -> bool {
    path.strip_prefix(management::PREFIX).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        let named =
            |host: &str| has_another_name(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]));
        for own in ["localhost", "LocalHost:5000", "127.0.0.1:5000", "127.8.8.8", "[::1]:5000", "[::1]"] {
            assert!(!named(own), "{own}");
        }
        for other in [
            "evil.example:5000",
            "localhost.evil.example",
            "192.0.2.1:5000",
            "[2001:db8::1]",
            "",
            "a b",
            "evil@localhost",
        ] {
            assert!(named(other), "{other}");
        }
        // No browser leaves it out.
        assert!(!has_another_name(&HeaderMap::new()));
    }

    #[test]
    fn the_management_has_its_prefix_for_itself() {
        assert!(is_management("/api/v1/me") && is_management("/api/v1"));
        assert!(!is_management("/api/v11/me") && !is_management("/v2/api/v1/me") && !is_management("/token"));
    }
}
