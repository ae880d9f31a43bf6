//! What the measuring programs share: numbers about processes, medians, noise and tables.

pub mod noise;
pub mod process;
pub mod report;
pub mod stats;

/// Any failure ends the run with its message: a benchmark has nobody to recover for.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
