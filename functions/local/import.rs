//! `slipway import`: OCI image layouts become repositories.

mod settings;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use futures_util::StreamExt;
use oci::{Digest, Manifest, MediaType, RepositoryName, Tag, TargetKind};

use crate::account::RegistryOption;
use crate::connection::Connection;
use crate::copying::{AT_ONCE, Tally};
use crate::distribution::{Distribution, Served};
use crate::layout::{Layout, REF_NAME};
use settings::Wanted;

/// What `import` understands.
#[derive(Debug, Args)]
pub(crate) struct ImportOptions {
    #[command(flatten)]
    pub(crate) registry: RegistryOption,
    /// The repositories [default: all that the folder holds]; of one layout, what it is to become
    #[arg(value_name = "REPOSITORY")]
    repositories: Vec<RepositoryName>,
    /// Folder with layouts, as `slipway export` writes them, or one layout
    #[arg(long, value_name = "DIR")]
    from: PathBuf,
    /// Give repositories that are there already the visibility, description, immutable tags and roles of their layouts
    #[arg(long)]
    settings: bool,
}

/// What the index of a layout says.
#[derive(Default)]
struct Roots {
    tags: BTreeMap<Tag, Digest>,
    /// All that has to be there, and what it is served as if it does not say so itself.
    manifests: BTreeMap<Digest, Option<MediaType>>,
    /// What is called as no tag can be, and why.
    unnamed: Vec<(String, anyhow::Error)>,
}

/// A layout on its way to its repository.
struct Import<'a> {
    target: &'a Distribution,
    name: &'a RepositoryName,
    layout: &'a Layout,
    tally: &'a Tally,
    /// Which repository has which blob, of those that were imported before.
    elsewhere: &'a HashMap<Digest, RepositoryName>,
    /// Whether blobs are there by now; what failed is not.
    blobs: HashMap<Digest, bool>,
    /// The same for manifests.
    manifests: HashMap<Digest, bool>,
}

impl ImportOptions {
    /// Imports; fails if something could not be stored.
    pub(crate) async fn run(&self, connection: Connection) -> Result<ExitCode> {
        let target = Distribution::new(connection).await?;
        let layouts = self.layouts()?;
        let (tally, mut elsewhere) = (Tally::new("imported"), HashMap::new());
        for (name, layout) in &layouts {
            match self.repository(&target, name, layout, &tally, &elsewhere).await {
                Ok(blobs) => elsewhere.extend(blobs.into_iter().map(|digest| (digest, name.clone()))),
                Err(error) => tally.failed(name, "the repository", &error),
            }
        }
        tally.finish()
    }

    fn layouts(&self) -> Result<Vec<(RepositoryName, Layout)>> {
        if let Some(layout) = Layout::at(&self.from) {
            let [name] = self.repositories.as_slice() else {
                bail!("{} is one layout: say the one repository that it is to become", self.from.display())
            };
            return Ok(vec![(name.clone(), layout)]);
        }
        let mut layouts = Layout::find(&self.from)?;
        if self.repositories.is_empty() {
            return Ok(layouts);
        }
        for name in &self.repositories {
            let is_there = layouts.iter().any(|(found, _)| found == name);
            ensure!(is_there, "there is no layout of {name} in {}", self.from.display());
        }
        layouts.retain(|(name, _)| self.repositories.contains(name));
        Ok(layouts)
    }

    /// Returns which blobs the repository has now.
    async fn repository(
        &self,
        target: &Distribution,
        name: &RepositoryName,
        layout: &Layout,
        tally: &Tally,
        elsewhere: &HashMap<Digest, RepositoryName>,
    ) -> Result<Vec<Digest>> {
        let roots = Roots::read(layout)?;
        for (entry, error) in &roots.unnamed {
            tally.failed(name, entry, error);
        }
        let wanted = Wanted::read(layout, self.settings, target, name, tally).await?;
        if let Some(wanted) = &wanted {
            wanted.make().await?;
        }
        let (blobs, manifests) = (HashMap::new(), HashMap::new());
        let mut import = Import { target, name, layout, tally, elsewhere, blobs, manifests };
        for (digest, media_type) in &roots.manifests {
            import.tree(digest, media_type.as_ref()).await;
        }
        import.tags(&roots).await;
        if let Some(wanted) = &wanted {
            wanted.complete().await?;
        }
        let manifests = import.manifests.values().filter(|is_there| **is_there).count();
        tally.done(name, roots.tags.len(), manifests);
        Ok(import.blobs.into_iter().filter(|(_, is_there)| *is_there).map(|(digest, _)| digest).collect())
    }
}

impl Roots {
    fn read(layout: &Layout) -> Result<Self> {
        let mut roots = Self::default();
        for entry in layout.index()? {
            let digest: Digest = entry["digest"].as_str().context("an entry without a digest")?.parse()?;
            let media_type = entry["mediaType"].as_str().and_then(|text| text.parse().ok());
            if let Some(name) = entry["annotations"][REF_NAME].as_str()
                && let Err(error) = roots.name(name, &digest)
            {
                roots.unnamed.push((name.to_owned(), error));
            }
            roots.manifests.insert(digest, media_type);
        }
        Ok(roots)
    }

    /// Others write whole names of images where a tag is.
    fn name(&mut self, name: &str, digest: &Digest) -> Result<()> {
        let tag: Tag = name.rsplit(':').next().unwrap_or(name).parse()?;
        let earlier = self.tags.get(&tag).filter(|earlier| *earlier != digest);
        ensure!(earlier.is_none(), "another image of the layout has the tag {tag}");
        self.tags.insert(tag, digest.clone());
        Ok(())
    }
}

impl Import<'_> {
    /// Stores a manifest with all that it needs, what it needs first.
    async fn tree(&mut self, root: &Digest, media_type: Option<&MediaType>) {
        let mut waiting = vec![root.clone()];
        while let Some(digest) = waiting.pop() {
            if self.manifests.contains_key(&digest) {
                continue;
            }
            let read = self.read(&digest, media_type.filter(|_| digest == *root)).await;
            // One that leads to itself would need its own digest in itself.
            let before = read.as_ref().map(|(manifest, _)| self.not_tried(manifest)).unwrap_or_default();
            if !before.is_empty() {
                waiting.push(digest);
                waiting.extend(before);
                continue;
            }
            let stored = match read {
                Ok((manifest, served)) => self.manifest(&digest, &manifest, &served).await,
                Err(error) => Err(error),
            };
            if let Err(error) = &stored {
                self.tally.failed(self.name, digest.as_str(), error);
            }
            self.manifests.insert(digest, stored.is_ok());
        }
    }

    /// Returns the children of an index that come before it.
    fn not_tried(&self, manifest: &Manifest) -> Vec<Digest> {
        let children = manifest.references.iter().filter(|target| target.kind == TargetKind::Manifest);
        let digests = children.map(|child| &child.digest);
        digests.filter(|digest| !self.manifests.contains_key(*digest)).cloned().collect()
    }

    async fn read(&self, digest: &Digest, media_type: Option<&MediaType>) -> Result<(Manifest, Served)> {
        ensure!(self.layout.verified(digest).await?.is_some(), "the layout does not have it, or not whole");
        let bytes = self.layout.read(digest)?;
        let manifest = Manifest::parse(&bytes, media_type)?;
        let media_type = manifest.media_type.to_string();
        Ok((manifest, Served { media_type, bytes }))
    }

    async fn manifest(&mut self, digest: &Digest, manifest: &Manifest, served: &Served) -> Result<()> {
        let of_kind = |kind| manifest.references.iter().filter(move |target| target.kind == kind);
        let needed = of_kind(TargetKind::Blob).map(|target| (&target.digest, target.may_be_missing));
        let needed: Vec<(Digest, bool)> = needed.map(|(digest, may)| (digest.clone(), may)).collect();
        let mut missing = self.blobs(&needed).await;
        let children = of_kind(TargetKind::Manifest).filter(|child| !child.may_be_missing);
        missing += children.filter(|child| !self.manifests.get(&child.digest).is_some_and(|is| *is)).count();
        if missing > 0 {
            bail!("{missing} of what it needs could not be stored");
        }
        if self.target.digest_of(self.name, digest.as_str()).await?.is_none() {
            self.target.put_manifest(self.name, digest.as_str(), served).await?;
        }
        Ok(())
    }

    /// Stores blobs, several at once; returns how many of them are missing.
    async fn blobs(&mut self, needed: &[(Digest, bool)]) -> usize {
        let new: HashSet<&Digest> = needed
            .iter()
            .map(|(digest, _)| digest)
            .filter(|digest| !self.blobs.contains_key(digest))
            .collect();
        let may_be_missing: HashSet<&Digest> =
            needed.iter().filter(|(_, may)| *may).map(|(digest, _)| digest).collect();
        let import = &*self;
        let stored: Vec<(Digest, Result<()>)> = futures_util::stream::iter(new)
            .map(|digest| async move { (digest.clone(), import.blob(digest).await) })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (digest, stored) in stored {
            if let Some(error) = stored.as_ref().err().filter(|_| !may_be_missing.contains(&digest)) {
                self.tally.failed(self.name, digest.as_str(), error);
            }
            self.blobs.insert(digest, stored.is_ok());
        }
        needed.iter().filter(|(digest, may)| !may && !self.blobs.get(digest).is_some_and(|is| *is)).count()
    }

    async fn blob(&self, digest: &Digest) -> Result<()> {
        if self.target.has_blob(self.name, digest).await? {
            self.tally.kept(0);
            return Ok(());
        }
        let size_bytes = self.layout.verified(digest).await?;
        let size_bytes = size_bytes.context("the layout does not have it, or not whole")?;
        self.tally.expect(size_bytes);
        let file = (self.layout.path(digest), size_bytes);
        let is_sent = self.target.put_blob(self.name, digest, file, self.elsewhere.get(digest)).await?;
        self.tally.copied();
        match is_sent {
            true => self.tally.moved(size_bytes),
            false => self.tally.mounted(size_bytes),
        }
        Ok(())
    }

    /// Tags come last: what they lead to is whole.
    async fn tags(&self, roots: &Roots) {
        for (tag, digest) in &roots.tags {
            if self.manifests.get(digest).is_some_and(|is_there| *is_there) {
                let media_type = roots.manifests.get(digest).and_then(Option::as_ref);
                if let Err(error) = self.tag(tag, digest, media_type).await {
                    self.tally.failed(self.name, tag.as_str(), &error);
                }
            }
        }
    }

    async fn tag(&self, tag: &Tag, digest: &Digest, media_type: Option<&MediaType>) -> Result<()> {
        if self.target.digest_of(self.name, tag.as_str()).await?.as_ref() == Some(digest) {
            return Ok(());
        }
        let (_, served) = self.read(digest, media_type).await?;
        self.target.put_manifest(self.name, tag.as_str(), &served).await
    }
}
