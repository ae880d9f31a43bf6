//! The management API: accounts, organisations, credentials and repositories' settings as JSON over HTTP.
//!
//! - One file for each resource: `me`, `users`, `organisations`, `members`, `teams`, `tokens`, `trusts`, `repositories`,
//!   `grants`, `manifests`, `tags`, `audit`. A handler reads the request, calls [`Access`], and shapes the answer; what a caller may do is
//!   decided there, not here.
//! - `identify`: who asks. `input`, `paging`: what is asked. `problem`: the one place where refusals become answers.
//! - `document`: the OpenAPI document, made of the same routes; `words`: the texts that a schema restricts.

#![expect(unused_qualifications, reason = "utoipa writes whole paths")]

mod audit;
mod document;
mod grants;
mod identify;
mod input;
mod manifests;
mod me;
mod members;
mod organisations;
mod paging;
mod problem;
mod repositories;
mod tags;
mod teams;
mod tokens;
mod trusts;
mod users;
mod whole_names;
mod words;

use axum::extract::DefaultBodyLimit;
use axum::response::IntoResponse;
use axum::{Extension, Router, middleware};
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use registry::access::Access;
use registry::http::{Body, Entry, FOREIGN_PAGE, NO_HOST, RequestLog};
use tower_service::Service;
use utoipa_axum::router::OpenApiRouter;

use crate::problem::Problem;

/// What the path of every request to this API begins with.
pub const PREFIX: &str = "/api/v1";

/// The longest body that is read.
const BODY_MAX_BYTES: usize = 64 * 1024;

/// Returns the answer to a request that does not get as far as the API, in the API's form.
pub fn refusal(status: StatusCode, detail: &str) -> Response<Body> {
    let mut response = Problem::new(status, detail).into_response();
    registry::http::guard(&mut response);
    response.map(|body| body.map_err(Into::into).boxed_unsync())
}

/// Answers requests to the management API. Cloning it is cheap.
#[derive(Clone)]
pub struct Management {
    router: Router,
    entry: Entry,
}

impl Management {
    /// Returns the API that manages these accounts.
    pub fn new(access: Access) -> Self {
        let identified = OpenApiRouter::new()
            .merge(me::routes())
            .merge(users::routes())
            .merge(organisations::routes())
            .merge(members::routes())
            .merge(teams::routes())
            .merge(tokens::routes())
            .merge(trusts::routes())
            .merge(repositories::routes())
            .merge(grants::routes())
            .merge(manifests::routes())
            .merge(tags::routes())
            .merge(audit::routes())
            .route_layer(middleware::from_fn_with_state(access.clone(), identify::identify));
        let all = OpenApiRouter::new().nest(PREFIX, identified.merge(document::routes()));
        let (router, described) = all.split_for_parts();
        let router = router
            .fallback(problem::path_unknown)
            .method_not_allowed_fallback(problem::method_not_allowed)
            .layer(DefaultBodyLimit::max(BODY_MAX_BYTES))
            .layer(Extension(document::Document::of(described)))
            .with_state(access);
        Self { router, entry: Entry::default() }
    }

    /// Returns the same for clients who come like this.
    #[must_use]
    pub fn entered_by(self, entry: Entry) -> Self {
        Self { entry, ..self }
    }

    /// Answers a request. What goes wrong becomes an answer too.
    ///
    /// The request's extensions may hold the [`Address`](registry::access::Address) that it came from.
    pub async fn handle(&self, request: Request<Body>) -> Response<Body> {
        let log = RequestLog::begin(&request);
        let mut response = match self.unfit(&request) {
            Some(problem) => problem.into_response(),
            None => self.routed(request).await,
        };
        registry::http::guard(&mut response);
        log.end(&response);
        response.map(|body| body.map_err(Into::into).boxed_unsync())
    }

    /// Returns why nothing of the request is looked at, if so.
    fn unfit(&self, request: &Request<Body>) -> Option<Problem> {
        if !self.entry.names_hosts(request.headers()) {
            return Some(Problem::new(StatusCode::BAD_REQUEST, NO_HOST));
        }
        let is_foreign = self.entry.crosses_sites(request.method(), request.headers());
        is_foreign.then(|| Problem::new(StatusCode::FORBIDDEN, FOREIGN_PAGE))
    }

    async fn routed(&self, request: Request<Body>) -> axum::response::Response {
        let request = whole_names::restored(request).map(axum::body::Body::new);
        match self.router.clone().call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
