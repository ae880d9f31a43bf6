//! Response parameters: what a route changes in the headers of an answer.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};

/// A change of one header of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderMapping {
    /// What is done to the header.
    pub action: Action,
    /// The header, lower-cased.
    pub header: String,
    /// Where the value comes from.
    source: Source,
}

/// What a mapping does to a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Adds a value to those that are there.
    Append,
    /// Replaces what is there.
    Overwrite,
    /// Takes the header away.
    Remove,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    ResponseHeader(String),
    Static(String),
}

/// A mapping that AWS refuses, or that this stand-in does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError(String);

impl fmt::Display for MappingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for MappingError {}

/// Headers that AWS lets nobody map; a star stands for any ending.
const RESERVED: &[&str] = &[
    "access-control-*",
    "apigw-*",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-*",
    "x-amzn-*",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

impl HeaderMapping {
    /// Parses a mapping as templates write it: `overwrite:header.location` and `$response.header.x-place`.
    pub fn parse(key: &str, value: &str) -> Result<Self, MappingError> {
        let (action, header) = key
            .split_once(":header.")
            .ok_or_else(|| MappingError(format!("`{key}` is not <action>:header.<name>")))?;
        let header = header.to_ascii_lowercase();
        if is_reserved(&header) || header.parse::<HeaderName>().is_err() {
            return Err(MappingError(format!("the header `{header}` cannot be mapped")));
        }
        Ok(Self { action: Action::parse(action)?, header, source: Source::parse(value)? })
    }

    /// Changes `headers`; `own` are the headers as the function sent them.
    ///
    /// A source that is not there changes nothing.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, own: &HeaderMap) {
        let name: HeaderName = self.header.parse().unwrap();
        if self.action == Action::Remove {
            headers.remove(name);
            return;
        }
        let Some(value) = self.source.value(own) else { return };
        if self.action == Action::Append {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
}

impl Action {
    fn parse(text: &str) -> Result<Self, MappingError> {
        match text {
            "append" => Ok(Self::Append),
            "overwrite" => Ok(Self::Overwrite),
            "remove" => Ok(Self::Remove),
            _ => Err(MappingError(format!("`{text}` is not append, overwrite or remove"))),
        }
    }
}

impl Source {
    fn parse(text: &str) -> Result<Self, MappingError> {
        if let Some(name) = text.strip_prefix("$response.header.") {
            return Ok(Self::ResponseHeader(name.to_ascii_lowercase()));
        }
        if text.contains('$') {
            return Err(MappingError(format!("the stand-in does not know the value `{text}`")));
        }
        Ok(Self::Static(text.to_owned()))
    }

    fn value(&self, own: &HeaderMap) -> Option<HeaderValue> {
        match self {
            Self::Static(text) => HeaderValue::from_str(text).ok(),
            Self::ResponseHeader(name) => {
                let values: Vec<&[u8]> = own.get_all(name).iter().map(HeaderValue::as_bytes).collect();
                if values.is_empty() { None } else { HeaderValue::from_bytes(&values.join(&b',')).ok() }
            }
        }
    }
}

fn is_reserved(header: &str) -> bool {
    RESERVED.iter().any(|reserved| match reserved.strip_suffix('*') {
        Some(start) => header.starts_with(start),
        None => header == *reserved,
    })
}
