//! The deployed registry on one machine.
//!
//! ```text
//! client ─> edge (node, as infra/edge.yaml says) ─> gateway (routes of infra/template.yaml) ─> api: read, write, token
//!             │ PUT of layers                                                                        │
//!             └────────────> S3 stand-in <───────────────────────────────────────────────────────────┤
//!                               │ event                            DynamoDB stand-in <───────────────┘
//!                               └──────────> events <── stream ───────────┘
//! ```
//!
//! The functions are the real programs under Lambda's runtime interface emulator; their environment comes from the
//! template. The relay is a real process beside them. What signs access tokens is in a stand-in for Secrets Manager, with
//! the password that the user `admin` begins with.

mod accounts;
pub mod capability;
mod cloud;
mod deployment;
mod edge;
mod entry;
mod lambda;
mod programs;
mod pump;
mod relay;
mod signing;
mod stack;

pub use accounts::Credential;
pub use cloud::{Cloud, CloudOptions, session_token};
pub use entry::{Changes, Way};
pub use gateway_standin::{Function, Manners, Route};
pub use programs::{Missing, Programs};
pub use s3_standin::Delivery;
