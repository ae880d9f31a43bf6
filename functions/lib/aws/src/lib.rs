//! The registry's ports on AWS: items in a DynamoDB table, objects in an S3 bucket, bytes past the registry.
//!
//! - [`Clients`]: from settings to clients; other S3-compatible stores by their endpoint.
//! - [`DynamoDb`]: the item port.
//! - [`S3`]: the object port.
//! - [`Presigned`], [`Capability`]: what lets clients reach the bucket themselves.
//! - [`Guard`]: the accounts, and the secret that tokens are signed with.
//! - [`environment`]: the settings of a function, and the registry they make.

mod capability;
mod conflict;
mod connect;
mod copy;
pub mod environment;
mod error;
mod guard;
mod items;
mod objects;
mod secrets;
mod signing;

pub use capability::Capability;
pub use connect::{Clients, Settings, function_config, sdk_config};
pub use guard::{Guard, GuardError, Trust};
pub use items::{DynamoDb, item_of_image};
pub use objects::{PART_BYTES_MIN, S3};
pub use secrets::SecretError;
pub use signing::Presigned;
