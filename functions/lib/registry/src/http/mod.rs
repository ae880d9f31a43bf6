//! HTTP requests in, HTTP responses out: one file for each resource, and one place where errors become statuses.

mod action;
mod authorization;
mod base;
mod blobs;
mod challenge;
mod content;
mod entry;
mod error;
mod head_length;
mod host;
mod manifests;
mod paging;
mod referrers;
mod request;
mod request_log;
mod respond;
mod room;
mod service;
mod tags;
mod token;
mod uploads;

pub use action::{Action, DeleteAction, PullAction, PushAction};
pub use authorization::shown;
pub use entry::Entry;
pub use error::{Told, refusal, told};
pub use head_length::HeadLength;
pub use host::is_host;
pub use request_log::RequestLog;
pub use respond::{Body, BoxError, guard};
pub use service::{FOREIGN_PAGE, NO_HOST, Service};
