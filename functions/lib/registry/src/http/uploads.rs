//! `/v2/<name>/blobs/uploads/…` (end-4 … end-6, end-11, end-13, end-14).
//!
//! The answers are those that every client accepts: never a redirect to a request with a body, `Range` without
//! a unit, relative locations.

use http::{Response, StatusCode, header};
use oci::{Digest, RepositoryName, UploadId, blob_path, upload_path};

use super::entry::Entry;
use super::error::{HttpError, at_upload};
use super::request::{Request, byte_stream};
use super::respond::{Body, status, text_header};
use crate::access::{Permit, Push};
use crate::records::Lane;
use crate::{MountOutcome, UploadStatus};

/// The chunk size that clients are asked for. Smaller chunks are accepted, but each of them is made durable.
const CHUNK_MIN_BYTES: u64 = 1024 * 1024;

/// Begins an upload, or mounts, or takes a whole blob.
pub(crate) async fn begin(
    permit: &Permit<Push>,
    entry: &Entry,
    request: &Request,
    body: Body,
) -> Result<Response<Body>, HttpError> {
    if let Some(digest) = request.optional_digest("mount")? {
        let source = request.mount_source()?;
        if permit.blob_mount(&digest, source.as_ref()).await? == MountOutcome::Mounted {
            return Ok(created(permit.repository(), &digest));
        }
    } else if let Some(digest) = request.optional_digest("digest")? {
        permit.blob_put(&digest, byte_stream(body)).await?;
        return Ok(created(permit.repository(), &digest));
    }
    let repository = permit.repository();
    let algorithm = request.algorithm()?;
    let edge = entry.edge_prefix(&request.head.headers);
    let edge = edge.filter(|_| permit.offers_direct_uploads(algorithm));
    let lane = if edge.is_some() { Lane::Direct } else { Lane::Stream };
    let upload = permit.upload_begin(algorithm, lane).await?;
    let mut response = standing(StatusCode::ACCEPTED, repository, &upload);
    let headers = response.headers_mut();
    if let Some(edge) = edge {
        let query = permit.direct_upload_query(&upload.id).await?;
        let location = format!("{edge}{}?{query}", upload_path(repository, &upload.id));
        headers.insert(header::LOCATION, text_header(&location));
    }
    headers.insert("oci-chunk-min-length", CHUNK_MIN_BYTES.into());
    Ok(response)
}

/// Appends a chunk. Its location has no query any more: what follows has to come the same way.
pub(crate) async fn append(
    permit: &Permit<Push>,
    id: &UploadId,
    request: &Request,
    body: Body,
) -> Result<Response<Body>, HttpError> {
    let range = request.content_range()?;
    let appended = permit.upload_append(id, range, byte_stream(body)).await;
    let upload = appended.map_err(|error| at_upload(error, permit.repository()))?;
    Ok(standing(StatusCode::ACCEPTED, permit.repository(), &upload))
}

/// Commits the upload, with or without a last chunk.
pub(crate) async fn finish(
    permit: &Permit<Push>,
    id: &UploadId,
    request: &Request,
    body: Body,
) -> Result<Response<Body>, HttpError> {
    let digest = request.digest()?;
    let range = request.content_range()?;
    let finished = permit.upload_finish(id, &digest, range, byte_stream(body)).await;
    finished.map_err(|error| at_upload(error, permit.repository()))?;
    Ok(created(permit.repository(), &digest))
}

/// Tells where the upload stands.
pub(crate) async fn get(permit: &Permit<Push>, id: &UploadId) -> Result<Response<Body>, HttpError> {
    let upload = permit.upload_status(id).await?;
    Ok(standing(StatusCode::NO_CONTENT, permit.repository(), &upload))
}

/// Cancels the upload.
pub(crate) async fn cancel(permit: &Permit<Push>, id: &UploadId) -> Result<Response<Body>, HttpError> {
    permit.upload_cancel(id).await?;
    Ok(status(StatusCode::NO_CONTENT))
}

/// Returns what is stored of an upload as clients expect it, which is `0-0` also for nothing at all.
pub(crate) fn range_text(offset: u64) -> String {
    format!("0-{}", offset.saturating_sub(1))
}

fn standing(code: StatusCode, repository: &RepositoryName, upload: &UploadStatus) -> Response<Body> {
    let mut response = status(code);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, text_header(&upload_path(repository, &upload.id)));
    headers.insert(header::RANGE, text_header(&range_text(upload.offset)));
    headers.insert("docker-upload-uuid", text_header(upload.id.as_str()));
    response
}

fn created(repository: &RepositoryName, digest: &Digest) -> Response<Body> {
    let mut response = status(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, text_header(&blob_path(repository, digest)));
    headers.insert("docker-content-digest", text_header(digest.as_str()));
    response
}
