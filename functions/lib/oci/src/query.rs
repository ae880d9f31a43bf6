//! Query strings: the parameters after the question mark.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The parameters of a request, decoded, in the order they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

/// A parameter that may stand once stands there several times.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("query parameter {key:?} is given more than once")]
pub struct RepeatedParameter {
    /// The name of the parameter.
    pub key: String,
}

impl Query {
    /// Parses what follows the question mark; bytes that are not UTF-8 become U+FFFD.
    ///
    /// A plus sign stays one: clients send `artifactType=application/vnd.example+json` as it is, and no
    /// parameter of the API holds a space.
    pub fn parse(raw: &str) -> Self {
        let parameters = raw.split('&').filter(|parameter| !parameter.is_empty());
        Self(parameters.map(parse_parameter).collect())
    }

    /// Returns the value of a parameter that may stand once.
    pub fn get(&self, key: &str) -> Result<Option<&str>, RepeatedParameter> {
        let mut values = self.all(key);
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(RepeatedParameter { key: key.to_owned() }),
            (value, None) => Ok(value),
        }
    }

    /// Returns the values of a parameter that may stand several times, in the order they came.
    pub fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

fn parse_parameter(parameter: &str) -> (String, String) {
    let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    (decode(key).into_owned(), decode(value).into_owned())
}

fn decode(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_decoded_once() {
        for (raw, expected) in [
            ("digest=sha256:abc", "sha256:abc"),
            ("digest=sha256%3Aabc", "sha256:abc"),
            ("digest=sha256%3aabc", "sha256:abc"),
            ("di%67est=sha256%253Aabc", "sha256%3Aabc"),
            ("digest=application/vnd.example+json", "application/vnd.example+json"),
            ("digest=application%2Fvnd.example%2Bjson", "application/vnd.example+json"),
            ("n=5&digest=a=b", "a=b"),
            ("&&digest=a&", "a"),
            ("digest=%zz%", "%zz%"),
            ("digest=%ff", "\u{fffd}"),
            ("digest=", ""),
            ("digest", ""),
        ] {
            assert_eq!(Query::parse(raw).get("digest"), Ok(Some(expected)), "{raw:?}");
        }
    }

    #[test]
    fn absent_parameter_is_none() {
        for raw in ["", "&", "Digest=a", "digests=a", "=digest"] {
            assert_eq!(Query::parse(raw).get("digest"), Ok(None), "{raw:?}");
        }
    }

    #[test]
    fn repeated_parameter_is_refused_where_one_is_expected() {
        let query = Query::parse("tag=1&n=5&tag=latest&tag=1");
        assert_eq!(query.all("tag").collect::<Vec<_>>(), ["1", "latest", "1"]);
        assert_eq!(query.get("tag"), Err(RepeatedParameter { key: "tag".to_owned() }));
        assert_eq!(query.get("n"), Ok(Some("5")));
    }

    proptest! {
        #[test]
        fn encoded_text_survives(value in any::<String>()) {
            let raw = format!("a=b&value={}&c=d", utf8_percent_encode(&value, NON_ALPHANUMERIC));
            let query = Query::parse(&raw);
            prop_assert_eq!(query.get("value"), Ok(Some(value.as_str())));
        }

        #[test]
        fn any_text_is_answered(raw in any::<String>()) {
            let _ = Query::parse(&raw).get("digest");
        }
    }
}
