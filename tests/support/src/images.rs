//! Images to push: an OCI image layout whose layers are plain tar files of noise.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::content::{noise, sha256};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// An OCI image layout on disk, as skopeo, podman, buildah and containerd read it.
pub struct Layout {
    folder: PathBuf,
    named: Vec<Value>,
}

impl Layout {
    /// Returns the layout that `fill` writes, below `parent`; the same one for every caller and every run.
    ///
    /// The recipe is this file: a change in it makes a new layout.
    pub fn shared(parent: &Path, fill: impl FnOnce(&mut Self)) -> Self {
        let recipe = sha256(include_bytes!("images.rs"));
        let folder = parent.join(format!("images-{}", &recipe["sha256:".len()..][..12]));
        if !folder.exists() {
            fs::create_dir_all(parent).unwrap();
            let unfinished = tempfile::Builder::new().prefix("images-").tempdir_in(parent).unwrap();
            fill(&mut Self::create(unfinished.path()));
            // Fails where another process was quicker: its layout is the same.
            let _renamed = fs::rename(unfinished.path(), &folder);
        }
        Self::open(&folder)
    }

    /// Returns the empty layout it creates in `folder`.
    pub fn create(folder: &Path) -> Self {
        fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
        fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        Self { folder: folder.to_owned(), named: Vec::new() }
    }

    /// Returns the layout in `folder`.
    pub fn open(folder: &Path) -> Self {
        let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
        Self { folder: folder.to_owned(), named: index["manifests"].as_array().unwrap().clone() }
    }

    /// Adds an image for linux on `architecture` with one layer per entry of `layer_bytes`; returns its
    /// descriptor.
    pub fn add_image(&mut self, name: &str, architecture: &str, layer_bytes: &[usize]) -> Value {
        let layers: Vec<Value> =
            layer_bytes.iter().map(|&size| self.add_blob(LAYER, &layer(architecture, size))).collect();
        let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config = self.add_blob(CONFIG, config.to_string().as_bytes());
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let mut descriptor = self.add_blob(MANIFEST, manifest.to_string().as_bytes());
        descriptor["platform"] = json!({"architecture": architecture, "os": "linux"});
        self.name(name, descriptor)
    }

    /// Adds an image index of `manifests`; returns its descriptor.
    pub fn add_index(&mut self, name: &str, manifests: &[Value]) -> Value {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let descriptor = self.add_blob(INDEX, index.to_string().as_bytes());
        self.name(name, descriptor)
    }

    /// Adds an artifact that refers to `subject`; returns its descriptor.
    pub fn add_artifact(&mut self, name: &str, artifact_type: &str, subject: &Value) -> Value {
        let config = self.add_blob("application/vnd.oci.empty.v1+json", b"{}");
        let layer = self.add_blob("text/plain", name.as_bytes());
        let subject = json!({
            "mediaType": subject["mediaType"], "digest": subject["digest"], "size": subject["size"],
        });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
            "config": config, "layers": [layer], "subject": subject,
        });
        let descriptor = self.add_blob(MANIFEST, manifest.to_string().as_bytes());
        self.name(name, descriptor)
    }

    /// Returns the folder of the layout.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the digest of the manifest called `name`.
    pub fn digest(&self, name: &str) -> String {
        let named = self.named.iter().find(|entry| entry["annotations"][REF_NAME] == name);
        named.unwrap()["digest"].as_str().unwrap().to_owned()
    }

    /// Returns the manifest with `digest`.
    pub fn manifest(&self, digest: &str) -> Value {
        serde_json::from_slice(&fs::read(self.blob(digest)).unwrap()).unwrap()
    }

    /// Returns the file of the blob with `digest`.
    pub fn blob(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs").join(digest.replace(':', "/"))
    }

    fn add_blob(&self, media_type: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        fs::write(self.blob(&digest), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    fn name(&mut self, name: &str, descriptor: Value) -> Value {
        let mut named = descriptor.clone();
        named["annotations"] = json!({REF_NAME: name});
        self.named.push(named);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.named});
        fs::write(self.folder.join("index.json"), index.to_string()).unwrap();
        descriptor
    }
}

/// Returns a tar file with one file of `size` bytes, different for every architecture and size.
fn layer(architecture: &str, size: usize) -> Vec<u8> {
    let seed = architecture.bytes().fold(size as u64, |seed, byte| seed * 31 + u64::from(byte));
    let mut header = tar::Header::new_ustar();
    header.set_size(size as u64);
    header.set_mode(0o644);
    let mut layer = tar::Builder::new(Vec::with_capacity(size + 2048));
    layer.append_data(&mut header, format!("noise-{size}"), noise(seed, size).as_slice()).unwrap();
    layer.into_inner().unwrap()
}
