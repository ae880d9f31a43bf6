//! The `Authorization` header.

use http::HeaderMap;

use super::error::SignatureError;

pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// The parts of an `Authorization` header.
pub(super) struct Authorization<'a> {
    pub(super) access_key_id: &'a str,
    /// Date, region, service, `aws4_request`.
    pub(super) scope: [&'a str; 4],
    /// Names in lower case, joined by semicolons.
    pub(super) signed_headers: &'a str,
    pub(super) signature: &'a str,
}

impl<'a> Authorization<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Self, SignatureError> {
        let header = text(headers, "authorization").ok_or(SignatureError::Missing)?;
        let fields = header.strip_prefix(ALGORITHM).ok_or(SignatureError::Missing)?;
        let field = |name| {
            let mut fields = fields.split([',', ' ']);
            fields
                .find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
                .ok_or_else(|| incomplete(name))
        };
        let credential: Vec<_> = field("Credential")?.split('/').collect();
        let &[access_key_id, date, region, service, terminator] = credential.as_slice() else {
            return Err(incomplete("Credential"));
        };
        let scope = [date, region, service, terminator];
        Ok(Self {
            access_key_id,
            scope,
            signed_headers: field("SignedHeaders")?,
            signature: field("Signature")?,
        })
    }
}

pub(super) fn incomplete(parameter: &str) -> SignatureError {
    SignatureError::Incomplete(format!("Authorization header requires '{parameter}' parameter."))
}

pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
