//! The time of one world: it stands still until a call hangs, and then goes straight to the next timeout.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_s3::config::{AsyncSleep, Sleep};
use tokio::sync::oneshot;

/// No wait between two attempts is longer; what is longer is a timeout.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// By how much the waits between two attempts are shorter than on AWS.
const WAITS_HASTE: u32 = 20;

/// After how long a call that still hangs lets the next timeout pass: this one was another's. Much more than it takes
/// to give a call up, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the adapters and the functions wait by.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<Mutex<Timeouts>>);

#[derive(Debug, Default)]
struct Timeouts {
    now: Duration,
    pending: Vec<(Duration, oneshot::Sender<()>)>,
}

impl Clock {
    /// Waits until so much time has passed in this world.
    pub(crate) fn timeout(&self, duration: Duration) -> impl Future<Output = ()> + Send + use<> {
        let (sender, fired) = oneshot::channel();
        let mut timeouts = self.0.lock().unwrap();
        let at = timeouts.now + duration;
        timeouts.pending.push((at, sender));
        async move { drop(fired.await) }
    }

    /// Hangs for good; time passes.
    pub(crate) async fn hang(&self) {
        loop {
            self.0.lock().unwrap().pass();
            tokio::time::sleep(PATIENCE).await;
        }
    }
}

impl Timeouts {
    /// Goes to the next timeout that somebody waits for.
    fn pass(&mut self) {
        self.pending.retain(|(_, sender)| !sender.is_closed());
        let Some(next) = (0..self.pending.len()).min_by_key(|index| self.pending[*index].0) else { return };
        let (at, sender) = self.pending.remove(next);
        self.now = self.now.max(at);
        // Whoever has gone away meanwhile needs no timeout.
        let _ = sender.send(());
    }
}

impl AsyncSleep for Clock {
    fn sleep(&self, duration: Duration) -> Sleep {
        match duration > LONGEST_WAIT {
            true => Sleep::new(self.timeout(duration)),
            false => Sleep::new(tokio::time::sleep(duration / WAITS_HASTE)),
        }
    }
}
