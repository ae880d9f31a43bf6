//! The Lambda function that the clock starts.

mod jobs;

pub use jobs::{Job, run, run_at};
