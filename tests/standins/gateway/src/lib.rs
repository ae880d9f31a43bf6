//! A stand-in for an API Gateway HTTP API and for AWS Lambda, so that tests meet the functions as AWS runs them.
//!
//! - [`Gateway`]: HTTP in front of functions: routes, events, limits, response mappings, and the odd manners of
//!   the real one. [`Manners`] holds switches, one for each way in which a gateway may differ.
//! - [`Function`]: a real function binary under Lambda's runtime interface emulator, or a closure of the test.
//! - [`s3_event`], [`stream_event`], [`schedule_event`]: what the other event sources send.
//!
//! What AWS documents, what was seen on AWS and what is assumed is said where it is done.
#![expect(clippy::unwrap_used, reason = "test support: a failure here is a failed test")]

mod composed;
mod event;
mod function;
mod function_options;
mod gateway;
mod instance;
mod invoke_error;
mod limits;
mod mapping;
mod options;
mod path;
mod pool;
mod process;
mod refusal;
mod reply;
mod report;
mod route;
mod source;

pub use function::{BodyBytes, Function};
pub use function_options::FunctionOptions;
pub use gateway::Gateway;
pub use invoke_error::InvokeError;
pub use limits::{MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_PAYLOAD_BYTES};
pub use mapping::{Action, HeaderMapping, MappingError};
pub use options::{GatewayOptions, Manners};
pub use report::Report;
pub use route::Route;
pub use source::{s3_event, schedule_event, stream_event};
