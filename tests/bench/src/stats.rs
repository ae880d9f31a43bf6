//! Medians and percentiles.

use std::time::Duration;

/// Returns the middle value (the mean of the middle two), NaN when there is none.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        odd if odd % 2 == 1 => sorted[odd / 2],
        even => f64::midpoint(sorted[even / 2 - 1], sorted[even / 2]),
    }
}

/// Latencies of many calls.
#[derive(Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Keeps one more.
    pub fn push(&mut self, latency: Duration) {
        self.0.push(latency);
    }

    /// Takes over what another thread has measured.
    pub fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Returns how many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns the latency in milliseconds that `percent` of the calls stayed under; NaN without calls.
    pub fn percentile_ms(&mut self, percent: f64) -> f64 {
        self.0.sort_unstable();
        let rank = (percent / 100.0 * self.0.len() as f64) as usize;
        let found = self.0.get(rank.min(self.0.len().saturating_sub(1)));
        found.map_or(f64::NAN, |latency| latency.as_secs_f64() * 1e3)
    }
}
