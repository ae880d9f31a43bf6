//! One thread writes: it takes every transaction that waits, commits them with one fsync, then answers all.

use std::sync::Arc;
use std::sync::mpsc;

use arc_swap::ArcSwap;
use redb::{Database, ReadableDatabase, ReadableTable, Table};
use registry::ports::{Conflict, StoreError, StoreErrorKind, TransactError, Write};
use registry::records;
use tokio::sync::oneshot;

use crate::items::{ITEMS, Snapshot, database_error, decode_item, encode_key};

/// How many transactions one commit takes at most.
const GROUP_MAX: usize = 256;

type Reply = Result<(), TransactError>;

struct Waiting {
    writes: Vec<Write>,
    reply: oneshot::Sender<Reply>,
}

/// The way to the thread that writes; it ends when this is dropped.
pub(crate) struct GroupCommit {
    queue: Option<mpsc::Sender<Waiting>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl GroupCommit {
    /// Starts the thread. After each commit it publishes what readers are to see.
    pub(crate) fn start(database: Database, snapshot: Arc<ArcSwap<Snapshot>>) -> Self {
        // Bounded by the requests under way, each of which waits for its answer.
        let (queue, waiting) = mpsc::channel();
        let thread = std::thread::spawn(move || write_all(&database, &snapshot, &waiting));
        Self { queue: Some(queue), thread: Some(thread) }
    }

    /// Writes all or nothing, durably.
    pub(crate) async fn commit(&self, writes: Vec<Write>) -> Reply {
        let gone = || StoreError::new(StoreErrorKind::Unavailable, "the database has been closed");
        let (reply, answer) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(gone)?;
        queue.send(Waiting { writes, reply }).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

impl Drop for GroupCommit {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing more to say here.
            let _ = thread.join();
        }
    }
}

fn write_all(database: &Database, snapshot: &ArcSwap<Snapshot>, waiting: &mpsc::Receiver<Waiting>) {
    while let Ok(first) = waiting.recv() {
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP_MAX - 1));
        let outcome = write_group(database, snapshot, &group);
        answer(group, outcome);
    }
}

fn answer(group: Vec<Waiting>, outcome: Result<Vec<Reply>, StoreError>) {
    match outcome {
        Ok(replies) => {
            for (one, reply) in group.into_iter().zip(replies) {
                // Whoever asked may be gone.
                let _ = one.reply.send(reply);
            }
        }
        Err(error) => {
            tracing::error!(error = %error, cause = ?error.source, "the database refused a commit");
            for one in group {
                let _ = one.reply.send(Err(StoreError::new(error.kind, error.context.clone()).into()));
            }
        }
    }
}

/// Returns one reply for each transaction; an error means that none of them happened.
fn write_group(
    database: &Database,
    snapshot: &ArcSwap<Snapshot>,
    group: &[Waiting],
) -> Result<Vec<Reply>, StoreError> {
    let mut transaction = database.begin_write().map_err(database_error)?;
    // Opens at once after a crash, whatever the size; costs a little on every commit.
    transaction.set_quick_repair(true);
    let mut table = transaction.open_table(ITEMS).map_err(database_error)?;
    let mut replies = Vec::with_capacity(group.len());
    for one in group {
        replies.push(match apply(&mut table, &one.writes) {
            Err(TransactError::Store(error)) => return Err(error),
            reply => reply,
        });
    }
    drop(table);
    if replies.iter().all(Result::is_err) {
        // Nothing was written, so there is nothing to make durable.
        transaction.abort().map_err(database_error)?;
        return Ok(replies);
    }
    transaction.commit().map_err(database_error)?;
    let table = database.begin_read().map_err(database_error)?.open_table(ITEMS).map_err(database_error)?;
    snapshot.store(Arc::new(table));
    Ok(replies)
}

/// Checks every condition before it writes anything: a refused transaction leaves no trace in its group.
fn apply(table: &mut Table<'_, &'static [u8], &'static [u8]>, writes: &[Write]) -> Reply {
    for write in writes {
        let key = write.key();
        let found = match table.get(encode_key(key).as_slice()).map_err(database_error)? {
            Some(value) => Some(decode_item(key.clone(), value.value())?),
            None => None,
        };
        if !write.condition().holds(found.as_ref().map(|item| &item.version)) {
            return Err(TransactError::Conflict(Box::new(Conflict { key: key.clone(), found })));
        }
    }
    for write in writes {
        match write {
            Write::Put(item, _) => {
                let value = records::encode(&item.version, &item.record).map_err(|error| {
                    StoreError::caused(StoreErrorKind::Corrupt, "an item to write", error)
                })?;
                table.insert(encode_key(&item.key).as_slice(), value.as_slice()).map_err(database_error)?;
            }
            Write::Delete(key, _) => {
                table.remove(encode_key(key).as_slice()).map_err(database_error)?;
            }
            Write::Check(..) => {}
        }
    }
    Ok(())
}
