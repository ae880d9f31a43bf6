//! What is asked: bodies, paths and queries, read with care.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use axum::Json;
use axum::extract::path::ErrorKind;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::StatusCode;
use http::request::Parts;
use registry::access::Secret;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::problem::Problem;

/// How long a body may take: 64 KiB come in less on any line.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// A JSON body.
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(Object(body)) =
            timeout(BODY_WITHIN, Json::from_request(request, state)).await.map_err(|_| late())??;
        Ok(Self(body))
    }
}

fn late() -> Problem {
    let detail = format!("the body did not come within {} seconds", BODY_WITHIN.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
}

/// A JSON object. What serde derives would take an array of the fields too.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields)).map(Object)
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let text = rejection.body_text();
        let detail = text
            .trim_start_matches("Failed to deserialize the JSON body into the target type: ")
            .trim_start_matches("Failed to parse the request body as JSON: ");
        Self::new(rejection.status(), detail)
    }
}

/// What the path names.
pub(crate) struct At<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(named) = Path::from_request_parts(parts, state).await?;
        Ok(Self(named))
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Self {
        if let PathRejection::FailedToDeserializePathParams(error) = &rejection
            && let ErrorKind::DeserializeError { message, .. } | ErrorKind::Message(message) = error.kind()
        {
            return Self::new(StatusCode::UNPROCESSABLE_ENTITY, message);
        }
        Self::new(rejection.status(), rejection.body_text())
    }
}

/// The parameters of the query.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(asked) = Query::from_request_parts(parts, state).await?;
        Ok(Self(asked))
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        let text = rejection.body_text();
        Self::new(rejection.status(), text.trim_start_matches("Failed to deserialize query string: "))
    }
}

/// A password in a body. It is in no message, not even in one about the wrong type.
#[derive(Clone)]
pub(crate) struct Hidden(pub(crate) Secret);

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match TextOrOther::deserialize(deserializer)? {
            TextOrOther::Text(text) => Ok(Self(text.into())),
            TextOrOther::Other(IgnoredAny) => Err(D::Error::custom("a text is expected")),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum TextOrOther {
    Text(String),
    Other(IgnoredAny),
}

/// The id of a token or a trust, which the registry chose.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Id(String);

impl Id {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Id {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let is_of_id = |c: char| c.is_ascii_alphanumeric() || c == '.';
        if (1..=100).contains(&text.len()) && text.chars().all(is_of_id) {
            return Ok(Self(text));
        }
        Err("this can be no id: 1 to 100 letters, digits and dots")
    }
}

/// Reads whether a field is given, whatever its value.
pub(crate) fn is_given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A time (RFC 3339).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Time(registry::ports::Timestamp);

impl TryFrom<String> for Time {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let time = time::OffsetDateTime::parse(&text, &time::format_description::well_known::Rfc3339);
        let millis = time.ok().and_then(|time| u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok());
        let millis = millis.ok_or("a time is written like 2026-01-31T12:00:00Z, and not before 1970")?;
        Ok(Self(registry::ports::Timestamp::from_millis(millis)))
    }
}

impl From<Time> for registry::ports::Timestamp {
    fn from(time: Time) -> Self {
        time.0
    }
}

impl From<registry::ports::Timestamp> for Time {
    fn from(at: registry::ports::Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = i128::from(self.0.as_millis()) * 1_000_000;
        let time = time::OffsetDateTime::from_unix_timestamp_nanos(nanos);
        let time = time.map_err(serde::ser::Error::custom)?;
        let text = time.format(&time::format_description::well_known::Rfc3339);
        serializer.serialize_str(&text.map_err(serde::ser::Error::custom)?)
    }
}
