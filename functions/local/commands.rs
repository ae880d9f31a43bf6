//! What each command does.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::CommandFactory;
use http::{Method, header};
use oci::{Reference, RepositoryName};
use registry::jobs::fsck::{Report, Severity, fsck};
use serde_json::Value;
use tracing_subscriber::EnvFilter;

use crate::cli::{Arguments, Command, KeyCommand, RepoCommand, TagCommand};
use crate::connection::Connection;
use crate::keys::Keys;
use crate::serve::serve;
use crate::settings::Settings;
use crate::smoke::smoke;
use crate::storage::Storage;

/// Runs the command of the arguments.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let (command, serve_options) = match arguments.command {
        Some(Command::Serve(options)) => (None, options),
        command => (command, arguments.serve),
    };
    let settings = Settings::new(arguments.options, &serve_options, |name| std::env::var(name).ok())?;
    let filter = EnvFilter::try_new(&settings.log).with_context(|| format!("--log {:?}", settings.log))?;
    let is_terminal = std::io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(is_terminal)
        .with_writer(std::io::stderr)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            None | Some(Command::Serve(_)) => serve(&settings).await?,
            Some(Command::Fsck { deep, json }) => return check(&settings, deep, json).await,
            Some(Command::Smoke(options)) => return smoke(options).await,
            Some(Command::Key(KeyCommand::Rotate)) => Keys::rotate(&settings.data)?,
            Some(Command::Completions { shell }) => {
                clap_complete::generate(shell, &mut Arguments::command(), "slipway", &mut std::io::stdout());
            }
            Some(Command::Repo(RepoCommand::Ls)) => list(&settings, "/v2/_catalog", "repositories").await?,
            Some(Command::Tag(TagCommand::Ls { name })) => {
                let name: RepositoryName = name.parse()?;
                list(&settings, &format!("/v2/{name}/tags/list"), "tags").await?;
            }
            Some(Command::Inspect { image, raw }) => inspect(&settings, &image, raw).await?,
            Some(Command::Rm { images }) => remove(&settings, &images).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

async fn check(settings: &Settings, is_deep: bool, is_json: bool) -> Result<ExitCode> {
    let storage = Storage::open_existing(&settings.data).context("fsck needs the registry stopped")?;
    let report = fsck(&*storage.items, &*storage.objects, is_deep).await?;
    if is_json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print_report(&report);
    }
    Ok(if report.is_broken() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_report(report: &Report) {
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Broken => "BROKEN ",
            Severity::Garbage => "garbage",
        };
        println!("{severity}  {}: {}", finding.what, finding.problem);
    }
    let items: u64 = report.counts.values().sum();
    let broken = report.findings.iter().filter(|finding| finding.severity == Severity::Broken).count();
    println!(
        "{items} items, {} objects with {} bytes, {} of them hashed: {broken} broken, {} garbage",
        report.objects,
        report.object_bytes,
        report.hashed_objects,
        report.findings.len() - broken
    );
}

/// Prints all pages of a list, one entry a line.
async fn list(settings: &Settings, path: &str, field: &str) -> Result<()> {
    let connection = Connection::open(&settings.data).await?;
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let response = connection.ask(Method::GET, &path).await?;
        let page: Value = serde_json::from_slice(response.body())?;
        for entry in page[field].as_array().into_iter().flatten() {
            println!("{}", entry.as_str().unwrap_or_default());
        }
        let link = response.headers().get(header::LINK).and_then(|link| link.to_str().ok());
        next = link.and_then(|link| Some(link.strip_prefix('<')?.split_once('>')?.0.to_owned()));
    }
    Ok(())
}

async fn inspect(settings: &Settings, image: &str, is_raw: bool) -> Result<()> {
    let path = manifest_path(image)?;
    let response = Connection::open(&settings.data).await?.ask(Method::GET, &path).await?;
    if is_raw {
        return Ok(std::io::stdout().write_all(response.body())?);
    }
    let text =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    println!("Digest:     {}", text("docker-content-digest"));
    println!("Media type: {}", text("content-type"));
    println!("Size:       {}", response.body().len());
    let manifest: Value = serde_json::from_slice(response.body())?;
    println!("{}", serde_json::to_string_pretty(&manifest)?);
    Ok(())
}

async fn remove(settings: &Settings, images: &[String]) -> Result<()> {
    let paths = images.iter().map(|image| manifest_path(image)).collect::<Result<Vec<_>>>()?;
    let connection = Connection::open(&settings.data).await?;
    for (image, path) in images.iter().zip(paths) {
        connection.ask(Method::DELETE, &path).await.with_context(|| image.clone())?;
        println!("deleted {image}");
    }
    Ok(())
}

/// `NAME:TAG` or `NAME@DIGEST` as the path of its manifest; without either the tag is `latest`.
fn manifest_path(image: &str) -> Result<String> {
    let last_part = image.rfind('/').map_or(0, |slash| slash + 1);
    let (name, reference) = match image.split_once('@') {
        Some(parts) => parts,
        None => match image[last_part..].split_once(':') {
            Some((name, tag)) => (&image[..last_part + name.len()], tag),
            None => (image, "latest"),
        },
    };
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
}
