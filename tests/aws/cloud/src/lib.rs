//! The deployed registry on one machine.
//!
//! ```text
//! client ─> edge (node runs infra/edge/function.js) ─> gateway (routes of infra/template.yaml) ─> api, read and write
//!             │ PUT of layers                                                                        │
//!             └────────────> S3 stand-in <───────────────────────────────────────────────────────────┤
//!                               │ event                            DynamoDB stand-in <───────────────┘
//!                               └──────────> events <── stream ───────────┘
//! ```
//!
//! The functions are the real programs under Lambda's runtime interface emulator; their environment comes from the
//! template. The relay is a real process beside them.

mod cloud;
mod edge;
mod programs;
mod pump;
mod relay;
mod stack;

pub use cloud::{Cloud, CloudOptions};
pub use programs::{Missing, Programs};
