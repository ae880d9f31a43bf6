//! The storage protocol as a model that is small enough to try everything.
//!
//! Clients push, mount and delete; collectors flag, look and decide; each step is one call of a store. The checker
//! tries every order of the steps, with crashes and lost replies, and looks at every state whether the promises hold
//! (`docs/model.md`).
//!
//! - [`Plan`]: what one run is about; [`scenarios`] has those that are run.
//! - [`State`]: what is stored, and who is where.
//! - One file for each part of the protocol: `blobs`, `uploads`, `manifests`, `deletes`, `collector`, `expiry`.
//! - [`Mutant`]: protocols that are wrong.
//! - [`trace`]: runs of the model, for others to replay; [`document`]: for others to read.

mod actor;
mod blobs;
mod collector;
mod deletes;
pub mod document;
mod expiry;
pub mod keys;
mod manifests;
mod mutants;
mod plan;
mod promises;
mod protocol;
pub mod scenarios;
mod state;
pub mod trace;
mod turn;
mod uploads;

pub use actor::{Actor, Program, Push, Step};
pub use mutants::Mutant;
pub use plan::{ManifestPlan, Plan, Target};
pub use protocol::Action;
pub use state::{ACTORS, Blob, BlobState, Link, LinkState, ManifestState, State, Upload, UploadState};
