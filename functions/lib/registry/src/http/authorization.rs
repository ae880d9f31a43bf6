//! The `Authorization` header.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, header};

use super::request::single_header;
use crate::access::Shown;

/// Reads what the request shows. What cannot be read shows nobody, which is worse than nothing.
pub fn shown(headers: &HeaderMap) -> Shown {
    let text = match single_header(headers, &header::AUTHORIZATION) {
        Ok(Some(text)) => text,
        Ok(None) => return Shown::Nothing,
        Err(_) => return Shown::Unreadable,
    };
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Shown::Bearer(rest.to_owned());
    }
    let basic = Some(rest).filter(|_| scheme.eq_ignore_ascii_case("basic")).and_then(basic);
    basic.unwrap_or(Shown::Unreadable)
}

fn basic(encoded: &str) -> Option<Shown> {
    let text = String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()?;
    let (user, secret) = text.split_once(':')?;
    Some(Shown::Basic(user.to_owned(), secret.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Shown {
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        shown(&headers)
    }

    #[test]
    fn basic_and_bearer_are_read_in_any_case() {
        use secrecy::ExposeSecret;
        for value in ["Basic YTpiOmM=", "basic YTpiOmM=", "BASIC   YTpiOmM="] {
            let Shown::Basic(user, secret) = read(value) else { panic!("{value}") };
            assert_eq!((user.as_str(), secret.expose_secret()), ("a", "b:c"));
        }
        assert!(matches!(read("bEaReR abc"), Shown::Bearer(token) if token == "abc"));
    }

    #[test]
    fn what_is_neither_is_unreadable() {
        for value in ["", "Basic", "Basic !", "Basic YQ==", "Digest a=b", "Basic gDo=", "YTpi"] {
            assert!(matches!(read(value), Shown::Unreadable), "{value:?}");
        }
    }
}
