//! How a request came in: through the edge, through a proxy, or to the registry itself.

use std::sync::Arc;

use http::uri::{Authority, Uri};
use http::{HeaderMap, HeaderValue, Method, header};

/// The header in which the edge passes on the host that the client knows. It always overwrites it, and a client
/// that sends it by another way deceives only itself.
const VIEWER_HOST: &str = "x-viewer-host";

/// What is known of how clients come.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    edge_host: Option<Arc<str>>,
    url: Option<Arc<str>>,
    is_tls: bool,
    is_behind_proxy: bool,
}

impl Entry {
    /// Returns the same with an edge of this host, if it has one that is known beforehand.
    pub(crate) fn with_edge(self, host: Option<String>) -> Self {
        Self { edge_host: host.map(Into::into), ..self }
    }

    /// Returns the same under this address.
    pub(crate) fn at(self, url: Option<String>) -> Self {
        Self { url: url.map(|url| url.trim_end_matches('/').into()), ..self }
    }

    /// Returns the same with TLS, or without, on the connections themselves.
    pub(crate) fn with_tls(self, is_tls: bool) -> Self {
        Self { is_tls, ..self }
    }

    /// Returns the same behind a proxy that says which host clients ask, and how; without one nobody is believed that.
    pub(crate) fn behind_proxy(self, is_behind_proxy: bool) -> Self {
        Self { is_behind_proxy, ..self }
    }

    /// Returns what a location has to begin with so that it leads through the edge; `None` if no edge is known.
    pub(crate) fn edge_prefix(&self, headers: &HeaderMap) -> Option<String> {
        if headers.contains_key(VIEWER_HOST) {
            // Several clients refuse a location on another host, so this one stays on theirs.
            return Some(String::new());
        }
        self.edge_host.as_ref().map(|host| format!("https://{host}"))
    }

    /// Returns scheme and host as the client knows them, such as `https://registry.example.com`.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.url {
            return url.to_string();
        }
        // The first of several proxies names the host that the client asked.
        let told = [VIEWER_HOST, "x-forwarded-host"].into_iter().filter_map(|name| self.told(headers, name));
        let told = told.filter_map(|hosts| hosts.split(',').next());
        let hosts = told.chain(text(headers, header::HOST.as_str()));
        let host = hosts.filter_map(|host| host.trim().parse::<Authority>().ok()).next();
        let host = host.as_ref().map_or("localhost", Authority::as_str);
        let is_tls = self.is_tls || self.told(headers, "x-forwarded-proto") == Some("https");
        format!("{}://{host}", if is_tls { "https" } else { "http" })
    }

    fn told<'a>(&self, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
        text(headers, name).filter(|_| self.is_behind_proxy)
    }

    /// Returns whether a page of another site has a browser change something here.
    ///
    /// A browser shows the credentials that it keeps to whatever page makes it ask, and says whose page that is: of what it
    /// knows to be safe in `Sec-Fetch-Site`, and of everything in `Origin`. Nobody else sends either.
    pub fn crosses_sites(&self, method: &Method, headers: &HeaderMap) -> bool {
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let is_foreign =
            || headers.get_all(header::ORIGIN).iter().any(|origin| !self.is_own(origin, headers));
        !method.is_safe() && (matches!(site, Some(b"cross-site" | b"same-site")) || is_foreign())
    }

    /// Compares hosts, and not schemes: what ends TLS may stand before the registry.
    fn is_own(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Some(page) = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok()) else { return false };
        let Some((scheme, host)) = page.scheme_str().zip(page.authority()) else { return false };
        let own = self.origin(headers).parse::<Uri>().ok().and_then(|uri| uri.authority().cloned());
        let asked = text(headers, header::HOST.as_str()).and_then(|host| host.parse().ok());
        [own, asked].iter().flatten().any(|own| place(own, scheme) == place(host, scheme))
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn place(authority: &Authority, scheme: &str) -> (String, u16) {
    let usual = if scheme == "https" { 443 } else { 80 };
    (authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(usual))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_proxy_that_is_trusted_says_which_host_was_asked_and_how() {
        let asked = [
            ("host", "10.0.0.1:5000"),
            ("x-forwarded-host", "registry.example"),
            ("x-forwarded-proto", "https"),
        ];
        let seen = [&asked[..], &[("x-viewer-host", "edge.example")]].concat();
        for forged in [&asked[..], &seen] {
            assert_eq!(Entry::default().origin(&headers(forged)), "http://10.0.0.1:5000");
            assert_eq!(Entry::default().with_tls(true).origin(&headers(forged)), "https://10.0.0.1:5000");
        }
        let trusting = Entry::default().behind_proxy(true);
        assert_eq!(trusting.origin(&headers(&asked)), "https://registry.example");
        assert_eq!(trusting.origin(&headers(&seen)), "https://edge.example");
        assert_eq!(trusting.origin(&headers(&asked[..1])), "http://10.0.0.1:5000");
        let several = [("host", "10.0.0.1:5000"), ("x-forwarded-host", "outer.example, inner.example")];
        assert_eq!(trusting.origin(&headers(&several)), "http://outer.example");
        let nonsense = [("host", "10.0.0.1:5000"), ("x-forwarded-host", "a b")];
        assert_eq!(trusting.origin(&headers(&nonsense)), "http://10.0.0.1:5000");
        assert_eq!(trusting.origin(&HeaderMap::new()), "http://localhost");
        let known = trusting.at(Some("https://known.example/".to_owned()));
        assert_eq!(known.origin(&headers(&seen)), "https://known.example");
    }

    #[test]
    fn the_page_of_another_host_is_foreign_and_one_of_this_host_is_not() {
        let crosses = |entry: &Entry, host: &str, origin: &str| {
            let fields =
                headers(&[("host", host), ("origin", origin), ("x-forwarded-host", "proxy.example")]);
            assert!(!entry.crosses_sites(&Method::GET, &fields), "a page may ask");
            entry.crosses_sites(&Method::POST, &fields)
        };
        let plain = Entry::default();
        for (host, own) in [
            ("a.example", "https://a.example"),
            ("a.example", "http://a.example"),
            ("A.example:443", "https://a.example"),
            ("localhost:5000", "http://localhost:5000"),
            ("[::1]:5000", "http://[::1]:5000"),
        ] {
            assert!(!crosses(&plain, host, own), "{own}");
        }
        for (host, foreign) in [
            ("a.example", "https://b.example"),
            ("a.example", "https://b.a.example"),
            ("a.example", "https://a.example:8443"),
            ("localhost:5000", "http://localhost:3000"),
            ("localhost:5000", "null"),
            ("localhost:5000", ""),
            ("localhost:5000", "localhost:5000"),
            ("10.0.0.1", "https://proxy.example"),
            ("", "https://a.example"),
        ] {
            assert!(crosses(&plain, host, foreign), "{foreign}");
        }
        assert!(!crosses(&Entry::default().behind_proxy(true), "10.0.0.1", "https://proxy.example"));
        let known = Entry::default().at(Some("https://known.example".to_owned()));
        assert!(!crosses(&known, "10.0.0.1", "https://known.example"));
        assert!(!plain.crosses_sites(&Method::DELETE, &headers(&[("host", "a.example")])), "no browser");
    }

    #[test]
    fn of_two_origins_none_may_be_foreign() {
        let mut two = headers(&[("host", "a.example")]);
        two.append("origin", "https://a.example".parse().unwrap());
        two.append("origin", "https://b.example".parse().unwrap());
        assert!(Entry::default().crosses_sites(&Method::PUT, &two));
    }
}
