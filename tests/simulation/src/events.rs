//! Who tells the registry of what arrived past it: the store's events, and the clock for those that were lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use oci::UploadId;
use registry::ports::{Clock, VerifiedCopy};

use crate::dice::Dice;
use crate::world::{SERVERS, World};

/// The process that events and the clock wake; those before it answer requests.
const FUNCTION: usize = SERVERS;

/// How often an event comes that is not taken.
const TRIES: usize = 3;

/// How many uploads the clock's job reads at once: few, so that there are pages.
const PAGE: usize = 3;

impl World {
    /// The store has taken these bytes: it says so never, once or twice.
    pub(crate) fn arrive(self: &Arc<Self>, id: &UploadId, bytes: Bytes) {
        const EVENTS: [usize; 5] = [0, 0, 1, 1, 2];
        self.tell(|| format!("{} bytes of {id} arrive", bytes.len()));
        self.arrivals.note(id, &bytes);
        self.objects.receive(id.clone(), bytes);
        for _ in 0..*self.arrivals.dice.pick(&EVENTS) {
            tokio::spawn(carry(Arc::clone(self), id.clone()));
        }
    }

    /// Adopts in this process; returns whether that came to its end.
    async fn adopt(&self, process: usize, id: &UploadId) -> bool {
        let (registry, mut life) = self.registry(process);
        let began = self.clock.now();
        let adopted = tokio::select! {
            biased;
            _ = life.changed() => return false,
            adopted = registry.upload_adopt(id) => adopted,
        };
        self.tell(|| format!("adoption of {id}: {adopted:?}"));
        match adopted {
            Ok(blob) => {
                let objection = blob.and_then(|blob| self.arrivals.objection(id, &blob, began));
                objection.into_iter().for_each(|objection| self.ledger.accuse(objection));
                true
            }
            Err(error) if self.weather.is_fair() => {
                self.ledger.accuse(format!("adoption of {id}: {error}"));
                true
            }
            Err(_) => false,
        }
    }

    /// Adopts all that has arrived, at once and without harm.
    pub(crate) async fn adopt_calmly(&self) {
        let registry = self.calm_registry();
        let arrived = self.objects.arrived_uploads(None, usize::MAX).await.unwrap_or_default();
        for id in arrived.into_iter().map(|upload| upload.id) {
            match registry.upload_adopt(&id).await {
                Ok(blob) => {
                    let now = self.clock.now();
                    let objection = blob.and_then(|blob| self.arrivals.objection(&id, &blob, now));
                    objection.into_iter().for_each(|objection| self.ledger.accuse(objection));
                }
                Err(error) => self.ledger.accuse(format!("adoption of {id} in the end: {error}")),
            }
        }
    }
}

/// An event on its way, to whichever process: it may be late, and comes again if it was not taken.
async fn carry(world: Arc<World>, id: UploadId) {
    const HOURS: [u64; 8] = [0, 0, 0, 0, 0, 1, 14, 30];
    let dice = &world.arrivals.dice;
    let (rest, naps) = (*dice.pick(&HOURS), dice.below(12));
    world.gate.rest(Duration::from_secs(60 * 60 * rest)).await;
    for _ in 0..naps {
        world.gate.nap().await;
    }
    for _ in 0..TRIES {
        let process = *dice.pick(&[FUNCTION, FUNCTION, 0, 1]);
        if world.adopt(process, &id).await {
            return;
        }
        world.gate.nap().await;
    }
}

/// The job that the clock starts: it looks through all that has arrived.
pub(crate) async fn adopt_forgotten(world: Arc<World>, dice: Dice, is_over: Arc<AtomicBool>) {
    while !is_over.load(Ordering::SeqCst) {
        for _ in 0..=dice.below(60) {
            world.gate.nap().await;
        }
        world.tell(|| "the clock's adoptions begin".to_owned());
        let mut after = None;
        while let Some(ids) = arrived(&world, after.as_ref()).await {
            for id in &ids {
                world.adopt(FUNCTION, id).await;
            }
            match ids.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => break,
            }
        }
    }
}

/// Returns the next page; `None` if the store cannot say, or the process dies meanwhile.
async fn arrived(world: &World, after: Option<&UploadId>) -> Option<Vec<UploadId>> {
    let (copies, (_, mut life)) = (world.copies(FUNCTION), world.registry(FUNCTION));
    tokio::select! {
        biased;
        _ = life.changed() => None,
        arrived = copies.arrived_uploads(after, PAGE) => {
            Some(arrived.ok()?.into_iter().map(|upload| upload.id).collect())
        }
    }
}
