//! `/v2/<name>/tags/list` (end-8) and `/v2/_catalog`.

use http::Response;
use oci::RepositoryName;
use serde::Serialize;

use super::error::HttpError;
use super::paging;
use super::request::Request;
use super::respond::Body;
use crate::access::{Permit, Pull};

const JSON: &str = "application/json";

#[derive(Serialize)]
struct TagList<'a> {
    name: &'a str,
    tags: Vec<oci::Tag>,
}

#[derive(Serialize)]
struct Catalog {
    repositories: Vec<RepositoryName>,
}

/// Lists tags.
pub(crate) async fn list(permit: &Permit<Pull>, request: &Request) -> Result<Response<Body>, HttpError> {
    let limit = paging::limit(request)?;
    let page = permit.tag_list(limit, paging::last(request)?).await?;
    let next = page.entries.last().filter(|_| page.has_more).map(ToString::to_string);
    let mut response =
        paging::json(JSON, &TagList { name: permit.repository().as_str(), tags: page.entries });
    link(&mut response, request, limit, next);
    Ok(response)
}

/// Returns which page of repositories is asked for.
pub(crate) fn catalog_page(request: &Request) -> Result<(usize, Option<&str>), HttpError> {
    Ok((paging::limit(request)?, paging::last(request)?))
}

/// Lists repositories.
pub(crate) fn catalog(
    repositories: Vec<RepositoryName>,
    next: Option<String>,
    limit: usize,
    request: &Request,
) -> Response<Body> {
    let mut response = paging::json(JSON, &Catalog { repositories });
    link(&mut response, request, limit, next);
    response
}

fn link(response: &mut Response<Body>, request: &Request, limit: usize, next: Option<String>) {
    if let Some(last) = next {
        let parameters = [paging::parameter("n", &limit.to_string()), paging::parameter("last", &last)];
        paging::link_next(response.headers_mut(), &request.endpoint.path(), &parameters);
    }
}
