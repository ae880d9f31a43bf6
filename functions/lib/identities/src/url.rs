//! URLs that documents may be fetched from.

use http::Uri;
use http::uri::Scheme;

use crate::client::Failure;

/// The names of this machine. It may have no certificate, and be asked in the clear.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "::1", "localhost"];

/// An `https` URL, or an `http` URL of this very machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Url {
    uri: Uri,
    /// Without the brackets of an IPv6 address.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) is_tls: bool,
    /// Whether it is about this very machine, and says so.
    pub(crate) is_loopback: bool,
}

impl Url {
    /// Reads a URL that an administrator has named.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let refused = || Failure::Url(text.chars().take(200).collect());
        let uri: Uri = text.parse().map_err(|_| refused())?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(refused)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let is_loopback = LOOPBACK.contains(&host.as_str());
        let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
        let has_user = uri.authority().is_none_or(|authority| authority.as_str().contains('@'));
        let is_allowed = is_tls || (is_loopback && uri.scheme() == Some(&Scheme::HTTP));
        if has_user || !is_allowed {
            return Err(refused());
        }
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Ok(Self { host, port, is_tls, is_loopback, uri })
    }

    /// Reads a URL out of a document that came from this one: nobody else's document leads to this very machine.
    pub(crate) fn follow(&self, text: &str) -> Result<Self, Failure> {
        let next = Self::parse(text)?;
        if next.is_loopback && !self.is_loopback {
            return Err(Failure::Url(text.to_owned()));
        }
        Ok(next)
    }

    /// Returns host and port as the `Host` header has them.
    pub(crate) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    /// Returns path and query.
    pub(crate) fn target(&self) -> &str {
        self.uri.path_and_query().map_or("/", |target| target.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_can_be_asked() {
        for text in [
            "https://issuer.example",
            "https://issuer.example:8443/a/b?c=d",
            "https://10.0.0.1/keys",
            "http://127.0.0.1:8080/keys",
            "http://localhost/keys",
            "http://LOCALHOST:1/keys",
            "http://[::1]:8080/keys",
        ] {
            assert!(Url::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://issuer.example",
            "http://127.0.0.1.issuer.example",
            "http://localhost.issuer.example",
            "http://127.0.0.2/",
            "http://10.0.0.1/",
            "http://localhost@issuer.example/",
            "https://user:secret@issuer.example/",
            "ftp://issuer.example/",
            "file:///etc/passwd",
            "//issuer.example/keys",
            "/keys",
            "keys",
            "https://",
            "https:///keys",
            "https://issuer example/",
            "",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_document_from_elsewhere_does_not_lead_to_this_machine() {
        let (far, near) =
            (Url::parse("https://issuer.example").unwrap(), Url::parse("http://localhost:1").unwrap());
        for text in
            ["http://127.0.0.1/keys", "https://localhost/keys", "https://[::1]/keys", "http://[::1]:2/"]
        {
            assert!(far.follow(text).is_err(), "{text}");
            assert!(near.follow(text).is_ok(), "{text}");
        }
        assert!(far.follow("https://keys.example/keys").is_ok());
        assert!(far.follow("http://keys.example/keys").is_err());
        assert!(far.follow("keys").is_err());
    }

    #[test]
    fn brackets_are_no_part_of_an_address() {
        let url = Url::parse("https://[2001:db8::1]:8443/keys?a=b").unwrap();
        assert_eq!((url.host.as_str(), url.port), ("2001:db8::1", 8443));
        assert_eq!((url.authority(), url.target()), ("[2001:db8::1]:8443", "/keys?a=b"));
        assert_eq!(Url::parse("https://a.example").unwrap().target(), "/");
    }
}
