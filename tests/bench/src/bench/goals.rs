//! The rows of the report with their goals.

use crate::figures::Goal::{AtLeast, AtMost, None as Unset, RatioAtLeast, RatioAtMost};
use crate::figures::Side::{DockerRegistry, Limit, Nginx};
use crate::figures::{Goal, Row, Side};

/// Every row, in the order of the report.
pub(crate) const ROWS: &[Row] = &[
    same("manifest by tag, 32 connections: requests/s", "manifest_rps", RatioAtLeast(15.0)),
    same("– p50 ms", "manifest_p50_ms", Unset),
    same("– p99 ms", "manifest_p99_ms", Unset),
    same("– server CPU per request, µs", "manifest_cpu_us", RatioAtMost(1.0 / 15.0)),
    same("blob of 2 KiB, 32 connections: requests/s", "blob_rps", RatioAtLeast(25.0)),
    same("– p50 ms", "blob_p50_ms", Unset),
    same("– p99 ms", "blob_p99_ms", Unset),
    same("– server CPU per request, µs", "blob_cpu_us", Unset),
    same("push of many images, PATCH: MB/s", "images_patch_mbps", RatioAtLeast(2.5)),
    same("push of many images, PUT: MB/s", "images_put_mbps", RatioAtLeast(2.5)),
    same("push of the large layer, PATCH: MB/s", "layer_patch_mbps", RatioAtLeast(1.3)),
    same("push of the large layer, PUT: MB/s", "layer_put_mbps", RatioAtLeast(1.3)),
    beside(
        "– PATCH against the slower of hash and disk",
        "layer_patch_mbps",
        Limit,
        "hash_or_disk_mbps",
        RatioAtLeast(0.8),
    ),
    beside(
        "– PUT against the slower of hash and disk",
        "layer_put_mbps",
        Limit,
        "hash_or_disk_mbps",
        RatioAtLeast(0.8),
    ),
    same("commit of that layer (empty PUT after PATCH), ms", "commit_ms", AtMost(50.0)),
    same("rise of resident memory during the PATCH push, MiB", "layer_patch_rise_mib", AtMost(16.0)),
    same("rise of resident memory during the PUT push, MiB", "layer_put_rise_mib", AtMost(16.0)),
    same("first pull of that layer after its push: MB/s", "pull_mbps", Unset),
    same("– again", "pull_again_mbps", Unset),
    same("– again, the client hashes", "pull_hashed_mbps", Unset),
    file("pull of that layer from the disk, against a static file server: MB/s", "file_from_disk_mbps"),
    file("– from memory", "file_from_memory_mbps"),
    file("– from memory, the client hashes", "file_hashed_mbps"),
    same("many tags put into one repository: tags/s", "tags_put_per_s", RatioAtLeast(3.0)),
    same("– the last tenth as fast as the first", "tags_last_by_first", AtLeast(0.9)),
    same("– the first tenth, seconds", "tags_first_s", Unset),
    same("– the last tenth, seconds", "tags_last_s", Unset),
    beside(
        "those tags in pages of 1,000, against its catalog: names/s",
        "tags_walk_per_s",
        DockerRegistry,
        "catalog_walk_per_s",
        RatioAtLeast(50.0),
    ),
    same("– against its own tag list: names/s", "tags_walk_per_s", Unset),
    same("catalog in pages of 1,000: names/s", "catalog_walk_per_s", RatioAtLeast(50.0)),
    same("mount, p50 ms", "mount_p50_ms", RatioAtMost(1.0 / 3.0)),
    same("start to first answer with those tags stored, ms", "start_ms", AtMost(100.0)),
    same("start after `kill -9`, ms", "start_killed_ms", AtMost(100.0)),
    same("peak resident memory over the whole bench, MiB", "peak_mib", AtMost(64.0)),
    same("size of the program, MB", "binary_mb", AtMost(15.0)),
    beside("limit: copy of the large file with fsync, MB/s", "", Limit, "copy_mbps", Unset),
    beside("limit: SHA-256 on one core, MB/s", "", Limit, "sha256_mbps", Unset),
    beside("limit: loopback TCP, MB/s", "", Limit, "loopback_mbps", Unset),
];

/// The same figure of docker-registry.
const fn same(label: &'static str, figure: &'static str, goal: Goal) -> Row {
    Row { label, figure, against: Some((DockerRegistry, figure)), goal }
}

/// The same figure of a static file server that serves the same file.
const fn file(label: &'static str, figure: &'static str) -> Row {
    beside(label, figure, Nginx, figure, RatioAtLeast(0.9))
}

const fn beside(
    label: &'static str,
    figure: &'static str,
    side: Side,
    other: &'static str,
    goal: Goal,
) -> Row {
    Row { label, figure, against: Some((side, other)), goal }
}
