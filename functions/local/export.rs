//! `slipway export`: repositories as OCI image layouts.

mod earlier;
mod node;
mod settings;
mod whole;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use futures_util::StreamExt;
use oci::{Digest, RepositoryName};
use serde_json::{Value, json};

use crate::account::RegistryOption;
use crate::api::segment;
use crate::connection::Connection;
use crate::copying::{AT_ONCE, Tally};
use crate::distribution::{Distribution, Served};
use crate::layout::{Layout, REF_NAME};
use crate::patience::is_broken_off;
use node::Node;
use settings::{keep_roles, settings};
use whole::whole;

/// The layout's specification lets an index list them, but skopeo looks a tag up only among OCI's.
const DOCKERS_READERS: &str = "`slipway import` reads them, skopeo does not find them by their tag";

/// What `export` understands.
#[derive(Debug, Args)]
pub(crate) struct ExportOptions {
    #[command(flatten)]
    pub(crate) registry: RegistryOption,
    /// The repositories [default: all that you may pull from]
    #[arg(value_name = "REPOSITORY")]
    repositories: Vec<RepositoryName>,
    /// Folder for the layouts; one that holds some is brought up to date
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
}

/// A repository on its way to its layout.
struct Export<'a> {
    source: &'a Distribution,
    name: &'a RepositoryName,
    layout: &'a Layout,
    /// Layouts of repositories that were exported before, which may have the same blobs.
    others: &'a [Layout],
    tally: &'a Tally,
    nodes: BTreeMap<Digest, Node>,
    /// What could not be had.
    missing: HashSet<Digest>,
    /// Blobs that were looked for: what of them is not missing is there.
    sought: HashSet<Digest>,
    /// Whether what no tag leads to may have been overlooked.
    is_uncertain: bool,
}

impl ExportOptions {
    /// Exports; fails if something could not be had.
    pub(crate) async fn run(&self, connection: Connection) -> Result<ExitCode> {
        let source = Distribution::new(connection).await?;
        let names = match self.repositories.is_empty() {
            true => source.repositories().await?,
            false => self.repositories.clone(),
        };
        std::fs::create_dir_all(&self.to).with_context(|| self.to.display().to_string())?;
        let (tally, mut layouts) = (Tally::new("exported"), Vec::new());
        for name in &names {
            match repository(&source, name, &self.to, &layouts, &tally).await {
                Ok(layout) => layouts.push(layout),
                Err(error) => tally.failed(name, "the repository", &error),
            }
        }
        tally.finish()
    }
}

async fn repository(
    source: &Distribution,
    name: &RepositoryName,
    to: &std::path::Path,
    others: &[Layout],
    tally: &Tally,
) -> Result<Layout> {
    let listed = source.tags(name).await?;
    let settings = settings(source, name).await?;
    let (layout, _turn) = Layout::make(to, name)?;
    if let Some(mut settings) = settings {
        if keep_roles(&mut settings, &layout) {
            tally.remark(name, "the roles are kept from the export before: you may not read them");
        }
        layout.set_settings(&settings)?;
    }
    let mut export = Export::new(source, name, &layout, others, tally);
    let mut tags = export.walk(&listed).await?;
    export.blobs().await;
    export.keep_earlier(&listed, &mut tags).await;
    layout.set_index(&export.index(&tags))?;
    tally.done(name, tags.len(), export.nodes.len());
    let dockers = tags.values().filter(|digest| export.is_dockers(digest)).count();
    if dockers > 0 {
        tally.remark(name, &format!("{dockers} tags are images in docker's own format: {DOCKERS_READERS}"));
    }
    Ok(layout)
}

impl<'a> Export<'a> {
    fn new(
        source: &'a Distribution,
        name: &'a RepositoryName,
        layout: &'a Layout,
        others: &'a [Layout],
        tally: &'a Tally,
    ) -> Self {
        let (nodes, missing, sought) = (BTreeMap::new(), HashSet::new(), HashSet::new());
        Self { source, name, layout, others, tally, nodes, missing, sought, is_uncertain: false }
    }

    /// Fetches every manifest that can be found, and returns where the tags lead.
    async fn walk(&mut self, tags: &[String]) -> Result<BTreeMap<String, Digest>> {
        let (mut roots, mut found) = (BTreeMap::new(), BTreeSet::new());
        for tag in tags {
            match self.source.digest_of(self.name, tag).await {
                Ok(Some(digest)) => {
                    found.insert(digest.clone());
                    roots.insert(tag.clone(), digest);
                }
                Ok(None) => self.failed(tag, &anyhow::anyhow!("it leads nowhere")),
                Err(error) => self.failed(tag, &error),
            }
        }
        let listed = self.listed().await?;
        let lists_all = listed.is_some();
        found.extend(listed.unwrap_or_default());
        while let Some(digest) = found.pop_first() {
            if self.nodes.contains_key(&digest) || self.missing.contains(&digest) {
                continue;
            }
            match self.manifest(&digest).await {
                Ok(more) => found.extend(more),
                Err(error) => {
                    self.failed(digest.as_str(), &error);
                    self.missing.insert(digest);
                }
            }
        }
        self.is_uncertain &= !lists_all;
        Ok(roots)
    }

    /// Returns the manifests if a registry lists them by themselves: also those that no tag leads to.
    async fn listed(&self) -> Result<Option<Vec<Digest>>> {
        if !self.source.has_management {
            return Ok(None);
        }
        let path = format!("/repositories/{}/manifests", segment(self.name.as_str()));
        let listed = self.source.managed_list(&path).await?;
        let digest = |item: &Value| item["digest"].as_str()?.parse().ok();
        Ok(listed.map(|items| items.iter().filter_map(digest).collect()))
    }

    /// Takes over one manifest; returns others that it leads to.
    async fn manifest(&mut self, digest: &Digest) -> Result<Vec<Digest>> {
        let kept = self.layout.verified(digest).await?.map(|_| self.layout.read(digest)).transpose()?;
        let served = match kept {
            Some(bytes) => Served { media_type: String::new(), bytes },
            None => self.fetch(digest).await?,
        };
        let node = Node::read(digest, &served)?;
        let mut more = self.referrers(digest).await;
        more.extend(node.children.iter().cloned());
        self.nodes.insert(digest.clone(), node);
        Ok(more)
    }

    /// A manifest is worth having without what refers to it.
    async fn referrers(&mut self, digest: &Digest) -> Vec<Digest> {
        let referrers = self.source.referrers(self.name, digest).await;
        referrers.context("what refers to it").unwrap_or_else(|error| {
            self.failed(digest.as_str(), &error);
            Vec::new()
        })
    }

    /// Something could not be had, and perhaps what it leads to.
    fn failed(&mut self, what: &str, error: &anyhow::Error) {
        self.tally.failed(self.name, what, error);
        self.is_uncertain = true;
    }

    async fn fetch(&self, digest: &Digest) -> Result<Served> {
        let served = self.source.manifest(self.name, digest.as_str()).await?;
        let actual = Digest::of(digest.algorithm(), &served.bytes);
        anyhow::ensure!(actual == *digest, "what came has digest {actual}");
        self.layout.write(digest, &served.bytes)?;
        Ok(served)
    }

    /// Fetches every blob that is not there yet, several at once.
    async fn blobs(&mut self) {
        let mut wanted: BTreeMap<Digest, u64> =
            self.nodes.values().flat_map(|node| node.blobs.iter().cloned()).collect();
        wanted.extend(self.optional().await);
        self.tally.expect(wanted.values().sum());
        self.sought.extend(wanted.keys().cloned());
        let export = &*self;
        let fetched = futures_util::stream::iter(wanted)
            .map(|(digest, size_bytes)| async move { (export.blob(&digest, size_bytes).await, digest) })
            .buffer_unordered(AT_ONCE);
        let missing: Vec<Digest> = fetched
            .filter_map(|(fetched, digest)| async move {
                let error = fetched.err()?;
                export.tally.failed(export.name, digest.as_str(), &error);
                Some(digest)
            })
            .collect()
            .await;
        self.missing.extend(missing);
    }

    /// Returns what need not be there, and is.
    async fn optional(&mut self) -> Vec<(Digest, u64)> {
        let optional: BTreeMap<Digest, u64> =
            self.nodes.values().flat_map(|node| node.optional.iter().cloned()).collect();
        let mut there = Vec::new();
        for (digest, size_bytes) in optional {
            match self.source.has_blob(self.name, &digest).await {
                Ok(true) => there.push((digest, size_bytes)),
                Ok(false) => {}
                Err(error) => self.failed(digest.as_str(), &error),
            }
        }
        there
    }

    async fn blob(&self, digest: &Digest, size_bytes: u64) -> Result<()> {
        let is_shared = || self.others.iter().any(|other| self.layout.share(other, digest));
        let is_there = self.layout.verified(digest).await?.is_some()
            || is_shared() && self.layout.verified(digest).await?.is_some();
        if is_there {
            self.tally.kept(size_bytes);
            return Ok(());
        }
        match self.receive(digest).await {
            Err(error) if is_broken_off(&error) => self.receive(digest).await?,
            received => received?,
        }
        self.tally.copied();
        Ok(())
    }

    async fn receive(&self, digest: &Digest) -> Result<()> {
        let body = self.source.blob(self.name, digest).await?;
        self.layout.receive(digest, body, |bytes| self.tally.moved(bytes)).await
    }

    /// Tags first, then what no tag and no index leads to; of all that only what is whole.
    fn index(&self, tags: &BTreeMap<String, Digest>) -> Vec<Value> {
        let whole = whole(&self.nodes, &self.missing);
        let tagged = tags.iter().filter(|(_, digest)| whole.contains(digest)).filter_map(|(tag, digest)| {
            let mut entry = self.nodes.get(digest)?.entry.clone();
            entry["annotations"] = json!({ REF_NAME: tag });
            Some(entry)
        });
        let nodes = || self.nodes.iter().filter(|(digest, _)| whole.contains(digest));
        let children = nodes().flat_map(|(_, node)| &node.children);
        let listed: HashSet<&Digest> = tags.values().chain(children).collect();
        let others = nodes().filter(|(digest, _)| !listed.contains(digest));
        tagged.chain(others.map(|(_, node)| node.entry.clone())).collect()
    }

    fn is_dockers(&self, digest: &Digest) -> bool {
        let media_type = self.nodes.get(digest).and_then(|node| node.entry["mediaType"].as_str());
        media_type.is_some_and(|media_type| media_type.starts_with("application/vnd.docker."))
    }
}
