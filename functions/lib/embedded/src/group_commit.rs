//! One thread writes: it takes every transaction that waits, commits them with one fsync, then answers all.
//! Once nobody waits, it seals the database, so that it opens at once even after a crash.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use arc_swap::ArcSwap;
use redb::{Database, DatabaseError, ReadableDatabase, ReadableTable, Table};
use registry::ports::{Condition, Conflict, StoreError, StoreErrorKind, TransactError, Write};
use registry::records;
use tokio::sync::oneshot;

use crate::damage::unless_damaged;
use crate::items::{ITEMS, Snapshot, database_error, decode_item, encode_key};
use crate::room::Room;

/// How many transactions one commit takes at most.
const GROUP_MAX: usize = 256;

/// How long nothing has to be written before the database is sealed.
const IDLE_BEFORE_SEAL: Duration = Duration::from_millis(20);

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
    /// Starts the thread, and returns what readers are to see: it changes with each commit.
    pub(crate) fn start(
        room: Room,
        open: impl FnMut() -> Result<Database, DatabaseError> + Send + 'static,
    ) -> Result<(Self, Arc<ArcSwap<Snapshot>>), redb::Error> {
        let (writer, snapshot) = Writer::open(room, Box::new(open))?;
        // Bounded by the requests under way, each of which waits for its answer.
        let (queue, waiting) = mpsc::channel();
        let thread = std::thread::spawn(move || writer.write_all(&waiting));
        Ok((Self { queue: Some(queue), thread: Some(thread) }, snapshot))
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

/// What the thread works with.
struct Writer {
    room: Room,
    open: Box<dyn FnMut() -> Result<Database, DatabaseError> + Send>,
    /// Nothing after it failed, until it could be opened again.
    database: Option<Database>,
    snapshot: Arc<ArcSwap<Snapshot>>,
    /// Whether the last commit wrote what an opening after a crash needs.
    is_sealed: bool,
}

impl Writer {
    fn open(
        room: Room,
        mut open: Box<dyn FnMut() -> Result<Database, DatabaseError> + Send>,
    ) -> Result<(Self, Arc<ArcSwap<Snapshot>>), redb::Error> {
        let (database, snapshot) = unless_damaged(|| open_with_table(&mut open))??;
        let snapshot = Arc::new(ArcSwap::from_pointee(snapshot));
        let writer =
            Self { room, open, database: Some(database), snapshot: Arc::clone(&snapshot), is_sealed: false };
        Ok((writer, snapshot))
    }

    fn write_all(mut self, waiting: &mpsc::Receiver<Waiting>) {
        while let Some(first) = self.next(waiting) {
            let mut group = vec![first];
            group.extend(waiting.try_iter().take(GROUP_MAX - 1));
            let outcome = self.write_group(&group);
            answer(group, outcome);
        }
    }

    /// Waits for a transaction, and seals the database when none comes; `None` when none can come any more.
    fn next(&mut self, waiting: &mpsc::Receiver<Waiting>) -> Option<Waiting> {
        if !self.is_sealed {
            match waiting.recv_timeout(IDLE_BEFORE_SEAL) {
                Ok(first) => return Some(first),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.seal(),
            }
        }
        waiting.recv().ok()
    }

    /// Commits once more, nothing but the state that a crash would otherwise have redb rebuild from the whole file.
    ///
    /// That takes two syncs instead of one, so it is not part of the commits that somebody waits for.
    fn seal(&mut self) {
        self.is_sealed = true;
        // An opening after a crash takes longer without it, but a seal that fails would end all reads now.
        let Some(database) = self.database.as_ref().filter(|_| self.room.refusal().is_none()) else { return };
        if let Err(error) = unless_damaged(|| seal(database)).flatten() {
            tracing::error!(error = %error, "the database could not be sealed");
            self.give_up();
        }
    }

    /// Returns one reply for each transaction; an error means that none of them can be relied on.
    fn write_group(&mut self, group: &[Waiting]) -> Result<Vec<Reply>, StoreError> {
        if let Some(refusal) = self.room.refusal() {
            return Err(StoreError::new(StoreErrorKind::Full, refusal));
        }
        if self.database.is_none() {
            self.open_again()?;
        }
        self.is_sealed = false;
        let Some(database) = &self.database else { return Ok(Vec::new()) };
        let written = || Ok((write_group(database, group)?, read(database).map_err(database_error)?));
        match unless_damaged(written).map_err(database_error).flatten() {
            Ok((replies, snapshot)) => {
                self.snapshot.store(Arc::new(snapshot));
                Ok(replies)
            }
            Err(error) => {
                self.give_up();
                Err(error)
            }
        }
    }

    /// After an error the database answers nothing any more.
    fn give_up(&mut self) {
        let database = self.database.take();
        // Its end writes once more; what is wrong was told.
        let _ = unless_damaged(|| drop(database));
    }

    fn open_again(&mut self) -> Result<(), StoreError> {
        let opened = unless_damaged(|| open_with_table(&mut self.open)).flatten();
        let (database, snapshot) = opened.map_err(database_error)?;
        self.snapshot.store(Arc::new(snapshot));
        self.database = Some(database);
        tracing::info!("the database was opened again");
        Ok(())
    }
}

fn open_with_table(
    open: &mut dyn FnMut() -> Result<Database, DatabaseError>,
) -> Result<(Database, Snapshot), redb::Error> {
    let database = open()?;
    let transaction = database.begin_write()?;
    transaction.open_table(ITEMS)?;
    transaction.commit()?;
    let snapshot = read(&database)?;
    Ok((database, snapshot))
}

fn seal(database: &Database) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    Ok(transaction.commit()?)
}

fn read(database: &Database) -> Result<Snapshot, redb::Error> {
    Ok(database.begin_read()?.open_table(ITEMS)?)
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

fn write_group(database: &Database, group: &[Waiting]) -> Result<Vec<Reply>, StoreError> {
    let transaction = database.begin_write().map_err(database_error)?;
    let mut table = transaction.open_table(ITEMS).map_err(database_error)?;
    let mut replies = Vec::with_capacity(group.len());
    for one in group {
        replies.push(match apply(&mut table, &one.writes) {
            // An item that cannot be understood is the trouble of those who want it; nothing was written.
            Err(TransactError::Store(error)) if error.kind != StoreErrorKind::Corrupt => return Err(error),
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
    Ok(replies)
}

/// Checks every condition before it writes anything: a refused transaction leaves no trace in its group.
///
/// Without a condition nobody looks, so that also what cannot be understood is replaced.
fn apply(table: &mut Table<'_, &'static [u8], &'static [u8]>, writes: &[Write]) -> Reply {
    for write in writes.iter().filter(|write| *write.condition() != Condition::Always) {
        let key = write.key();
        let found = match table.get(encode_key(key).as_slice()).map_err(database_error)? {
            Some(value) => Some(decode_item(key.clone(), value.value())?),
            None => None,
        };
        if !write.condition().holds(found.as_ref().map(|item| &item.version)) {
            return Err(TransactError::Conflict(Box::new(Conflict { key: key.clone(), found })));
        }
    }
    let encoded = writes.iter().map(encode_value).collect::<Result<Vec<_>, _>>()?;
    for (write, value) in writes.iter().zip(encoded) {
        let key = encode_key(write.key());
        match (write, value) {
            (Write::Put(..), Some(value)) => {
                table.insert(key.as_slice(), value.as_slice()).map_err(database_error)?;
            }
            (Write::Delete(..), _) => {
                table.remove(key.as_slice()).map_err(database_error)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn encode_value(write: &Write) -> Result<Option<Vec<u8>>, StoreError> {
    let Write::Put(item, _) = write else { return Ok(None) };
    let unencodable = |error| StoreError::caused(StoreErrorKind::Corrupt, "an item to write", error);
    records::encode(&item.version, &item.record).map(Some).map_err(unencodable)
}

#[cfg(test)]
mod tests;
