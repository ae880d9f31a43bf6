//! Adoptions that take days, beside a collector that looks at their copies meanwhile.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use oci::UploadId;
use registry::jobs::garbage_collection::{Budget, Collector, Policy};
use registry::ports::{
    AppendState, Clock, Item, ItemStore, Key, ObjectStore, Query, StoreError, Timestamp, TransactError, Write,
};
use registry::records::keys;
use registry::testing::{MemoryItems, SetClock};
use tokio::sync::oneshot;

use super::{DAY, HOUR, LONG_HOURS};
use crate::client::{Client, blob, mounting};
use crate::content::Content;
use crate::world::World;

type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Which call waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Call {
    /// The collector's, for the session.
    SessionRead,
    /// The adoption's, for all that its commit rests on.
    LastLook,
    /// The adoption's commit, which the store has done by then, and which the store's client sends again.
    CommitSentTwice,
}

/// Items of which one call waits once, until something else has happened.
struct Pausing {
    inner: Arc<MemoryItems>,
    session: Key,
    call: Call,
    pause: Mutex<Option<Pause>>,
}

impl Pausing {
    fn new(
        world: &World,
        id: &UploadId,
        call: Call,
        pause: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let pause: Pause = Box::pin(pause);
        let (inner, session) = (Arc::clone(&world.items), keys::upload(id));
        Self { inner, session, call, pause: Mutex::new(Some(pause)) }
    }

    fn pause(&self) -> Option<Pause> {
        self.pause.lock().unwrap().take()
    }
}

#[async_trait]
impl ItemStore for Pausing {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Item>>, StoreError> {
        let is_meant = match self.call {
            Call::SessionRead => keys == [self.session.clone()],
            Call::LastLook => keys.len() > 1 && keys.contains(&self.session),
            Call::CommitSentTwice => false,
        };
        if is_meant && let Some(pause) = self.pause() {
            pause.await;
        }
        self.inner.get(keys).await
    }

    async fn query(&self, query: Query) -> Result<Vec<Item>, StoreError> {
        self.inner.query(query).await
    }

    async fn transact(&self, writes: Vec<Write>) -> Result<(), TransactError> {
        let is_commit = writes.iter().any(|write| *write.key() == self.session);
        if self.call == Call::CommitSentTwice
            && is_commit
            && let Some(pause) = self.pause()
        {
            self.inner.transact(writes.clone()).await?;
            pause.await;
        }
        self.inner.transact(writes).await
    }
}

/// A clock that is behind by an hour: a copy that is noted by it is due before its session ends.
struct Behind(Arc<SetClock>);

impl Clock for Behind {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now().as_millis() - u64::try_from(HOUR.as_millis()).unwrap())
    }
}

async fn sent(world: &World) -> (Client, UploadId, Content) {
    let (client, layer) = (world.client().by_edge(), Content::blob("layer"));
    let id = world.send_direct(&client, "app", &layer).await;
    (client, id, layer)
}

#[tokio::test]
async fn a_copy_that_becomes_a_blob_when_its_suspect_has_been_read_stays() {
    let world = World::direct();
    let (client, id, layer) = sent(&world).await;
    let ((go, gone), (commit, committed)) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let asleep = Pausing::new(&world, &id, Call::LastLook, gone.map(drop));
    let adopting = world.registry_on(asleep, Arc::new(Behind(Arc::clone(&world.clock))));
    let reading = Pausing::new(&world, &id, Call::SessionRead, async move {
        go.send(()).unwrap();
        committed.await.unwrap();
    });
    let collector =
        Collector::new(world.registry_on(reading, Arc::clone(&world.clock) as _), Policy::default());
    let adopt = async {
        let adopted = adopting.upload_adopt(&id).await;
        commit.send(()).unwrap();
        adopted
    };
    let collect = async {
        world.clock.advance(7 * DAY - HOUR / 2);
        collector.run(&Budget::ALL, None).await
    };
    let (adopted, report) = tokio::join!(adopt, collect);
    assert!(adopted.unwrap().is_some());
    assert_eq!((report.objects_deleted, report.error), (0, None));
    assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
    world.fsck().await;
}

#[tokio::test]
async fn a_copy_whose_suspect_a_collector_has_put_off_becomes_no_blob() {
    let world = Arc::new(World::direct());
    let (client, id, layer) = sent(&world).await;
    let others = Arc::clone(&world);
    let asleep = Pausing::new(&world, &id, Call::LastLook, async move {
        others.clock.advance(7 * DAY - HOUR / 2);
        others.collect().await;
    });
    let behind = world.registry_on(asleep, Arc::new(Behind(Arc::clone(&world.clock))));
    let late = behind.upload_adopt(&id).await;
    if late.is_err() {
        // The event comes again.
        client.adopt(&id).await.unwrap().unwrap();
    }
    world.clock.advance(HOUR);
    world.collect().await;
    assert_eq!(world.read_blob(&client, "app", &layer.digest).await, layer.bytes);
    assert_eq!(world.stored().await["object"], 1);
    world.fsck().await;
}

#[tokio::test]
async fn a_copy_that_is_a_blob_elsewhere_by_the_time_its_commit_is_sent_again_stays() {
    let world = Arc::new(World::direct());
    let (client, id, layer) = sent(&world).await;
    let (others, digest) = (client.clone(), layer.digest.clone());
    let asleep = Pausing::new(&world, &id, Call::CommitSentTwice, async move {
        others.post(&mounting("other", &digest, "app"), "").await.expect(201);
        others.delete(&blob("app", &digest)).await.expect(202);
    });
    let adopting = world.registry_on(asleep, Arc::clone(&world.clock) as _);
    assert_eq!(adopting.upload_adopt(&id).await.unwrap(), None);
    world.clock.advance(2 * HOUR);
    world.collect().await;
    assert_eq!(world.read_blob(&client, "other", &layer.digest).await, layer.bytes);
    world.fsck().await;
}

#[tokio::test]
async fn bytes_that_an_adopted_session_had_taken_itself_without_knowing_it_go() {
    let world = World::direct();
    let (client, id, layer) = sent(&world).await;
    let found = world.items.get(&[keys::upload(&id)]).await.unwrap().pop().unwrap().unwrap();
    let object = found.record.as_upload().unwrap().object.clone();
    let chunk = futures_util::stream::iter([Ok("chunk".into())]).boxed();
    // What a chunk leaves whose process dies, or whose store is busy, when the session has to be told.
    world.objects.append(&object, &mut AppendState::default(), chunk).await.unwrap();
    client.adopt(&id).await.unwrap().unwrap();
    assert_eq!(world.stored().await["object"], 2);
    world.collect_for(LONG_HOURS).await;
    world.assert_clean().await;
    assert_eq!(world.stored().await.get("object"), None, "nobody needed {} either", layer.digest);
}
