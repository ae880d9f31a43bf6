//! The images that every client pushes.

use std::path::Path;
use std::sync::LazyLock;

use test_support::images::Layout;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The size of the layer that is large enough to be interrupted.
pub(crate) const LARGE_LAYER_BYTES: usize = 105 * MIB;

/// The type of the artifact called `artifact`.
pub(crate) const ARTIFACT_TYPE: &str = "application/vnd.example.note";

/// Images of one layer, of sizes around the limits of functions.
pub(crate) const CLOUD_IMAGES: [(&str, usize); 4] =
    [("MB1", 1_000_000), ("MB4.3", 4_300_000), ("MB5", 5_000_000), ("MB100", 100_000_000)];

/// The layout with the images `large`, `small`, `small-arm64`, both small ones in the index `multi`,
/// `artifact`, which refers to `small`, and [`CLOUD_IMAGES`].
pub(crate) static IMAGES: LazyLock<Layout> = LazyLock::new(|| {
    Layout::shared(Path::new(env!("CARGO_TARGET_TMPDIR")), |layout| {
        layout.add_image("large", "amd64", &[64 * KIB, MIB, LARGE_LAYER_BYTES]);
        let small = layout.add_image("small", "amd64", &[64 * KIB, MIB, 12 * MIB]);
        let arm64 = layout.add_image("small-arm64", "arm64", &[64 * KIB, MIB]);
        layout.add_index("multi", &[small.clone(), arm64]);
        layout.add_artifact("artifact", ARTIFACT_TYPE, &small);
        for (name, layer_bytes) in CLOUD_IMAGES {
            layout.add_image(name, "amd64", &[layer_bytes]);
        }
    })
});

/// An image of one layer that no client should hold in memory.
pub(crate) const HUGE: (&str, usize) = ("GiB1", 1 << 30);

/// The layout with [`HUGE`], by itself because clients take in whole layouts.
static HUGE_LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    Layout::shared(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("huge"), |layout| {
        layout.add_image(HUGE.0, "amd64", &[HUGE.1]);
    })
});

/// An image of one layer, for those who only want to know whether they may.
pub(crate) const TINY: (&str, usize) = ("tiny", 64 * KIB);

/// The layout with [`TINY`], by itself for the same reason.
static TINY_LAYOUT: LazyLock<Layout> = LazyLock::new(|| {
    Layout::shared(&Path::new(env!("CARGO_TARGET_TMPDIR")).join("tiny"), |layout| {
        layout.add_image(TINY.0, "amd64", &[TINY.1]);
    })
});

/// Returns the layout that holds the image called `name`.
pub(crate) fn layout_of(name: &str) -> &'static Layout {
    match name {
        _ if name == HUGE.0 => &HUGE_LAYOUT,
        _ if name == TINY.0 => &TINY_LAYOUT,
        _ => &IMAGES,
    }
}

/// Returns the digests of the layers of the image called `name`, lowest first.
pub(crate) fn layers(name: &str) -> Vec<String> {
    let layout = layout_of(name);
    let manifest = layout.manifest(&layout.digest(name));
    let layers = manifest["layers"].as_array().unwrap().iter();
    layers.map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

/// Returns the name that skopeo, podman and buildah have for the image called `name`.
pub(crate) fn oci_name(name: &str) -> String {
    format!("oci:{}:{name}", layout_of(name).folder().display())
}
