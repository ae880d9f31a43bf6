//! Commands about what is in repositories: tags and manifests.

use anyhow::{Context, Result, bail, ensure};
use http::{Method, Uri, header};
use oci::{Reference, RepositoryName, Tag};
use serde_json::Value;

use crate::api::print_json;
use crate::connection::Connection;
use crate::output::{print, print_line, printable};

/// Prints the tags of a repository, one a line.
pub(crate) async fn tags(connection: &Connection, name: &RepositoryName, is_json: bool) -> Result<()> {
    let mut tags: Vec<Value> = Vec::new();
    let mut next = Some(format!("/v2/{name}/tags/list"));
    while let Some(path) = next {
        let response = connection.ask(Method::GET, &path).await?;
        let mut page: Value = serde_json::from_slice(response.body())?;
        if let Value::Array(some) = page["tags"].take() {
            tags.extend(some);
        }
        let link = response.headers().get(header::LINK).and_then(|link| link.to_str().ok());
        next = link.and_then(next_path);
    }
    if is_json {
        return print_json(&tags.into());
    }
    let names = tags.iter().filter_map(Value::as_str);
    print(names.map(|tag| format!("{}\n", printable(tag))).collect::<String>())
}

/// The path of `<…>; rel="next"`, whoever it says is to be asked.
pub(crate) fn next_path(link: &str) -> Option<String> {
    let target: Uri = link.strip_prefix('<')?.split_once('>')?.0.parse().ok()?;
    target.path_and_query().map(ToString::to_string)
}

/// Prints a manifest.
pub(crate) async fn inspect(connection: &Connection, image: &str, is_raw: bool) -> Result<()> {
    let response = connection.ask(Method::GET, &manifest_path(image)?).await?;
    if is_raw {
        return print(response.body());
    }
    let text =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let manifest: Value = serde_json::from_slice(response.body())?;
    let head = [
        format!("Digest:     {}", text("docker-content-digest")),
        format!("Media type: {}", text("content-type")),
        format!("Size:       {}", response.body().len()),
    ];
    print_line(&format!("{}\n{}", head.join("\n"), serde_json::to_string_pretty(&manifest)?))
}

/// Deletes tags and manifests.
pub(crate) async fn remove(connection: &Connection, images: &[String]) -> Result<()> {
    let path = |image: &String| match image.contains('@') || name_and_tag(image).1.is_some() {
        true => manifest_path(image),
        false => bail!(
            "what of {image} is to go? Say {image}:TAG or {image}@DIGEST; `slipway repo rm {image}` deletes all of it"
        ),
    };
    let paths = images.iter().map(path).collect::<Result<Vec<_>>>()?;
    for (image, path) in images.iter().zip(paths) {
        connection.ask(Method::DELETE, &path).await.with_context(|| image.clone())?;
        print_line(&format!("deleted {image}"))?;
    }
    Ok(())
}

/// Deletes tags of one repository: that of `NAME:TAG`, and others.
pub(crate) async fn remove_tags(connection: &Connection, image: &str, others: &[Tag]) -> Result<()> {
    let (name, tag) = name_and_tag(image);
    let name: RepositoryName = name.parse()?;
    let tag: Option<Tag> = tag.map(str::parse).transpose()?;
    let images: Vec<String> = tag.iter().chain(others).map(|tag| format!("{name}:{tag}")).collect();
    ensure!(!images.is_empty(), "which tags of {name}? For example: slipway tag rm {name}:1.0");
    remove(connection, &images).await
}

/// Takes `NAME:TAG` apart, if there is a tag.
pub(crate) fn name_and_tag(image: &str) -> (&str, Option<&str>) {
    let last_part = image.rfind('/').map_or(0, |slash| slash + 1);
    match image[last_part..].split_once(':') {
        Some((name, tag)) => (&image[..last_part + name.len()], Some(tag)),
        None => (image, None),
    }
}

/// `NAME:TAG` or `NAME@DIGEST` as the path of its manifest; without either the tag is `latest`.
fn manifest_path(image: &str) -> Result<String> {
    let (name, reference) = image.split_once('@').unwrap_or_else(|| {
        let (name, tag) = name_and_tag(image);
        (name, tag.unwrap_or("latest"))
    });
    let name: RepositoryName = name.parse()?;
    let reference: Reference = reference.parse()?;
    Ok(format!("/v2/{name}/manifests/{reference}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_named_as_docker_names_them() {
        assert_eq!(manifest_path("team/app:1.0").unwrap(), "/v2/team/app/manifests/1.0");
        assert_eq!(manifest_path("app").unwrap(), "/v2/app/manifests/latest");
        let digest = format!("sha256:{}", "a".repeat(64));
        assert_eq!(manifest_path(&format!("app@{digest}")).unwrap(), format!("/v2/app/manifests/{digest}"));
        assert!(manifest_path("App:1").is_err());
        assert!(manifest_path("app:").is_err());
    }

    #[test]
    fn the_next_page_is_asked_for_where_the_first_was() {
        let path = "/v2/a/tags/list?n=1&last=x";
        assert_eq!(next_path(&format!("<{path}>; rel=\"next\"")).as_deref(), Some(path));
        assert_eq!(next_path(&format!("<https://evil.example{path}>; rel=\"next\"")).as_deref(), Some(path));
        assert_eq!(next_path("none"), None);
    }
}
