//! `/v2/<name>/manifests/<reference>` (end-3, end-7, end-9).

use http::{Response, StatusCode, header};
use oci::{Algorithm, Digest, ErrorCode, Manifest, Reference, Tag, manifest_path};

use super::content::{Wanted, answer, wanted};
use super::error::HttpError;
use super::head_length::HeadLength;
use super::request::Request;
use super::respond::{Body, empty, full, status, text_header};
use super::room::ManifestRoom;
use crate::access::{Delete, Permit, Pull, Push};

/// Answers with the manifest, exactly as pushed.
pub(crate) async fn get(
    permit: &Permit<Pull>,
    request: &Request,
    reference: &Reference,
    head_length: HeadLength,
) -> Result<Response<Body>, HttpError> {
    let manifest = permit.manifest_get(reference).await?;
    let media_type = manifest.media_type().as_str();
    match wanted(request, &manifest.digest, media_type, manifest.size_bytes())? {
        Wanted::Nothing(response) => Ok(response),
        Wanted::Length(headers) => {
            let body = match head_length {
                HeadLength::Header => empty(),
                HeadLength::Content => full(permit.manifest_read(&manifest).await?),
            };
            Ok(answer(body, StatusCode::OK, headers))
        }
        Wanted::Bytes(range, code, headers) => {
            let bytes = permit.manifest_read(&manifest).await?;
            // A manifest is in memory, so its length is an index.
            let [start, end] =
                [range.start, range.end_exclusive].map(|at| usize::try_from(at).unwrap_or(bytes.len()));
            Ok(answer(full(bytes.slice(start..end)), code, headers))
        }
    }
}

/// Stores the manifest and points tags to it.
pub(crate) async fn put(
    permit: &Permit<Push>,
    room: &ManifestRoom,
    reference: &Reference,
    request: &Request,
    body: Body,
) -> Result<Response<Body>, HttpError> {
    let content_type = request.content_type()?;
    let tags = wanted_tags(request, reference)?;
    let (bytes, _place) = room.read(&permit.party(), body, request.content_length()?).await?;
    let digest = verified_digest(reference, &bytes)?;
    let manifest = Manifest::parse(&bytes, content_type.as_ref())?;
    let subject = manifest.subject.as_ref().map(|subject| subject.digest.clone());
    permit.manifest_put(digest.clone(), manifest, bytes, tags.clone()).await?;

    let mut response = status(StatusCode::CREATED);
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, text_header(&manifest_path(permit.repository(), &digest)));
    headers.insert("docker-content-digest", text_header(digest.as_str()));
    if let Some(subject) = subject {
        headers.insert("oci-subject", text_header(subject.as_str()));
    }
    if matches!(reference, Reference::Digest(_)) {
        for tag in &tags {
            headers.append("oci-tag", text_header(tag.as_str()));
        }
    }
    Ok(response)
}

/// Deletes the tag alone, or the manifest with all its tags.
pub(crate) async fn delete(
    permit: &Permit<Delete>,
    reference: &Reference,
) -> Result<Response<Body>, HttpError> {
    match reference {
        Reference::Tag(tag) => permit.tag_delete(tag).await?,
        Reference::Digest(digest) => permit.manifest_delete(digest).await?,
    }
    Ok(status(StatusCode::ACCEPTED))
}

/// The tag of the path, or the tags of the query when the path has a digest (end-7b), each once.
fn wanted_tags(request: &Request, reference: &Reference) -> Result<Vec<Tag>, HttpError> {
    let mut tags = Vec::new();
    if let Reference::Tag(tag) = reference {
        tags.push(tag.clone());
    }
    for text in request.query.all("tag") {
        if matches!(reference, Reference::Tag(_)) {
            let message = "the parameter tag goes with a digest in the path";
            return Err(HttpError::new(ErrorCode::ParameterInvalid, message));
        }
        let invalid = |error: oci::TagInvalid| HttpError::new(ErrorCode::TagInvalid, error.to_string());
        let tag = text.parse().map_err(invalid)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    Ok(tags)
}

fn verified_digest(reference: &Reference, bytes: &[u8]) -> Result<Digest, HttpError> {
    match reference {
        Reference::Tag(_) => Ok(Digest::of(Algorithm::Sha256, bytes)),
        Reference::Digest(expected) => {
            let actual = Digest::of(expected.algorithm(), bytes);
            if actual == *expected {
                return Ok(actual);
            }
            let error = crate::Error::DigestMismatch { expected: expected.clone(), actual };
            Err(error.into())
        }
    }
}
