//! Parts of requests, read with care: what a client repeats or garbles is refused, not guessed.

use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, header, request};
use http_body_util::BodyExt;
use oci::{Algorithm, ContentRange, Digest, Endpoint, ErrorCode, MediaType, Query, RepositoryName};

use super::error::HttpError;
use super::respond::Body;
use crate::ports::ByteStream;

/// A request whose path and query were understood.
pub(crate) struct Request {
    pub(crate) endpoint: Endpoint,
    pub(crate) query: Query,
    pub(crate) head: request::Parts,
}

impl Request {
    /// Returns the parameter `digest`, which has to be there.
    pub(crate) fn digest(&self) -> Result<Digest, HttpError> {
        let digest = self.optional_digest("digest")?;
        digest.ok_or_else(|| HttpError::new(ErrorCode::DigestInvalid, "the parameter digest is missing"))
    }

    /// Returns a parameter that is a digest.
    pub(crate) fn optional_digest(&self, parameter: &str) -> Result<Option<Digest>, HttpError> {
        let Some(text) = self.query.get(parameter)? else { return Ok(None) };
        let digest = text.parse().map_err(|error: oci::DigestInvalid| {
            HttpError::new(ErrorCode::DigestInvalid, error.to_string())
        })?;
        Ok(Some(digest))
    }

    /// Returns the parameter `digest-algorithm` (end-4c), or the usual one.
    pub(crate) fn algorithm(&self) -> Result<Algorithm, HttpError> {
        let Some(text) = self.query.get("digest-algorithm")? else { return Ok(Algorithm::Sha256) };
        Algorithm::parse(text).map_err(|error| HttpError::new(ErrorCode::DigestInvalid, error.to_string()))
    }

    /// Returns the parameter `from`.
    pub(crate) fn mount_source(&self) -> Result<Option<RepositoryName>, HttpError> {
        let Some(text) = self.query.get("from")? else { return Ok(None) };
        let name = text
            .parse()
            .map_err(|error: oci::NameInvalid| HttpError::new(ErrorCode::NameInvalid, error.to_string()))?;
        Ok(Some(name))
    }

    /// Returns the `Content-Range` of a chunk.
    pub(crate) fn content_range(&self) -> Result<Option<ContentRange>, HttpError> {
        let text = single_header(&self.head.headers, &header::CONTENT_RANGE)?;
        let range = text.map(ContentRange::parse).transpose()?;
        let length = self.content_length()?;
        match (&range, length) {
            // Refused before the bytes are taken: a chunk that does not fit its own range is never stored.
            (Some(range), Some(length)) if range.len() != length => {
                let message =
                    format!("Content-Range names {} bytes, but Content-Length {length}", range.len());
                Err(HttpError::new(ErrorCode::SizeInvalid, message))
            }
            _ => Ok(range),
        }
    }

    /// Returns how long the body is, if the client says so.
    pub(crate) fn content_length(&self) -> Result<Option<u64>, HttpError> {
        Ok(single_header(&self.head.headers, &header::CONTENT_LENGTH)?.and_then(|text| text.parse().ok()))
    }

    /// Returns the `Content-Type` without its parameters.
    pub(crate) fn content_type(&self) -> Result<Option<MediaType>, HttpError> {
        let Some(text) = single_header(&self.head.headers, &header::CONTENT_TYPE)? else { return Ok(None) };
        let media_type = MediaType::from_header(text)
            .map_err(|error| HttpError::new(ErrorCode::ManifestInvalid, error.to_string()))?;
        Ok(Some(media_type))
    }

    /// Returns whether the client has the content with this digest already.
    pub(crate) fn has_content(&self, digest: &Digest) -> bool {
        let values = self.head.headers.get_all(header::IF_NONE_MATCH);
        values.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(
            |entry| {
                let tag = entry.trim();
                let tag = tag.strip_prefix("W/").unwrap_or(tag);
                tag == "*" || tag.trim_matches('"') == digest.as_str()
            },
        )
    }
}

/// Returns a body as a stream.
pub(crate) fn byte_stream(body: Body) -> ByteStream {
    body.into_data_stream().map(|piece| piece.map_err(std::io::Error::other)).boxed()
}

/// Returns the header's value as text; a header that is repeated or not text is refused.
pub(crate) fn single_header<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a str>, HttpError> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let refuse = |why: &str| HttpError::new(ErrorCode::ParameterInvalid, format!("header {name} is {why}"));
    if values.next().is_some() {
        return Err(refuse("repeated"));
    }
    value.to_str().map(Some).map_err(|_| refuse("not text"))
}
