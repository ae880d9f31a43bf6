//! `/v2/<name>/blobs/<digest>` (end-2, end-10).

use http::{Method, Response, StatusCode, header};
use oci::{Digest, RangeHeader, RangeOutcome, RepositoryName};

use super::error::HttpError;
use super::request::{Request, single_header};
use super::respond::{Body, status, streamed, text_header};
use crate::{Blob, Registry};

/// Answers with the blob or a part of it. A HEAD also holds the blob (P9).
pub(crate) async fn get(
    registry: &Registry,
    request: &Request,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response<Body>, HttpError> {
    let is_head = request.head.method == Method::HEAD;
    let blob = match is_head {
        true => registry.blob_head(repository, digest).await?,
        false => registry.blob_get(repository, digest).await?,
    };
    if request.has_content(digest) {
        return Ok(described(status(StatusCode::NOT_MODIFIED), digest));
    }
    if is_head {
        return Ok(sized(described(status(StatusCode::OK), digest), blob.size_bytes));
    }
    match wanted_range(request, &blob)? {
        RangeOutcome::Whole => {
            let body = streamed(registry.blob_read(&blob, 0..blob.size_bytes).await?);
            Ok(sized(described(Response::new(body), digest), blob.size_bytes))
        }
        RangeOutcome::Part(part) => {
            let body = streamed(registry.blob_read(&blob, part.start..part.end_exclusive).await?);
            let mut response = sized(described(Response::new(body), digest), part.len());
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            let last = part.end_exclusive - 1;
            let range = format!("bytes {}-{last}/{}", part.start, blob.size_bytes);
            response.headers_mut().insert(header::CONTENT_RANGE, text_header(&range));
            Ok(response)
        }
        RangeOutcome::Unsatisfiable => {
            let message = format!("the blob has {} bytes", blob.size_bytes);
            let range = format!("bytes */{}", blob.size_bytes);
            let error = HttpError::new(oci::ErrorCode::RangeInvalid, message);
            Err(error.with_header(header::CONTENT_RANGE, &range))
        }
    }
}

/// Takes the blob from the repository.
pub(crate) async fn delete(
    registry: &Registry,
    repository: &RepositoryName,
    digest: &Digest,
) -> Result<Response<Body>, HttpError> {
    registry.blob_delete(repository, digest).await?;
    Ok(status(StatusCode::ACCEPTED))
}

/// A range is only meant for the content that `If-Range` names.
fn wanted_range(request: &Request, blob: &Blob) -> Result<RangeOutcome, HttpError> {
    let headers = &request.head.headers;
    let is_meant = single_header(headers, &header::IF_RANGE)?
        .is_none_or(|etag| etag.trim_matches('"') == blob.digest.as_str());
    let range = single_header(headers, &header::RANGE)?.filter(|_| is_meant);
    Ok(range.map_or(RangeOutcome::Whole, |range| RangeHeader::parse(range, blob.size_bytes)))
}

fn described(mut response: Response<Body>, digest: &Digest) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert("docker-content-digest", text_header(digest.as_str()));
    headers.insert(header::ETAG, text_header(&format!("\"{digest}\"")));
    headers.insert(header::CONTENT_TYPE, text_header("application/octet-stream"));
    headers.insert(header::ACCEPT_RANGES, text_header("bytes"));
    response
}

fn sized(mut response: Response<Body>, size_bytes: u64) -> Response<Body> {
    response.headers_mut().insert(header::CONTENT_LENGTH, size_bytes.into());
    response
}
