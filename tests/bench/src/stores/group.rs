//! Group commit: one thread takes all waiting transactions, commits once, and answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use slipway_bench::Result;

use crate::engine::{Engine, Transact};

type Waiting = (Transact, Sender<bool>);

/// The way to one database for many threads.
#[derive(Clone)]
pub(crate) enum Writer {
    /// Through the committing thread.
    Grouped { queue: Sender<Waiting>, commits: Arc<AtomicU64> },
    /// Each thread by itself.
    Direct(Arc<dyn Engine>),
}

impl Writer {
    /// Starts the committing thread; it ends with the last clone of the writer.
    pub(crate) fn new(engine: Arc<dyn Engine>, is_grouped: bool) -> Self {
        if !is_grouped {
            return Self::Direct(engine);
        }
        let (queue, waiting) = channel();
        let commits = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&commits);
        thread::spawn(move || {
            if let Err(error) = commit_groups(&*engine, &waiting, &counter) {
                eprintln!("the committing thread ended: {error}");
            }
        });
        Self::Grouped { queue, commits }
    }

    /// Returns once the transaction is durable: whether its condition held.
    pub(crate) fn transact(&self, transact: Transact) -> Result<bool> {
        match self {
            Self::Direct(engine) => Ok(engine.commit(&[transact])?[0]),
            Self::Grouped { queue, .. } => {
                let (answer, answered) = channel();
                queue.send((transact, answer))?;
                Ok(answered.recv()?)
            }
        }
    }

    /// Returns how many commits there were so far, when they are grouped.
    pub(crate) fn commits(&self) -> Option<u64> {
        match self {
            Self::Direct(_) => None,
            Self::Grouped { commits, .. } => Some(commits.load(Ordering::Relaxed)),
        }
    }
}

fn commit_groups(engine: &dyn Engine, waiting: &Receiver<Waiting>, commits: &AtomicU64) -> Result<()> {
    while let Ok(first) = waiting.recv() {
        let (group, answers): (Vec<_>, Vec<_>) = std::iter::once(first).chain(waiting.try_iter()).unzip();
        let applied = engine.commit(&group)?;
        commits.fetch_add(1, Ordering::Relaxed);
        for (answer, was_applied) in answers.into_iter().zip(applied) {
            // The asker may have given up: its transaction stands all the same.
            let _ = answer.send(was_applied);
        }
    }
    Ok(())
}
