//! The URL that a registry gives for an upload.

use std::fmt;

use anyhow::{Context, Result, bail};
use http::Uri;
use oci::Digest;

/// Who takes the bytes of a large layer, as far as its Location tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// The registry itself.
    Inline,
    /// S3, by the signature in the query.
    Presigned,
    /// S3, by a capability in the query that the edge checks.
    Capability,
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inline => "no direct uploads",
            Self::Presigned => "direct uploads by S3's signature",
            Self::Capability => "direct uploads by a capability",
        })
    }
}

/// A Location as it was given, and where it leads.
#[derive(Debug, Clone)]
pub(crate) struct Location {
    pub(crate) text: String,
    pub(crate) url: Uri,
}

impl Location {
    /// Resolves what stood in an answer of `base`.
    pub(crate) fn new(base: &Uri, text: &str) -> Result<Self> {
        let whole = if text.starts_with('/') && !text.starts_with("//") {
            let (scheme, authority) = (base.scheme_str(), base.authority());
            format!("{}://{}{text}", scheme.unwrap_or("https"), authority.context("no host")?)
        } else {
            text.to_owned()
        };
        let url: Uri = whole.parse().with_context(|| format!("the Location {text:?} is no URL"))?;
        if url.scheme().is_none() || url.host().is_none() {
            bail!("the Location {text:?} is neither a path nor a whole URL");
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// Returns which lane it offers.
    pub(crate) fn lane(&self) -> Lane {
        let has = |name: &str| self.parameters().any(|parameter| parameter.starts_with(name));
        match () {
            () if has("X-Amz-Signature=") => Lane::Presigned,
            () if has("cap=") => Lane::Capability,
            () => Lane::Inline,
        }
    }

    /// Returns whether it leads to another host.
    pub(crate) fn is_absolute(&self) -> bool {
        !self.text.starts_with('/')
    }

    /// Returns the URL with a digest in its query, as clients commit; the colon as it is.
    pub(crate) fn with_digest(&self, digest: &Digest) -> Result<Uri> {
        self.with_parameter(&format!("digest={digest}"))
    }

    /// Returns the URL with one more parameter.
    pub(crate) fn with_parameter(&self, parameter: &str) -> Result<Uri> {
        let separator = if self.url.query().is_some() { '&' } else { '?' };
        Ok(format!("{}{separator}{parameter}", self.url).parse()?)
    }

    /// Returns this path with the query of another location.
    pub(crate) fn with_query_of(&self, other: &Self) -> Result<Self> {
        let query = other.url.query().unwrap_or_default();
        let text = format!("{}?{query}", self.url.to_string().split('?').next().unwrap_or_default());
        Self::new(&self.url, &text)
    }

    /// Returns it with another first character in the value of a parameter; `None` if it has no such parameter.
    pub(crate) fn with_altered(&self, name: &str) -> Option<Result<Self>> {
        let prefix = format!("{name}=");
        let old = self.parameters().find(|parameter| parameter.starts_with(&prefix))?.to_owned();
        let value = &old[prefix.len()..];
        let first = if value.starts_with('1') { '2' } else { '1' };
        let new = format!("{prefix}{first}{}", value.get(1..).unwrap_or_default());
        Some(Self::new(&self.url, &self.url.to_string().replace(&old, &new)))
    }

    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.url.query().unwrap_or_default().split('&')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(text: &str) -> Location {
        Location::new(&"https://registry.example".parse().unwrap(), text).unwrap()
    }

    #[test]
    fn a_path_stays_on_the_host_and_a_whole_url_leads_away() {
        assert_eq!(location("/v2/a").url.to_string(), "https://registry.example/v2/a");
        assert_eq!(location("http://other:1/v2/a").url.to_string(), "http://other:1/v2/a");
        let base = "https://registry.example".parse().unwrap();
        for bad in ["v2/a", "", "//other/v2/a"] {
            assert!(Location::new(&base, bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_query_tells_the_lane() {
        assert_eq!(location("/u/1?X-Amz-Date=2&X-Amz-Signature=ab").lane(), Lane::Presigned);
        assert_eq!(location("/u/1?exp=1&cap=ab").lane(), Lane::Capability);
        assert_eq!(location("/u/1?state=cap").lane(), Lane::Inline);
        assert_eq!(location("/u/1").lane(), Lane::Inline);
    }

    #[test]
    fn one_character_is_altered_and_everything_else_stays() {
        let given = location("/u/1?exp=1700&cap=ab");
        assert_eq!(given.with_altered("exp").unwrap().unwrap().url.query(), Some("exp=2700&cap=ab"));
        assert_eq!(given.with_altered("cap").unwrap().unwrap().url.query(), Some("exp=1700&cap=1b"));
        assert!(given.with_altered("X-Amz-Signature").is_none());
        let moved = location("/u/2?x=1").with_query_of(&given).unwrap();
        assert_eq!(moved.url.to_string(), "https://registry.example/u/2?exp=1700&cap=ab");
    }
}
