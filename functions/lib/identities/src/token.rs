//! What an identity token says: of its key before it is checked, and of somebody after.

use std::collections::BTreeMap;

use jsonwebtoken::Algorithm;
use registry::access::Identity;
use registry::ports::Timestamp;
use serde_json::Value;

/// Longer texts are no identity token: those of GitHub and GitLab have about 2,000 bytes.
const TOKEN_MAX_BYTES: usize = 16 * 1024;

/// Later times are none: they make sums overflow.
const SECONDS_MAX: u64 = 100_000_000_000;

/// What every claim is.
pub(crate) type Claims = BTreeMap<String, Value>;

/// What is used of a token's header: the name of the key, and the algorithm.
///
/// Keys come from the issuer alone. A key that the token brings along or points to (`jwk`, `jku`, `x5c`, `x5u`) is
/// not looked at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<String>,
}

impl Header {
    /// Reads the header of a token, if a published key can check that token at all.
    pub(crate) fn read(token: &str) -> Option<Self> {
        if token.len() > TOKEN_MAX_BYTES {
            return None;
        }
        let header = jsonwebtoken::decode_header(token).ok()?;
        // What must be understood is not (RFC 7515, section 4.1.11), nor what is compressed or encrypted.
        let is_plain = header.crit.is_none() && header.zip.is_none() && header.enc.is_none();
        let is_public = !matches!(header.alg, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512);
        (is_plain && is_public).then_some(Self { algorithm: header.alg, key_id: header.kid })
    }
}

/// Returns what the claims say; `None` unless it is the issuer that says it, and until when.
pub(crate) fn identity(claims: Claims, issuer: &str) -> Option<Identity> {
    if claims.get("iss")?.as_str()? != issuer {
        return None;
    }
    let not_before = match claims.get("nbf") {
        Some(value) => Some(time(value)?),
        None => None,
    };
    Some(Identity { audiences: audiences(&claims), expires: time(claims.get("exp")?)?, not_before, claims })
}

fn audiences(claims: &Claims) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match claims.get("aud") {
        Some(Value::Array(values)) => values.iter().filter_map(text).collect(),
        Some(value) => text(value).into_iter().collect(),
        None => Vec::new(),
    }
}

/// A number of seconds since 1970, which may have a fraction (RFC 7519, section 2).
fn time(value: &Value) -> Option<Timestamp> {
    let whole = value.as_u64().or_else(|| {
        let seconds = value.as_f64().filter(|seconds| *seconds >= 0.0)?;
        Some(seconds as u64)
    })?;
    (whole < SECONDS_MAX).then(|| Timestamp::from_millis(whole * 1000))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Option<Identity> {
        identity(serde_json::from_value(claims).unwrap(), "https://issuer.example")
    }

    #[test]
    fn one_audience_is_a_list_of_one() {
        let claims = |aud: Value| json!({"iss": "https://issuer.example", "exp": 5, "aud": aud});
        assert_eq!(read(claims(json!("a"))).unwrap().audiences, ["a"]);
        assert_eq!(read(claims(json!(["a", "b"]))).unwrap().audiences, ["a", "b"]);
        assert!(read(claims(json!({"a": "a"}))).unwrap().audiences.is_empty());
        assert!(read(json!({"iss": "https://issuer.example", "exp": 5})).unwrap().audiences.is_empty());
    }

    #[test]
    fn times_may_have_fractions_and_must_be_times() {
        let exp = |exp: Value| {
            read(json!({"iss": "https://issuer.example", "exp": exp})).map(|it| it.expires.as_secs())
        };
        assert_eq!(exp(json!(1_790_000_000_u64)), Some(1_790_000_000));
        assert_eq!(exp(json!(1_790_000_000.75)), Some(1_790_000_000));
        for wrong in [json!(-1), json!("5"), json!(null), json!(1e300), json!(u64::MAX)] {
            assert_eq!(exp(wrong.clone()), None, "{wrong}");
        }
        assert!(read(json!({"iss": "https://issuer.example"})).is_none());
        assert!(read(json!({"iss": "https://issuer.example", "exp": 5, "nbf": "soon"})).is_none());
    }

    #[test]
    fn the_issuer_is_the_one_that_was_asked_to_the_letter() {
        for iss in [
            json!("https://issuer.example/"),
            json!("https://ISSUER.example"),
            json!(null),
            json!(["https://issuer.example"]),
        ] {
            assert!(read(json!({"iss": iss, "exp": 5})).is_none());
        }
    }
}
