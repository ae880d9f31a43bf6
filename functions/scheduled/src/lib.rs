//! The Lambda function that the clock starts.

mod adoption;
mod jobs;

pub use jobs::{Job, run, run_at};
