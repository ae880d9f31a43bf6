//! Requests to a registry elsewhere whose bodies are too long for memory.

use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use http::{HeaderValue, Method, Response, Uri, header};
use registry::http::Body;

use super::{Remote, basic};
use crate::client::ask::Ask;
use crate::client::endpoint::is_on_this_machine;
use crate::credentials::Credential;
use crate::transfer::Order;

/// How often an answer may lead elsewhere.
const REDIRECTS_MAX: usize = 5;

/// A connection that is slower takes too long.
const SLOWEST_BYTES_PER_SECOND: u64 = 64 * 1024;

impl Remote {
    /// Sends a request, as the user, whose bodies are streams; where an answer to a GET leads elsewhere, it goes there.
    ///
    /// Whoever is elsewhere gets no credentials.
    pub(crate) async fn order(&self, order: Order) -> Result<Response<Body>> {
        let mut url = self.resolve(&order.target)?;
        for _ in 0..REDIRECTS_MAX {
            let response = match self.is_own(&url) {
                true => self.order_as_user(&order, &url).await?,
                false => self.client.open(ask(&order, &url, None)).await?,
            };
            let location =
                response.headers().get(header::LOCATION).filter(|_| response.status().is_redirection());
            match location.filter(|_| matches!(order.method, Method::GET | Method::HEAD)) {
                Some(location) => url = self.resolve(location.to_str()?)?,
                None => return Ok(response),
            }
        }
        bail!("{} leads in circles", order.target)
    }

    async fn order_as_user(&self, order: &Order, url: &Uri) -> Result<Response<Body>> {
        let identity = match &self.credential {
            None => return self.client.open(ask(order, url, None)).await,
            Some(Credential::Password { user, secret }) => {
                return self.client.open(ask(order, url, Some(basic(user, secret)?))).await;
            }
            Some(Credential::Identity { token, .. }) => token,
        };
        if !url.path().starts_with("/v2/") {
            let bearer = self.bearer.get_or_try_init(|| self.management_bearer(identity)).await?;
            return self.client.open(ask(order, url, bearer.clone())).await;
        }
        let right = right_of(&order.method, url);
        let known = self.bearers.lock().await.get(&right).cloned();
        let first = self.client.open(ask(order, url, known)).await?;
        match self.bearer_for(&first, source_of(url), identity).await? {
            Some(bearer) => {
                self.bearers.lock().await.insert(right, bearer.clone());
                self.client.open(ask(order, url, Some(bearer))).await
            }
            None => Ok(first),
        }
    }

    fn is_own(&self, url: &Uri) -> bool {
        url.scheme() == self.address.scheme() && url.authority() == self.address.authority()
    }

    /// Makes a URL of what a Location says; one in clear is for this machine alone.
    fn resolve(&self, target: &str) -> Result<Uri> {
        if target.starts_with('/') {
            return Ok(Uri::builder()
                .scheme(self.address.scheme_str().unwrap_or_default())
                .authority(self.address.authority().context("an address without a host")?.as_str())
                .path_and_query(target)
                .build()?);
        }
        let url: Uri = target.parse().context("a Location")?;
        let is_safe = url.scheme_str() == Some("https") || is_on_this_machine(&url) || self.is_own(&url);
        ensure!(is_safe, "{} is without TLS", url.authority().map_or("it", |authority| authority.as_str()));
        Ok(url)
    }
}

fn ask(order: &Order, url: &Uri, authorization: Option<HeaderValue>) -> Ask {
    let mut ask = Ask::new(order.method.clone(), url.clone()).payload(order.payload.clone());
    ask.headers = order.headers.clone();
    ask.headers.extend(authorization.map(|value| (header::AUTHORIZATION, value)));
    let size_bytes = order.payload.length_bytes().unwrap_or_default();
    ask.timeout += Duration::from_secs(size_bytes / SLOWEST_BYTES_PER_SECOND);
    ask
}

/// Returns what a mount takes from another repository, as a scope: registries ask for that of the target alone.
fn source_of(url: &Uri) -> Option<String> {
    let query = url.query().filter(|query| query.contains("mount="))?;
    let (_, from) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "from")?;
    Some(format!("repository:{from}:pull"))
}

/// Requests that the same token is good for. A mount asks for two repositories, and for a token of its own.
fn right_of(method: &Method, url: &Uri) -> String {
    const PARTS: [&str; 4] = ["/blobs/", "/manifests/", "/tags/", "/referrers/"];
    let path = url.path();
    let end = PARTS.iter().filter_map(|part| path.rfind(part)).min().unwrap_or(path.len());
    let kind = if matches!(*method, Method::GET | Method::HEAD) { "pull" } else { "push" };
    let mount = url.query().filter(|query| query.contains("mount=")).unwrap_or_default();
    format!("{kind} {} {mount}", &path[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_for_what_it_was_fetched_for() {
        let right = |method: Method, path: &'static str| right_of(&method, &Uri::from_static(path));
        let pull = right(Method::GET, "http://r/v2/team/app/blobs/sha256:1");
        assert_eq!(pull, right(Method::HEAD, "http://r/v2/team/app/manifests/1"));
        assert_eq!(pull, right(Method::GET, "http://r/v2/team/app/tags/list?n=1"));
        assert_ne!(pull, right(Method::GET, "http://r/v2/team/web/blobs/sha256:1"));
        let push = right(Method::PUT, "http://r/v2/team/app/blobs/uploads/1?digest=sha256:1");
        assert_ne!(pull, push);
        assert_ne!(push, right(Method::POST, "http://r/v2/team/app/blobs/uploads/?mount=sha256:1&from=web"));
    }

    #[test]
    fn a_mount_asks_for_its_source_too() {
        let source = |path: &'static str| source_of(&Uri::from_static(path));
        let mount = source("http://r/v2/team/app/blobs/uploads/?mount=sha256:1&from=team%2Fweb");
        assert_eq!(mount.as_deref(), Some("repository:team/web:pull"));
        assert_eq!(source("http://r/v2/team/app/blobs/uploads/"), None);
        assert_eq!(source("http://r/v2/team/app/blobs/uploads/1?digest=sha256:1"), None);
    }

    #[test]
    fn a_location_in_clear_is_for_this_machine_alone() {
        let remote = Remote::with(Uri::from_static("https://r.example"), None).unwrap();
        assert_eq!(remote.resolve("/v2/?a=b").unwrap().to_string(), "https://r.example/v2/?a=b");
        assert!(remote.resolve("https://bucket.example/data/1?signature").is_ok());
        assert!(remote.resolve("http://127.0.0.1:9/data").is_ok());
        assert!(remote.resolve("http://bucket.example/data/1").is_err());
        assert!(!remote.is_own(&Uri::from_static("https://bucket.example/")));
        assert!(remote.is_own(&Uri::from_static("https://r.example/v2/")));
    }
}
