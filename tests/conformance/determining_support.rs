//! Determining support (end-1).

use reqwest::Method;

use crate::client::Repository;
use crate::content::{fresh_bytes, unknown_digest};
use crate::reply::Reply;

cases! { "Determining Support":
    Must base_endpoint_answers_200,
    Slipway base_endpoint_names_the_api_version,
    Slipway every_answer_names_the_api_version,
}

/// Determining support, end-1: "If the response is `200 OK`, then the registry implements this
/// specification."
fn base_endpoint_answers_200(repository: &Repository<'_>) {
    repository.registry.get("/v2/").expect(200);
}

/// Determining support, end-1: Docker looks for `Docker-Distribution-API-Version` before it believes in a
/// registry.
fn base_endpoint_names_the_api_version(repository: &Repository<'_>) {
    names_the_api_version(repository.registry.get("/v2/").expect(200));
}

/// Legacy Docker support HTTP headers: the version is named by refusals and uploads too, not by end-1 alone.
fn every_answer_names_the_api_version(repository: &Repository<'_>) {
    let digest = repository.push_blob(&fresh_bytes(16));
    names_the_api_version(repository.pull_blob(&digest).expect(200));
    names_the_api_version(repository.pull_blob(&unknown_digest()).expect(404));
    names_the_api_version(repository.pull_manifest("unknown").expect(404));
    names_the_api_version(repository.post("blobs/uploads/").expect(202));
    names_the_api_version(repository.request(Method::PUT, "tags/list").expect(405));
}

#[track_caller]
fn names_the_api_version(reply: Reply) {
    reply.expect_header("Docker-Distribution-API-Version", "registry/2.0");
}
