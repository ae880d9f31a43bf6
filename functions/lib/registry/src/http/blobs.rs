//! `/v2/<name>/blobs/<digest>` (end-2, end-10).

use http::{Method, Response, StatusCode, header};
use oci::Digest;

use super::content::{Wanted, answer, wanted};
use super::error::HttpError;
use super::head_length::HeadLength;
use super::request::Request;
use super::respond::{Body, empty, status, streamed, text_header};
use crate::Blob;
use crate::access::{Delete, Permit, Pull};

const MEDIA_TYPE: &str = "application/octet-stream";

/// Answers with the blob or a part of it. A HEAD also holds the blob (P9).
pub(crate) async fn get(
    permit: &Permit<Pull>,
    request: &Request,
    digest: &Digest,
    head_length: HeadLength,
) -> Result<Response<Body>, HttpError> {
    let blob = match request.head.method {
        Method::HEAD => permit.blob_head(digest).await?,
        _ => permit.blob_get(digest).await?,
    };
    if !request.has_content(digest)
        && let Some(url) = url(permit, &request.head.method, &blob, head_length).await?
    {
        return Ok(elsewhere(digest, &url));
    }
    match wanted(request, digest, MEDIA_TYPE, blob.size_bytes)? {
        Wanted::Nothing(response) => Ok(response),
        Wanted::Length(headers) => Ok(answer(empty(), StatusCode::OK, headers)),
        Wanted::Bytes(range, code, headers) => {
            let bytes = permit.blob_read(&blob, range.start..range.end_exclusive).await?;
            Ok(answer(streamed(bytes), code, headers))
        }
    }
}

/// Returns where in the store the client is sent, if it is sent there.
async fn url(
    permit: &Permit<Pull>,
    method: &Method,
    blob: &Blob,
    head_length: HeadLength,
) -> Result<Option<String>, crate::Error> {
    match (method, head_length) {
        (&Method::HEAD, HeadLength::Header) => Ok(None),
        (&Method::HEAD, HeadLength::Content) => permit.blob_head_url(blob).await,
        _ => permit.blob_url(blob).await,
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
