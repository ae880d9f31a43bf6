//! Names of repositories that a gateway took apart.
//!
//! A repository is one segment of the path, its slashes escaped. Gateways pass on paths decoded (API Gateway's own, `sam
//! local`), and the slashes are back then. What cannot be known any more: `team/grants` is the list of grants of
//! `team` then, and not a repository of that name.

use http::{Request, Uri};

use crate::PREFIX;

/// Returns the request with the repository's name in one segment.
pub(crate) fn restored<B>(mut request: Request<B>) -> Request<B> {
    if let Some(uri) = restored_uri(request.uri()) {
        *request.uri_mut() = uri;
    }
    request
}

fn restored_uri(uri: &Uri) -> Option<Uri> {
    let path = restored_path(uri.path())?;
    let path_and_query = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(path_and_query.parse().ok()?);
    Uri::from_parts(parts).ok()
}

fn restored_path(path: &str) -> Option<String> {
    let before = format!("{PREFIX}/repositories/");
    let segments: Vec<&str> = path.strip_prefix(&before)?.split('/').collect();
    let behind = match segments.as_slice() {
        [_] | [_, "grants" | "history" | "manifests"] | [_, "grants", _] | [_, "tags", _, "restore"] => {
            return None;
        }
        [.., "grants", _] => 2,
        [.., "tags", _, "restore"] => 3,
        [.., "grants" | "history" | "manifests"] => 1,
        _ => 0,
    };
    let (name, rest) = segments.split_at(segments.len() - behind);
    if name.contains(&"") {
        return None;
    }
    let whole = [name.join("%2F")].into_iter().chain(rest.iter().map(|&segment| segment.to_owned()));
    Some(before + &whole.collect::<Vec<_>>().join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restored(rest: &str) -> String {
        let path = format!("/api/v1/repositories{rest}?limit=3");
        let request = Request::builder().uri(path).body(()).unwrap();
        let uri = super::restored(request).uri().to_string();
        uri.strip_prefix("/api/v1/repositories").unwrap().strip_suffix("?limit=3").unwrap().to_owned()
    }

    #[test]
    fn a_decoded_name_is_one_segment_again() {
        for (decoded, whole) in [
            ("/team/app", "/team%2Fapp"),
            ("/team/a/b", "/team%2Fa%2Fb"),
            ("/team/app/grants", "/team%2Fapp/grants"),
            ("/team/app/grants/user:alice", "/team%2Fapp/grants/user:alice"),
            ("/team/app/history", "/team%2Fapp/history"),
            ("/team/app/manifests", "/team%2Fapp/manifests"),
            ("/team/app/tags/v1/restore", "/team%2Fapp/tags/v1/restore"),
        ] {
            assert_eq!(restored(decoded), whole);
        }
    }

    #[test]
    fn what_is_whole_stays() {
        for whole in [
            "",
            "/",
            "/app",
            "/app/",
            "//app",
            "/team%2Fapp",
            "/team%2Fgrants",
            "/app/grants",
            "/app/history",
            "/app/manifests",
        ] {
            assert_eq!(restored(whole), whole);
        }
        for whole in ["/app/grants/user:alice", "/team%2Fapp/grants/team:devs", "/app/grants/nonsense"] {
            assert_eq!(restored(whole), whole);
        }
    }
}
