//! How a request came in: through the edge, through a proxy, or to the registry itself.

use std::sync::Arc;

use http::uri::{Authority, Uri};
use http::{HeaderMap, HeaderValue, Method, header};

use super::host::is_host;

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
        let host = self.hosts(headers).find(|host| is_host(host));
        let host = host.and_then(|host| str::from_utf8(host).ok()).unwrap_or("localhost");
        let is_tls = self.is_tls || self.told(headers, "x-forwarded-proto") == Some(b"https");
        format!("{}://{host}", if is_tls { "https" } else { "http" })
    }

    /// Returns whether all that says which host was asked says a host, or nothing.
    pub fn names_hosts(&self, headers: &HeaderMap) -> bool {
        self.hosts(headers).all(is_host)
    }

    /// Returns the hosts that the request is said to be for, the one that counts first.
    fn hosts<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = &'a [u8]> {
        let told = [VIEWER_HOST, "x-forwarded-host"].map(|name| self.told(headers, name));
        let asked = headers.get(header::HOST).map(|host| host.as_bytes());
        told.into_iter().chain([asked]).flatten().filter(|host| !host.is_empty())
    }

    /// Returns what the proxy itself says: it appends, and everything before that was said by somebody else.
    fn told<'a>(&self, headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
        let last = headers.get_all(name).iter().next_back().filter(|_| self.is_behind_proxy)?;
        words(last.as_bytes()).last()
    }

    /// Returns whether a page of another site has a browser change something here.
    ///
    /// A browser shows the credentials that it keeps to whatever page makes it ask, and says whose page that is: of what it
    /// knows to be safe in `Sec-Fetch-Site`, and of everything in `Origin`. Nobody else sends either.
    pub fn crosses_sites(&self, method: &Method, headers: &HeaderMap) -> bool {
        let mut sites = headers.get_all("sec-fetch-site").iter().flat_map(|value| words(value.as_bytes()));
        let is_foreign =
            || headers.get_all(header::ORIGIN).iter().any(|origin| !self.is_own(origin, headers));
        !method.is_safe() && (sites.any(|site| matches!(site, b"cross-site" | b"same-site")) || is_foreign())
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

/// Headers that are sent twice come as one line, too, their words between commas.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
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
        let unsaid = [("host", "10.0.0.1:5000"), ("x-forwarded-host", "")];
        assert_eq!(trusting.origin(&headers(&unsaid)), "http://10.0.0.1:5000");
        assert_eq!(trusting.origin(&HeaderMap::new()), "http://localhost");
        let known = trusting.at(Some("https://known.example/".to_owned()));
        assert_eq!(known.origin(&headers(&seen)), "https://known.example");
    }

    #[test]
    fn of_several_words_the_last_is_the_proxys_own() {
        let trusting = Entry::default().behind_proxy(true);
        for told in [&["forged.example, registry.example"][..], &["forged.example", "registry.example"]] {
            let mut fields = headers(&[("host", "10.0.0.1:5000"), ("x-forwarded-proto", "http,https")]);
            for host in told {
                fields.append("x-forwarded-host", host.parse().unwrap());
            }
            assert_eq!(trusting.origin(&fields), "https://registry.example", "{told:?}");
        }
    }

    #[test]
    fn whatever_names_the_host_names_a_host_or_none() {
        let (plain, trusting) = (Entry::default(), Entry::default().behind_proxy(true));
        for host in ["a.example:5000", "[::1]", ""] {
            for name in ["host", "x-forwarded-host", "x-viewer-host"] {
                assert!(trusting.names_hosts(&headers(&[(name, host)])), "{name}: {host}");
            }
        }
        for nonsense in ["user@a.example", "evil@localhost", "a b", "a:b"] {
            assert!(!plain.names_hosts(&headers(&[("host", nonsense)])), "{nonsense}");
            for name in ["x-forwarded-host", "x-viewer-host"] {
                let fields = headers(&[("host", "a.example"), (name, nonsense)]);
                assert!(!trusting.names_hosts(&fields), "{name}: {nonsense}");
                assert!(plain.names_hosts(&fields), "nobody is believed {name}");
            }
        }
    }

    #[test]
    fn one_word_of_another_site_is_enough() {
        for told in [&["same-origin", "cross-site"][..], &["cross-site", "none"], &["none, same-site"]] {
            let mut fields = headers(&[("host", "a.example")]);
            for site in told {
                fields.append("sec-fetch-site", site.parse().unwrap());
            }
            assert!(Entry::default().crosses_sites(&Method::POST, &fields), "{told:?}");
        }
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
