//! Reads AWS templates: resources, routes, function environments, rights.
//!
//! A template is held as JSON with the long names of functions: `!GetAtt Table.Arn` is
//! `{"Fn::GetAtt": ["Table", "Arn"]}`. So `template.properties("Bucket")["BucketName"]` and the like just work.

mod evaluate;
mod references;
mod rights;
mod routes;
mod template;
mod yaml;

pub use evaluate::Resolver;
pub use references::{Reference, references};
pub use routes::{HeaderMapping, Route};
pub use template::Template;
