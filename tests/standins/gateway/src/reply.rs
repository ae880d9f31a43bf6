//! What a function answered, understood as payload format 2.0.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::Manners;

/// An answer of a function.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) cookies: Vec<HeaderValue>,
    pub(crate) body: Bytes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    status_code: u16,
    headers: Option<BTreeMap<String, Scalar>>,
    multi_value_headers: Option<BTreeMap<String, Vec<Scalar>>>,
    cookies: Option<Vec<String>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl Reply {
    /// Returns the answer, or `None` when it is malformed.
    ///
    /// JSON without a status code is, as AWS documents, the body of a 200.
    pub(crate) fn parse(value: Value, manners: Manners) -> Option<Self> {
        if value.get("statusCode").is_none() {
            return Some(Self::inferred(&value));
        }
        let payload: Payload = serde_json::from_value(value).ok()?;
        let status = StatusCode::from_u16(payload.status_code).ok()?;
        let headers = payload.all_headers(manners)?;
        let cookies = payload.cookies.iter().flatten();
        let cookies = cookies.map(|cookie| HeaderValue::from_str(cookie).ok()).collect::<Option<_>>()?;
        let body = payload.body.unwrap_or_default();
        let body = if payload.is_base64_encoded == Some(true) {
            Bytes::from(STANDARD.decode(body).ok()?)
        } else {
            Bytes::from(body)
        };
        Some(Self { status, headers, cookies, body })
    }

    fn inferred(value: &Value) -> Self {
        let body = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let json = HeaderValue::from_static("application/json");
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(http::header::CONTENT_TYPE, json)]),
            cookies: Vec::new(),
            body: Bytes::from(body),
        }
    }
}

impl Payload {
    /// Format 2.0 has no `multiValueHeaders`; who sends them loses them.
    fn all_headers(&self, manners: Manners) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.iter().flatten() {
            headers.insert(name.parse::<HeaderName>().ok()?, value.header_value()?);
        }
        if manners.take_multi_value_headers {
            for (name, values) in self.multi_value_headers.iter().flatten() {
                let name: HeaderName = name.parse().ok()?;
                headers.remove(&name);
                for value in values {
                    headers.append(&name, value.header_value()?);
                }
            }
        }
        Some(headers)
    }
}

impl Scalar {
    fn header_value(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        };
        HeaderValue::from_str(&text).ok()
    }
}
