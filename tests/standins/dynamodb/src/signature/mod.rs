//! Signature Version 4, verified as DynamoDB does it: in headers only.

mod authorization;
mod canonical;
mod error;

use bytes::Bytes;
use http::{HeaderMap, Request};
use sha2::{Digest, Sha256};
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{Duration, UtcDateTime};

use authorization::{ALGORITHM, Authorization, incomplete, text};
use canonical::{canonical_request, mac};
use error::SignatureError;

const SERVICE: &str = "dynamodb";
const LARGEST_SKEW: Duration = Duration::minutes(15);
const AMZ_DATE: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// What a client signs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The key's name, sent with each request.
    pub access_key_id: String,
    /// The key, never sent.
    pub secret_access_key: String,
    /// The token that must come along with a temporary key.
    pub session_token: Option<String>,
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            access_key_id: "STANDIN".to_owned(),
            secret_access_key: "secret of the stand-in".to_owned(),
            session_token: None,
        }
    }
}

/// Knows one key and one region.
pub(crate) struct Verifier {
    credentials: Credentials,
    region: String,
}

impl Verifier {
    pub(crate) fn new(credentials: Credentials, region: String) -> Self {
        Self { credentials, region }
    }

    /// Checks who signs, for where, when, and what, in this order.
    pub(crate) fn verify(&self, request: &Request<Bytes>, now: UtcDateTime) -> Result<(), SignatureError> {
        let authorization = Authorization::of(request.headers())?;
        let amz_date = text(request.headers(), "x-amz-date").ok_or_else(|| incomplete("X-Amz-Date"))?;
        self.check_client(&authorization, request.headers())?;
        self.check_scope(&authorization, amz_date)?;
        check_age(amz_date, now)?;
        check_signed_headers(&authorization, request.headers())?;
        self.check_signature(&authorization, amz_date, request)
    }

    fn check_client(
        &self,
        authorization: &Authorization<'_>,
        headers: &HeaderMap,
    ) -> Result<(), SignatureError> {
        let token = text(headers, "x-amz-security-token");
        let is_known = authorization.access_key_id == self.credentials.access_key_id
            && token == self.credentials.session_token.as_deref();
        is_known.then_some(()).ok_or(SignatureError::UnknownClient)
    }

    fn check_scope(&self, authorization: &Authorization<'_>, amz_date: &str) -> Result<(), SignatureError> {
        let [date, region, service, terminator] = authorization.scope;
        let message = if region != self.region {
            format!("Credential should be scoped to a valid region, not '{region}'.")
        } else if service != SERVICE {
            format!("Credential should be scoped to correct service: '{SERVICE}'.")
        } else if terminator != "aws4_request" {
            format!(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'."
            )
        } else if !amz_date.starts_with(date) || date.len() != 8 {
            format!(
                "Date in Credential scope does not match the date of the request: '{date}', '{amz_date}'."
            )
        } else {
            return Ok(());
        };
        Err(SignatureError::Invalid(message))
    }

    fn check_signature(
        &self,
        authorization: &Authorization<'_>,
        amz_date: &str,
        request: &Request<Bytes>,
    ) -> Result<(), SignatureError> {
        let scope = authorization.scope.join("/");
        let canonical = canonical_request(authorization.signed_headers, request);
        let to_sign = format!("{ALGORITHM}\n{amz_date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let secret = format!("AWS4{}", self.credentials.secret_access_key).into_bytes();
        let key = authorization.scope.iter().fold(secret, |key, part| mac(&key, part));
        if hex::encode(mac(&key, &to_sign)) == authorization.signature {
            return Ok(());
        }
        Err(SignatureError::Invalid(
            "The request signature we calculated does not match the signature you provided. Check your \
             AWS Secret Access Key and signing method. Consult the service documentation for details."
                .to_owned(),
        ))
    }
}

fn check_age(amz_date: &str, now: UtcDateTime) -> Result<(), SignatureError> {
    let signed_at = UtcDateTime::parse(amz_date, AMZ_DATE).map_err(|_| incomplete("X-Amz-Date"))?;
    let age = now - signed_at;
    let message = if age > LARGEST_SKEW {
        format!("Signature expired: {amz_date} is more than 15 min. ago.")
    } else if age < -LARGEST_SKEW {
        format!("Signature not yet current: {amz_date} is more than 15 min. ahead.")
    } else {
        return Ok(());
    };
    Err(SignatureError::Invalid(message))
}

/// Checks that the host and every `x-amz-` header are signed.
fn check_signed_headers(
    authorization: &Authorization<'_>,
    headers: &HeaderMap,
) -> Result<(), SignatureError> {
    let is_signed = |name: &str| authorization.signed_headers.split(';').any(|signed| signed == name);
    let mut names = headers.keys().map(|name| name.as_str());
    match names.find(|name| (*name == "host" || name.starts_with("x-amz-")) && !is_signed(name)) {
        None => Ok(()),
        Some(name) => Err(SignatureError::Invalid(format!(
            "'{name}' must be a 'SignedHeader' in the AWS Authorization."
        ))),
    }
}
