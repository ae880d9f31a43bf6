//! The address of a registry, as people write it.

use std::net::IpAddr;

use anyhow::{Context, Result, ensure};
use http::{Uri, uri::Scheme};

/// Reads `registry.example.com`, `localhost:5000` or a URL without a path.
///
/// Without a scheme it is https, and http on this machine, as docker has it.
pub(crate) fn endpoint(text: &str) -> Result<Uri> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url: Uri = whole.parse().context("not a URL")?;
    ensure!(matches!(url.scheme_str(), Some("http" | "https")), "neither http nor https");
    ensure!(url.path() == "/" && url.query().is_none(), "a registry has no path");
    let has_user = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
    ensure!(!has_user, "a user and password have no place in an address: see `slipway login --help`");
    if text.contains("://") || !is_on_this_machine(&url) {
        return Ok(url);
    }
    let mut parts = url.into_parts();
    parts.scheme = Some(Scheme::HTTP);
    Ok(Uri::from_parts(parts)?)
}

/// Returns whether nobody in between hears what is said to this address.
pub(crate) fn is_on_this_machine(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_https_goes_without_saying() {
        assert_eq!(endpoint("registry.example").unwrap().to_string(), "https://registry.example/");
        assert_eq!(endpoint("https://r.example:444/").unwrap().to_string(), "https://r.example:444/");
        assert_eq!(endpoint("http://127.0.0.1:5000").unwrap().to_string(), "http://127.0.0.1:5000/");
        for bad in
            ["", "ftp://r.example", "https://r.example/v2/", "https://", "https://alice:secret@r.example"]
        {
            assert!(endpoint(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn http_goes_without_saying_on_this_machine_alone() {
        for here in ["localhost:5000", "127.0.0.1:5000", "127.8.9.1", "[::1]:5000"] {
            assert_eq!(endpoint(here).unwrap().to_string(), format!("http://{here}/"));
            assert_eq!(endpoint(&format!("https://{here}")).unwrap().to_string(), format!("https://{here}/"));
        }
        for elsewhere in ["localhost.example", "10.0.0.1:5000", "127.0.0.1.example"] {
            assert_eq!(endpoint(elsewhere).unwrap().to_string(), format!("https://{elsewhere}/"));
        }
    }
}
