//! What a registry says to somebody it does not know (RFC 9110, 11.6.1).

use http::{HeaderMap, header};

/// Where and for what a token has to be fetched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) realm: String,
    pub(crate) service: String,
    pub(crate) scope: Option<String>,
    /// What is wrong with the token that was shown (RFC 6750, 3.1).
    pub(crate) error: Option<String>,
}

impl Challenge {
    /// Reads the `WWW-Authenticate: Bearer …` of an answer.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::WWW_AUTHENTICATE).iter();
        values.filter_map(|value| value.to_str().ok()).find_map(Self::parse)
    }

    fn parse(text: &str) -> Option<Self> {
        let (scheme, parameters) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let parameter = |name| parameter(parameters, name).map(str::to_owned);
        let service = parameter("service").unwrap_or_default();
        Some(Self {
            realm: parameter("realm")?,
            service,
            scope: parameter("scope"),
            error: parameter("error"),
        })
    }
}

/// Finds `name="value"` among parameters whose values may have commas.
fn parameter<'a>(mut parameters: &'a str, name: &str) -> Option<&'a str> {
    while let Some((found, rest)) = parameters.split_once("=\"") {
        let (value, rest) = rest.split_once('"')?;
        if found.trim_matches([',', ' ']).eq_ignore_ascii_case(name) {
            return Some(value);
        }
        parameters = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_challenge_says_where_and_for_what() {
        let text = r#"Bearer realm="https://r.example/token",service="r.example", scope="repository:a/b:pull,push",error="invalid_token""#;
        let expected = Challenge {
            realm: "https://r.example/token".to_owned(),
            service: "r.example".to_owned(),
            scope: Some("repository:a/b:pull,push".to_owned()),
            error: Some("invalid_token".to_owned()),
        };
        assert_eq!(Challenge::parse(text), Some(expected));
        assert_eq!(Challenge::parse(r#"bearer realm="https://r.example/token""#).unwrap().service, "");
    }

    #[test]
    fn what_names_no_realm_is_none() {
        for text in [r#"Basic realm="slipway""#, "Bearer", r#"Bearer service="r""#, r#"Bearer realm="open"#] {
            assert_eq!(Challenge::parse(text), None, "{text}");
        }
    }
}
