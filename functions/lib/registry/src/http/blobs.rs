//! `/v2/<name>/blobs/<digest>` (end-2, end-10).

use http::{Method, Response, StatusCode, header};
use oci::Digest;

use super::content::{Wanted, answer, wanted};
use super::error::HttpError;
use super::request::Request;
use super::respond::{Body, status, streamed, text_header};
use crate::access::{Delete, Permit, Pull};

const MEDIA_TYPE: &str = "application/octet-stream";

/// Answers with the blob or a part of it. A HEAD also holds the blob (P9).
pub(crate) async fn get(
    permit: &Permit<Pull>,
    request: &Request,
    digest: &Digest,
) -> Result<Response<Body>, HttpError> {
    let blob = match request.head.method {
        Method::HEAD => permit.blob_head(digest).await?,
        _ => permit.blob_get(digest).await?,
    };
    if request.head.method == Method::GET
        && !request.has_content(digest)
        && let Some(url) = permit.blob_url(&blob).await?
    {
        return Ok(elsewhere(digest, &url));
    }
    match wanted(request, digest, MEDIA_TYPE, blob.size_bytes)? {
        Wanted::Nothing(response) => Ok(response),
        Wanted::Bytes(range, code, headers) => {
            let bytes = permit.blob_read(&blob, range.start..range.end_exclusive).await?;
            Ok(answer(streamed(bytes), code, headers))
        }
    }
}

/// Sends the client to the store, ranges and all. The URL is good for minutes, so nobody may keep the answer.
fn elsewhere(digest: &Digest, url: &str) -> Response<Body> {
    let mut response = status(StatusCode::TEMPORARY_REDIRECT);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, text_header(url));
    headers.insert(header::CACHE_CONTROL, text_header("no-store"));
    headers.insert("docker-content-digest", text_header(digest.as_str()));
    response
}

/// Takes the blob from the repository.
pub(crate) async fn delete(permit: &Permit<Delete>, digest: &Digest) -> Result<Response<Body>, HttpError> {
    permit.blob_delete(digest).await?;
    Ok(status(StatusCode::ACCEPTED))
}
