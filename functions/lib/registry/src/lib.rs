//! What a registry does: push, pull, list, delete, and answer HTTP, on any store that keeps the ports' promises.
//!
//! - [`ports`]: the few things it needs from outside, as traits.
//! - [`records`]: what it remembers, and under which keys.
//! - [`Registry`], with one file for each resource: `blobs`, `uploads`, `upload_finish`, `upload_commit`, `adoption`,
//!   `mounts`, `manifests`, `tags`, `referrers`, `repositories`, `beginning`, `ending`. `packing`: many writes in few transactions.
//! - [`access`]: who may do what of that.
//! - [`http`]: requests in, responses out.
//! - [`jobs`]: work that nobody waits for.
//! - [`testing`]: in-memory stores, stores that fail on demand, and the suite that every store has to pass.

pub mod access;
mod adoption;
mod beginning;
mod blobs;
mod bodies;
mod ending;
mod error;
mod hashing;
pub mod http;
pub mod jobs;
mod locks;
mod manifests;
mod mounts;
mod packing;
pub mod ports;
pub mod records;
mod referrers;
mod registry;
mod repositories;
mod shares;
mod tags;
mod tasks;
pub mod testing;
mod upload_commit;
mod upload_finish;
mod uploads;

pub use blobs::Blob;
pub use ending::RepositoryEnd;
pub use error::Error;
pub(crate) use manifests::ManifestPut;
pub use manifests::{ManifestsPage, StoredManifest};
pub use mounts::MountOutcome;
pub use referrers::ReferrersPage;
pub use registry::{Lifetimes, Principal, Registry, Stores};
pub use repositories::Page;
pub use shares::{Share, Shares};
pub use tags::TagMove;
pub use tasks::in_own_task;
pub use uploads::UploadStatus;
