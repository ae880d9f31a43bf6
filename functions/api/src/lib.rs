//! The Lambda function that answers the registry API: an event of the gateway in, an answer for the gateway out.

mod body;
mod event;
mod function;
mod role;

pub use event::{answer, run};
pub use function::Function;
pub use role::{Role, RoleUnknown};
