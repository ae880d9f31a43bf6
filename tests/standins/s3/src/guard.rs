//! What S3 refuses before it looks at the operation, where s3s lets it pass.

use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use s3s::{S3Result, s3_error};

use crate::declared::text;

const LONGEST_PRESIGN_SECONDS: u64 = 7 * 24 * 60 * 60;

pub(crate) struct Guard {
    pub(crate) session_token: Option<String>,
    pub(crate) refuse_cf_id: bool,
}

impl Guard {
    /// Refuses a request as S3 would; the signature itself is checked by s3s, later.
    pub(crate) fn check(&self, request: &Parts) -> S3Result {
        let query = Query::of(request);
        check_length(request)?;
        check_mechanism(request, &query)?;
        if query.is_presigned() {
            check_lifetime(&query)?;
        }
        let Some(signed) = signed_headers(&request.headers, &query) else { return Ok(()) };
        self.check_signed(&request.headers, &signed)?;
        self.check_session(&request.headers, &query)
    }

    /// Every `x-amz-` header and the host must be among the signed ones.
    fn check_signed(&self, headers: &HeaderMap, signed: &[String]) -> S3Result {
        let names = headers.keys().map(http::HeaderName::as_str);
        let unsigned: Vec<_> = names
            .filter(|name| name.starts_with("x-amz-") || *name == "host")
            .filter(|name| self.refuse_cf_id || *name != "x-amz-cf-id")
            .filter(|name| !signed.iter().any(|signed| signed == name))
            .collect();
        if unsigned.is_empty() {
            return Ok(());
        }
        let message = "There were headers present in the request which were not signed";
        Err(s3_error!(AccessDenied, "{}: {}", message, unsigned.join(", ")))
    }

    fn check_session(&self, headers: &HeaderMap, query: &Query) -> S3Result {
        let in_query = query.get("X-Amz-Security-Token");
        let given = in_query.as_deref().or_else(|| text(headers, "x-amz-security-token"));
        match (given, self.session_token.as_deref()) {
            (None, Some(_)) => Err(s3_error!(
                InvalidAccessKeyId,
                "The AWS Access Key Id you provided does not exist in our records."
            )),
            (given, expected) if given == expected => Ok(()),
            _ => Err(s3_error!(InvalidToken, "The provided token is malformed or otherwise invalid.")),
        }
    }
}

/// The query of a request, by decoded names.
struct Query(Vec<(String, String)>);

impl Query {
    fn of(request: &Parts) -> Self {
        let pairs = request.uri.query().unwrap_or_default().split('&').map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), decode(value))
        });
        Self(pairs.collect())
    }

    fn get(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone())
    }

    fn is_presigned(&self) -> bool {
        self.get("X-Amz-Algorithm").is_some() || self.get("X-Amz-Signature").is_some()
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A body needs a length in front of it, or `aws-chunked` with the length of what it decodes to.
fn check_length(request: &Parts) -> S3Result {
    if request.method != Method::PUT || request.headers.contains_key("x-amz-copy-source") {
        return Ok(());
    }
    let has = |name| request.headers.contains_key(name);
    if has("transfer-encoding") && !has("x-amz-decoded-content-length") {
        return Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented: Transfer-Encoding"
        ));
    }
    if !has("transfer-encoding") && !has("content-length") {
        return Err(s3_error!(MissingContentLength, "You must provide the Content-Length HTTP header."));
    }
    Ok(())
}

fn check_mechanism(request: &Parts, query: &Query) -> S3Result {
    let authorization = text(&request.headers, "authorization");
    let is_version_2 = query.get("Signature").is_some() || query.get("AWSAccessKeyId").is_some();
    if authorization.is_some() && (query.is_presigned() || is_version_2) {
        return Err(s3_error!(
            InvalidArgument,
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified"
        ));
    }
    if is_version_2 || authorization.is_some_and(|value| !value.starts_with("AWS4-HMAC-SHA256")) {
        let message =
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.";
        return Err(s3_error!(InvalidRequest, "{}", message));
    }
    let content_type = text(&request.headers, "content-type").unwrap_or_default();
    match request.method == Method::POST && content_type.starts_with("multipart/form-data") {
        true => Err(s3_error!(NotImplemented, "Uploads by form are not part of this stand-in")),
        false => Ok(()),
    }
}

fn check_lifetime(query: &Query) -> S3Result {
    let seconds = query.get("X-Amz-Expires").and_then(|seconds| seconds.parse().ok());
    match seconds {
        Some(1..=LONGEST_PRESIGN_SECONDS) => Ok(()),
        _ => Err(s3_error!(
            AuthorizationQueryParametersError,
            "X-Amz-Expires must be between 1 and 604800 seconds"
        )),
    }
}

/// The names that the signature covers; none of an anonymous request.
fn signed_headers(headers: &HeaderMap, query: &Query) -> Option<Vec<String>> {
    let names = match query.is_presigned() {
        true => query.get("X-Amz-SignedHeaders")?,
        false => {
            let (_, rest) = text(headers, "authorization")?.split_once("SignedHeaders=")?;
            rest.split(',').next()?.trim().to_owned()
        }
    };
    Some(names.split(';').map(str::to_owned).collect())
}
