//! What a registry does: push, pull, list, delete, and answer HTTP, on any store that keeps the ports' promises.
//!
//! - [`ports`]: the few things it needs from outside, as traits.
//! - [`records`]: what it remembers, and under which keys.
//! - [`Registry`], with one file for each resource: `blobs`, `uploads`, `upload_finish`, `adoption`, `mounts`, `manifests`, `manifest_list`, `manifest_delete`,
//!   `tags`, `tag_history`, `referrers`, `repositories`, `beginning`.
//! - [`access`]: who may do what of that.
//! - [`http`]: requests in, responses out.
//! - [`jobs`]: work that nobody waits for.
//! - [`testing`]: in-memory stores, stores that fail on demand, and the suite that every store has to pass.

pub mod access;
mod adoption;
mod beginning;
mod blobs;
mod error;
mod hashing;
pub mod http;
pub mod jobs;
mod locks;
mod manifest_cache;
mod manifest_delete;
mod manifest_list;
mod manifest_put;
mod manifests;
mod mounts;
mod packing;
pub mod ports;
pub mod records;
mod referrers;
mod registry;
mod repositories;
mod tag_history;
mod tags;
pub mod testing;
mod upload_finish;
mod uploads;

pub use blobs::Blob;
pub use error::Error;
pub use manifest_list::ManifestsPage;
pub(crate) use manifest_put::ManifestPut;
pub use manifests::StoredManifest;
pub use mounts::MountOutcome;
pub use referrers::ReferrersPage;
pub use registry::{Lifetimes, Principal, Registry, Stores};
pub use repositories::Page;
pub use tag_history::TagMove;
pub use uploads::UploadStatus;
