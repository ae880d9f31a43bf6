//! The OpenAPI document: what the routes say of themselves, and what is true of all of them.

use axum::Extension;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::header;
use registry::access::Access;
use utoipa::PartialSchema;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::problem::{self, Problem};

/// What every route may answer, and what those with a body or names in their path may answer too.
const ALWAYS: [(&str, &str); 8] = [
    ("400", "The request cannot be read."),
    ("401", "Authentication is required, or the credentials are wrong, expired or revoked."),
    ("403", "These credentials do not allow this."),
    ("404", "There is no such thing, as far as the caller may know."),
    ("429", "Too many attempts, or too much at once."),
    ("500", "Something went wrong inside the registry."),
    ("503", "The registry's storage does not answer."),
    ("507", "The registry's storage is full or read-only."),
];
const WITH_BODY: [(&str, &str); 4] = [
    ("408", "The body took longer than 30 seconds."),
    ("413", "The body has more than 64 KiB."),
    ("415", "The body is not said to be `application/json`."),
    ("422", "The request makes no sense."),
];
const WITH_PARAMETERS: [(&str, &str); 1] = [("422", "The request makes no sense.")];

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(openapi_get))
}

/// The document as it is sent.
#[derive(Clone)]
pub(crate) struct Document(Bytes);

impl Document {
    /// Returns the document of what the routes say of themselves.
    pub(crate) fn of(mut described: OpenApi) -> Self {
        described.info.title = "Slipway management API".to_owned();
        described.info.version = env!("CARGO_PKG_VERSION").to_owned();
        described.info.description = Some("Accounts, credentials and repositories' settings.".to_owned());
        let components = described.components.get_or_insert_default();
        for (name, scheme) in [("basic", HttpAuthScheme::Basic), ("bearer", HttpAuthScheme::Bearer)] {
            components.add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
        }
        components.schemas.insert("Problem".to_owned(), Problem::schema());
        let none = Vec::<String>::new;
        described.security =
            Some(["basic", "bearer"].map(|name| SecurityRequirement::new(name, none())).into());
        described.paths.paths.values_mut().flat_map(operations).for_each(add_refusals);
        Self(serde_json::to_vec(&described).unwrap_or_default().into())
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, post, put, patch, delete, .. } = path;
    [get, post, put, patch, delete].into_iter().flatten()
}

fn add_refusals(operation: &mut Operation) {
    let is_public =
        operation.security.as_deref().is_some_and(|ways| ways == [SecurityRequirement::default()]);
    if is_public {
        return;
    }
    let mut refusals = ALWAYS.to_vec();
    if operation.request_body.is_some() {
        refusals.extend(WITH_BODY);
    }
    if operation.parameters.is_some() {
        refusals.extend(WITH_PARAMETERS);
    }
    let responses = &mut operation.responses.responses;
    for (status, description) in refusals {
        let response = ResponseBuilder::new().description(description).build();
        responses.entry(status.to_owned()).or_insert(RefOr::T(response));
    }
    let problem = || RefOr::T(Content::new(Some(Ref::from_schema_name("Problem"))));
    for (status, response) in responses {
        if let (RefOr::T(response), true) = (response, status.as_str() >= "400") {
            response.content.insert(problem::MEDIA_TYPE.to_owned(), problem());
        }
    }
}

/// Describes this API: the OpenAPI document, for everybody.
#[utoipa::path(get, path = "/openapi.json", tag = "openapi", security(()),
    responses((status = OK, description = "This document.", body = serde_json::Value)))]
async fn openapi_get(Extension(Document(json)): Extension<Document>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}
