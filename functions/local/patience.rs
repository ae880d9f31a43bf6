//! Reads that are repeated when the connection failed: they change nothing, and a registry that restarts comes back.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Error, Result};
use backon::{ExponentialBuilder, Retryable};

/// How often one is repeated, and after how long: half a minute in all.
const REPEATS: usize = 8;
const SHORTEST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// How one waits for a registry.
#[derive(Default)]
pub(crate) struct Patience {
    /// Whether a whole wait was in vain; until it answers again, nothing is repeated.
    is_exhausted: AtomicBool,
}

impl Patience {
    /// Does what only reads, again if the connection failed.
    pub(crate) async fn read<T, F: Future<Output = Result<T>>>(&self, ask: impl FnMut() -> F) -> Result<T> {
        let pauses = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(SHORTEST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_max_times(REPEATS);
        let is_worth_it =
            |error: &Error| is_of_connection(error) && !self.is_exhausted.load(Ordering::Relaxed);
        let answer = ask.retry(pauses).when(is_worth_it).await;
        self.is_exhausted.store(answer.as_ref().is_err_and(is_of_connection), Ordering::Relaxed);
        answer
    }
}

/// Returns whether nobody answered, or not to the end. (A certificate that is refused is so the next time, too.)
fn is_of_connection(error: &Error) -> bool {
    let is_of_network = |cause: &io::Error| cause.kind() != io::ErrorKind::InvalidData;
    error.chain().any(|cause| cause.is::<hyper::Error>() || cause.downcast_ref().is_some_and(is_of_network))
}

/// Returns whether the connection ended within an answer.
pub(crate) fn is_broken_off(error: &Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let ends = [BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof];
    let is_end = |cause: &io::Error| ends.contains(&cause.kind());
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_end))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_waited_in_vain_waits_no_more_until_there_is_an_answer() {
        let (patience, asked) = (Patience::default(), Cell::new(0));
        let ask = async |answer: fn() -> Result<()>| {
            asked.set(0);
            let answer = patience.read(|| async {
                asked.set(asked.get() + 1);
                answer()
            });
            (answer.await.is_ok(), asked.get())
        };
        let refused = || Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
        assert_eq!(ask(refused).await, (false, REPEATS + 1));
        assert_eq!(ask(refused).await, (false, 1));
        assert_eq!(ask(|| Ok(())).await, (true, 1));
        assert_eq!(ask(refused).await, (false, REPEATS + 1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_failure_of_the_connection_is_not_repeated() {
        let asked = Cell::new(0);
        for error in [anyhow::anyhow!("denied"), io::Error::from(io::ErrorKind::InvalidData).into()] {
            let error = Cell::new(Some(error));
            let ask = || async {
                asked.set(asked.get() + 1);
                Err::<(), _>(error.take().unwrap())
            };
            assert!(Patience::default().read(ask).await.is_err());
        }
        assert_eq!(asked.get(), 2);
    }
}
