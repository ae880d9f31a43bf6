//! What the fuzz targets share: the properties of a type that is checked text, and a registry to send requests to.

pub mod http;
mod text;

#[doc(hidden)]
pub use regex_lite::Regex;
pub use text::{check_refusal, check_text};
