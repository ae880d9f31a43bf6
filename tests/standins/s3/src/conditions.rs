//! `If-Match`, `If-None-Match` and their dates, of writes and of reads.

use std::sync::Arc;

use http::HeaderMap;
use s3s::dto::{ETag, ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};

use crate::declared::text;
use crate::store::Object;

/// The conditions that a write carries; compared and applied under the same lock.
pub(crate) struct WriteCondition {
    if_match: Option<ETagCondition>,
    if_none_match: bool,
}

impl WriteCondition {
    pub(crate) fn of(headers: &HeaderMap) -> S3Result<Self> {
        let if_match = text(headers, "if-match").map(str::parse).transpose();
        let if_match = if_match.map_err(|_| s3_error!(InvalidArgument, "If-Match is not an ETag"))?;
        match text(headers, "if-none-match") {
            None => Ok(Self { if_match, if_none_match: false }),
            Some("*") => Ok(Self { if_match, if_none_match: true }),
            Some(_) => Err(s3_error!(
                NotImplemented,
                "A header you provided implies functionality that is not implemented: If-None-Match"
            )),
        }
    }

    pub(crate) fn check(&self, existing: Option<&Arc<Object>>) -> S3Result {
        if self.if_none_match && existing.is_some() {
            return Err(precondition_failed());
        }
        match (&self.if_match, existing) {
            (Some(_), None) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(ETagCondition::ETag(etag)), Some(object)) if *etag != object.etag() => {
                Err(precondition_failed())
            }
            _ => Ok(()),
        }
    }
}

pub(crate) fn precondition_failed() -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")
}

/// The conditions of a read, or, with a prefix, those on the source of a copy.
pub(crate) fn check_read(headers: &HeaderMap, prefix: &str, object: &Object) -> S3Result {
    let condition = |name: &str| text(headers, &format!("{prefix}{name}"));
    let names = |etags: &str| {
        etags == "*"
            || etags.split(',').any(|etag| etag.trim().parse().is_ok_and(|etag: ETag| etag == object.etag()))
    };
    let changed_since = |date: &str| {
        let date = Timestamp::parse(TimestampFormat::HttpDate, date);
        date.map_or(true, |date| Timestamp::from(object.last_modified) > date)
    };
    match (condition("if-match"), condition("if-unmodified-since")) {
        (Some(etags), _) if !names(etags) => return Err(precondition_failed()),
        (None, Some(date)) if changed_since(date) => return Err(precondition_failed()),
        _ => {}
    }
    match (condition("if-none-match"), condition("if-modified-since")) {
        (Some(etags), _) if names(etags) => Err(not_modified(object)),
        (None, Some(date)) if !changed_since(date) => Err(not_modified(object)),
        _ => Ok(()),
    }
}

fn not_modified(object: &Object) -> S3Error {
    let mut error = s3_error!(NotModified);
    let etag = object.etag().to_http_header();
    error.set_headers(etag.into_iter().map(|etag| (http::header::ETAG, etag)).collect());
    error
}
