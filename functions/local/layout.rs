//! OCI image layouts on disk, one for each repository, as `export` writes and `import` reads them.
//!
//! ```text
//! <folder>/team+app/oci-layout                 what it is
//! <folder>/team+app/index.json                 tags, and manifests that no tag leads to
//! <folder>/team+app/blobs/sha256/<hex>         blobs and manifests
//! <folder>/team+app/slipway.json               the repository's settings, without secrets
//! <folder>/team+app/.lock                      who writes holds it
//! ```
//!
//! A slash in the name is a plus sign in the folder's, which no name has: layouts do not lie in one another.

mod part;

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::BodyExt;
use oci::{Digest, Hasher, RepositoryName};
use registry::http::Body;
use serde_json::{Value, json};

use part::{Part, Turn, replace};

/// How long a sender may be silent.
const SILENCE: std::time::Duration = std::time::Duration::from_secs(90);

const BUFFER_BYTES: usize = 1 << 20;

/// Which tag an entry of the index is.
pub(crate) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The layout of one repository.
#[derive(Clone)]
pub(crate) struct Layout {
    folder: PathBuf,
}

impl Layout {
    /// Makes the layout of a repository, or goes on with it, unless another process is at work there.
    pub(crate) fn make(parent: &Path, name: &RepositoryName) -> Result<(Self, Turn)> {
        let layout = Self { folder: parent.join(name.as_str().replace('/', "+")) };
        fs::create_dir_all(layout.folder.join("blobs/sha256"))
            .with_context(|| layout.folder.display().to_string())?;
        let turn = Turn::begin(&layout.folder)?;
        layout.replace("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))?;
        Ok((layout, turn))
    }

    /// Returns the layout that this folder is itself.
    pub(crate) fn at(folder: &Path) -> Option<Self> {
        folder.join("oci-layout").is_file().then(|| Self { folder: folder.to_owned() })
    }

    /// Finds the layouts in a folder, with the names of their repositories.
    pub(crate) fn find(parent: &Path) -> Result<Vec<(RepositoryName, Self)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(parent).with_context(|| parent.display().to_string())? {
            if let Some(layout) = Self::at(&entry?.path()) {
                found.push((layout.name()?, layout));
            }
        }
        ensure!(!found.is_empty(), "there is no image layout in a folder of {}", parent.display());
        found.sort_by(|(left, _), (right, _)| left.cmp(right));
        Ok(found)
    }

    fn name(&self) -> Result<RepositoryName> {
        let folder = self.folder.file_name().unwrap_or_default().to_string_lossy();
        let name = folder.replace('+', "/");
        name.parse().with_context(|| format!("the folder {folder} is not called as a repository"))
    }

    /// Returns where content with this digest is, or will be.
    pub(crate) fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs").join(digest.algorithm().to_string()).join(digest.hex())
    }

    /// Returns how long the content is, if it is there and has its digest.
    pub(crate) async fn verified(&self, digest: &Digest) -> Result<Option<u64>> {
        let (path, digest) = (self.path(digest), digest.clone());
        tokio::task::spawn_blocking(move || verified(&path, &digest)).await?
    }

    /// Returns the content, which is one that fits into memory.
    pub(crate) fn read(&self, digest: &Digest) -> Result<Bytes> {
        let path = self.path(digest);
        Ok(fs::read(&path).with_context(|| path.display().to_string())?.into())
    }

    /// Stores content that was verified.
    pub(crate) fn write(&self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        replace(&self.path(digest), bytes)
    }

    /// Stores content as it comes; it appears whole and with its digest, or not at all.
    pub(crate) async fn receive(&self, digest: &Digest, mut body: Body, arrived: impl Fn(u64)) -> Result<()> {
        let path = self.path(digest);
        let mut part = Part::begin(&path)?;
        let mut hasher = Hasher::new(digest.algorithm());
        while let Some(frame) = tokio::time::timeout(SILENCE, body.frame()).await.context("it broke off")? {
            let frame = frame.map_err(anyhow::Error::from_boxed).context("it broke off")?;
            let Ok(bytes) = frame.into_data() else { continue };
            hasher.update(&bytes);
            part.file.write_all(&bytes)?;
            arrived(bytes.len() as u64);
        }
        let actual = hasher.finish();
        ensure!(actual == *digest, "what came has digest {actual}");
        tokio::task::spawn_blocking(move || part.publish(&path)).await?
    }

    /// Takes content from another layout beside this one, without a copy where the file system can.
    pub(crate) fn share(&self, other: &Self, digest: &Digest) -> bool {
        let path = self.path(digest);
        let made = path.parent().is_some_and(|folder| fs::create_dir_all(folder).is_ok());
        made && fs::hard_link(other.path(digest), path).is_ok()
    }

    /// Returns the entries of the index.
    pub(crate) fn index(&self) -> Result<Vec<Value>> {
        let mut index = self.json("index.json")?.context("the layout has no index.json")?;
        match index["manifests"].take() {
            Value::Array(entries) => Ok(entries),
            _ => Ok(Vec::new()),
        }
    }

    /// Replaces the index.
    pub(crate) fn set_index(&self, entries: &[Value]) -> Result<()> {
        let media_type = "application/vnd.oci.image.index.v1+json";
        let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": entries });
        self.replace("index.json", &index)
    }

    /// Returns the repository's settings, if they are known.
    pub(crate) fn settings(&self) -> Result<Option<Value>> {
        self.json("slipway.json")
    }

    /// Replaces the repository's settings.
    pub(crate) fn set_settings(&self, settings: &Value) -> Result<()> {
        self.replace("slipway.json", settings)
    }

    fn json(&self, name: &str) -> Result<Option<Value>> {
        let path = self.folder.join(name);
        match fs::read(&path) {
            Ok(bytes) => {
                Ok(Some(serde_json::from_slice(&bytes).with_context(|| path.display().to_string())?))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| path.display().to_string()),
        }
    }

    fn replace(&self, name: &str, value: &Value) -> Result<()> {
        let path = self.folder.join(name);
        let mut bytes = serde_json::to_vec_pretty(value)?;
        bytes.push(b'\n');
        if fs::read(&path).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        replace(&path, &bytes)
    }
}

fn verified(path: &Path, digest: &Digest) -> Result<Option<u64>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let (mut hasher, mut buffer, mut size_bytes) =
        (Hasher::new(digest.algorithm()), vec![0; BUFFER_BYTES], 0);
    loop {
        let length = file.read(&mut buffer).with_context(|| path.display().to_string())?;
        if length == 0 {
            break;
        }
        hasher.update(&buffer[..length]);
        size_bytes += length as u64;
    }
    Ok((hasher.finish() == *digest).then_some(size_bytes))
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;
    use oci::Algorithm;

    use super::*;

    fn body(bytes: &'static [u8]) -> Body {
        Full::new(Bytes::from_static(bytes)).map_err(|never| match never {}).boxed_unsync()
    }

    #[tokio::test]
    async fn content_appears_with_its_digest_or_not_at_all() {
        let parent = tempfile::tempdir().unwrap();
        let (layout, _turn) = Layout::make(parent.path(), &"team/app".parse().unwrap()).unwrap();
        let digest = Digest::of(Algorithm::Sha256, b"layer");
        let refused = layout.receive(&digest, body(b"other"), |_| {}).await.unwrap_err();
        assert!(refused.to_string().contains("what came has digest"), "{refused}");
        let blobs = parent.path().join("team+app/blobs/sha256");
        assert_eq!(fs::read_dir(&blobs).unwrap().count(), 0);
        layout.receive(&digest, body(b"layer"), |_| {}).await.unwrap();
        assert_eq!(layout.verified(&digest).await.unwrap(), Some(5));
        fs::write(layout.path(&digest), b"rotten").unwrap();
        assert_eq!(layout.verified(&digest).await.unwrap(), None);
    }

    #[test]
    fn no_repository_lies_in_the_layout_of_another() {
        let parent = tempfile::tempdir().unwrap();
        let names = ["team", "team/blobs", "team/blobs/sha256"];
        for name in names {
            drop(Layout::make(parent.path(), &name.parse().unwrap()).unwrap());
        }
        let found = Layout::find(parent.path()).unwrap();
        assert_eq!(found.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
    }
}
