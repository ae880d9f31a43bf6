//! What the log says of connections for which there was no place: so much that somebody notices, and not a line for each.

use std::time::Duration;

use registry::access::Address;
use tokio::time::Instant;

use crate::places::Full;

/// How long the log says nothing once it has said something.
const QUIET: Duration = Duration::from_secs(60);

/// The connections that were closed at once.
#[derive(Default)]
pub(crate) struct Closed {
    untold: usize,
    told: Option<Instant>,
}

impl Closed {
    /// Notes one more.
    pub(crate) fn note(&mut self, address: &Address, full: Full) {
        let address = address.as_str();
        tracing::debug!(address, why = %full, "a connection was closed at once");
        if let Some(count) = self.due() {
            tracing::warn!(count, address, why = %full, "too many connections: some were closed at once");
        }
    }

    /// Counts one more; returns how many the log does not have yet, when it is to say so.
    fn due(&mut self) -> Option<usize> {
        self.untold += 1;
        if self.told.is_some_and(|told| told.elapsed() < QUIET) {
            return None;
        }
        self.told = Some(Instant::now());
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_log_says_at_most_once_a_minute_how_many_there_were_since() {
        let mut closed = Closed::default();
        assert_eq!(closed.due(), Some(1));
        tokio::time::advance(QUIET - Duration::from_secs(1)).await;
        assert_eq!([closed.due(), closed.due()], [None, None]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!([closed.due(), closed.due()], [Some(3), None]);
    }
}
