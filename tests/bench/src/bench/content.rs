//! What is pushed: layers that nobody has seen, and the documents that name them.

use std::sync::LazyLock;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use slipway_bench::noise::{Noise, mix};

const BLOCK_BYTES: usize = 64 << 20;
const HEADER_BYTES: usize = 16;

pub(crate) const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
pub(crate) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

static NOISE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut block = vec![0; BLOCK_BYTES];
    Noise::new(1).fill(&mut block);
    block
});

/// A layer of noise that fills any size without as much memory: blocks of the same noise under different headers.
pub(crate) struct Layer {
    seed: u64,
    pub(crate) size_bytes: u64,
    pub(crate) digest: String,
}

impl Layer {
    /// Makes the layer of `seed`; another seed gives another digest.
    pub(crate) fn new(seed: u64, size_bytes: u64) -> Self {
        let mut layer = Self { seed, size_bytes, digest: String::new() };
        let mut hash = Sha256::new();
        layer.pieces().for_each(|(header, noise)| {
            hash.update(header);
            hash.update(noise);
        });
        layer.digest = format!("sha256:{}", hex::encode(hash.finalize()));
        layer
    }

    /// Returns the content in order: a header that makes each block unlike any other, and noise.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = ([u8; HEADER_BYTES], &'static [u8])> {
        let (seed, size) = (self.seed, self.size_bytes);
        (0..size.div_ceil(BLOCK_BYTES as u64)).map(move |block| {
            let mut header = [0; HEADER_BYTES];
            header[..8].copy_from_slice(&mix(seed).to_le_bytes());
            header[8..].copy_from_slice(&block.to_le_bytes());
            let block_bytes = (size - block * BLOCK_BYTES as u64).min(BLOCK_BYTES as u64) as usize;
            (header, &NOISE[HEADER_BYTES..block_bytes.max(HEADER_BYTES)])
        })
    }
}

/// A document with its digest.
pub(crate) struct Document {
    pub(crate) bytes: Vec<u8>,
    pub(crate) digest: String,
}

impl Document {
    fn new(value: &Value) -> Self {
        let bytes = value.to_string().into_bytes();
        let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
        Self { bytes, digest }
    }
}

/// Returns a configuration of about 2 KiB, another for each seed.
pub(crate) fn config(seed: u64) -> Document {
    let history: Vec<_> = (0..8).map(|step| json!({ "created_by": noise_text(seed ^ step) })).collect();
    Document::new(&json!({
        "architecture": "amd64", "os": "linux", "config": { "Env": [noise_text(seed)] },
        "rootfs": { "type": "layers", "diff_ids": [] }, "history": history,
    }))
}

/// Returns the manifest of an image.
pub(crate) fn manifest(config: &Document, layers: &[Layer]) -> Document {
    let layer =
        |layer: &Layer| json!({ "mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.size_bytes });
    Document::new(&json!({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
        "config": { "mediaType": CONFIG_TYPE, "digest": config.digest, "size": config.bytes.len() },
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    }))
}

/// Returns an index that refers to nothing, so that any repository takes it.
pub(crate) fn empty_index() -> Document {
    Document::new(&json!({ "schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [] }))
}

fn noise_text(seed: u64) -> String {
    let mut bytes = [0; 96];
    Noise::new(seed).fill(&mut bytes);
    hex::encode(bytes)
}
