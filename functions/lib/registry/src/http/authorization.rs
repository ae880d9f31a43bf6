//! The `Authorization` header.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};
use oci::ErrorCode;

use super::error::HttpError;
use super::request::single_header;
use crate::access::Shown;

/// Reads what the request shows. What cannot be read is refused: it was meant to be something.
pub(crate) fn shown(headers: &HeaderMap) -> Result<Shown, HttpError> {
    let Some(text) = single_header(headers, &header::AUTHORIZATION)? else { return Ok(Shown::Nothing) };
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Shown::Bearer(rest.to_owned()));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        return basic(rest).ok_or_else(|| unreadable("its Basic part is not the base64 of name:secret"));
    }
    Err(unreadable("its scheme is neither Bearer nor Basic"))
}

fn basic(encoded: &str) -> Option<Shown> {
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, secret) = text.split_once(':')?;
    Some(Shown::Basic(user.to_owned(), secret.into()))
}

fn unreadable(why: &str) -> HttpError {
    HttpError::new(ErrorCode::ParameterInvalid, format!("the Authorization header cannot be read: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Shown, HttpError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        shown(&headers)
    }

    #[test]
    fn basic_and_bearer_are_read_in_any_case() {
        use secrecy::ExposeSecret;
        for value in ["Basic YTpiOmM=", "basic YTpiOmM=", "BASIC   YTpiOmM="] {
            let Ok(Shown::Basic(user, secret)) = read(value) else { panic!("{value}") };
            assert_eq!((user.as_str(), secret.expose_secret()), ("a", "b:c"));
        }
        assert!(matches!(read("bEaReR abc"), Ok(Shown::Bearer(token)) if token == "abc"));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for value in ["", "Basic", "Basic !", "Basic YQ==", "Digest a=b", "Basic gDo=", "YTpi"] {
            assert!(read(value).is_err(), "{value:?}");
        }
    }
}
