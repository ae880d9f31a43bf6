//! What clients do to a registry: pushes in both styles, tags, walks.

use std::time::{Duration, Instant};

use slipway_bench::Result;

use crate::client::{Answer, Client};
use crate::content::{Document, Layer};

/// How a layer travels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// POST, one chunked PATCH, an empty PUT: Docker, skopeo, podman.
    Patch,
    /// POST, one PUT: containerd.
    Put,
}

impl Style {
    /// Both: never compared with each other.
    pub(crate) const BOTH: [Self; 2] = [Self::Patch, Self::Put];

    /// Returns the name in figures.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Patch => "patch",
            Self::Put => "put",
        }
    }
}

/// Pushes a layer that the registry lacks and returns how long the last request took.
pub(crate) fn push_layer(
    client: &mut Client,
    repository: &str,
    layer: &Layer,
    style: Style,
) -> Result<Duration> {
    let blob = format!("/v2/{repository}/blobs/{}", layer.digest);
    client.call("HEAD", &blob, "", b"")?.expect(404)?;
    let mut location = begin_upload(client, repository)?;
    if style == Style::Patch {
        location = client.send_chunked("PATCH", &location, layer)?.expect(202)?.location()?;
    }
    let commit = with_digest(&location, &layer.digest);
    let begin = Instant::now();
    let answer = match style {
        Style::Patch => client.call("PUT", &commit, "", b"")?,
        Style::Put => client.send_whole("PUT", &commit, layer)?,
    };
    answer.expect(201)?;
    Ok(begin.elapsed())
}

/// Pushes a small blob.
pub(crate) fn push_document(client: &mut Client, repository: &str, document: &Document) -> Result<()> {
    let location = with_digest(&begin_upload(client, repository)?, &document.digest);
    let headers = "Content-Type: application/octet-stream\r\n";
    client.call("PUT", &location, headers, &document.bytes)?.expect(201)?;
    Ok(())
}

/// Puts a manifest or an index under a tag.
pub(crate) fn put_manifest(
    client: &mut Client,
    repository: &str,
    tag: &str,
    document: &Document,
    media_type: &str,
) -> Result<()> {
    let path = format!("/v2/{repository}/manifests/{tag}");
    client.call("PUT", &path, &format!("Content-Type: {media_type}\r\n"), &document.bytes)?.expect(201)?;
    Ok(())
}

/// Mounts a blob from one repository into another.
pub(crate) fn mount(client: &mut Client, digest: &str, from: &str, to: &str) -> Result<()> {
    let path = format!("/v2/{to}/blobs/uploads/?mount={digest}&from={from}");
    client.call("POST", &path, "", b"")?.expect(201)?;
    Ok(())
}

/// Follows the pages of a list from `path` on and returns how many names of `field` they held.
pub(crate) fn walk(client: &mut Client, path: &str, field: &str) -> Result<usize> {
    let mut names = 0;
    let mut next = Some(path.to_owned());
    while let Some(page) = next {
        let answer = client.call("GET", &page, "", b"")?.expect(200)?;
        let list: serde_json::Value = serde_json::from_slice(&answer.body)?;
        names += list[field].as_array().map_or(0, Vec::len);
        next = next_page(&answer);
    }
    Ok(names)
}

fn next_page(answer: &Answer) -> Option<String> {
    let link = answer.header("Link")?;
    Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned())
}

fn begin_upload(client: &mut Client, repository: &str) -> Result<String> {
    client.call("POST", &format!("/v2/{repository}/blobs/uploads/"), "", b"")?.expect(202)?.location()
}

fn with_digest(location: &str, digest: &str) -> String {
    let separator = if location.contains('?') { '&' } else { '?' };
    format!("{location}{separator}digest={digest}")
}
