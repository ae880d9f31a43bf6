//! How clients upload past the registry: they are told where, send one PUT to the store, and go on with the manifest.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use oci::UploadId;
use registry::ports::{Clock, Timestamp};

use crate::client::{Ask, Client, committing, uploads};
use crate::world::World;

const HOUR: Duration = Duration::from_secs(60 * 60);

/// How long the bytes are kept for a manifest, once the edge has said 201.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where an upload is to be sent.
struct Offer {
    id: UploadId,
    location: String,
    /// When its session is over at the earliest.
    ends: Timestamp,
}

/// What becomes of the bytes on their way.
#[derive(Clone, Copy, Debug)]
enum Voyage {
    /// They arrive.
    Safe,
    /// They arrive, and arrive again.
    Twice,
    /// They never arrive.
    Lost,
    /// Others arrive than the client says.
    Swapped,
    /// They arrive, and others after them: the location can be used again.
    Overwritten,
    /// Others arrive first.
    Corrected,
    /// They arrive when the session is over.
    Late,
    /// They arrive, and the client cancels the upload.
    Cancelled,
    /// They arrive, and the client sends them to the registry as well.
    SentToBoth,
    /// They arrive, and the client sends chunks to the registry: once it has taken one, the upload is the client's to end.
    Chunked,
}

impl Voyage {
    const ALL: [Self; 14] = [
        Self::Safe,
        Self::Safe,
        Self::Safe,
        Self::Safe,
        Self::Twice,
        Self::Twice,
        Self::Lost,
        Self::Swapped,
        Self::Overwritten,
        Self::Corrected,
        Self::Late,
        Self::Cancelled,
        Self::SentToBoth,
        Self::Chunked,
    ];
}

impl Client {
    /// POST, and one PUT past the registry. The edge has said 201 to it, whatever the bytes were: the client goes on.
    pub(crate) async fn upload_direct(&self, repository: usize, number: usize) -> bool {
        let Some(offer) = self.offer(repository).await else { return false };
        let (world, voyage) = (&self.world, *self.dice.pick(&Voyage::ALL));
        self.tell(|| format!("{}: {voyage:?}", offer.id));
        for _ in 0..self.dice.below(3) {
            world.gate.nap().await;
        }
        let content = &world.universe.blobs[number];
        let (right, other) = (content.bytes.clone(), self.other_bytes(number));
        match voyage {
            Voyage::Safe => self.send_for_good(repository, number, &offer),
            Voyage::Twice => {
                self.send_for_good(repository, number, &offer);
                self.send_later(&offer, right, Duration::ZERO);
            }
            Voyage::Lost => return self.dice.one_in(2),
            Voyage::Swapped => world.arrive(&offer.id, other),
            Voyage::Overwritten => {
                world.arrive(&offer.id, right);
                self.send_later(&offer, other, Duration::ZERO);
            }
            Voyage::Corrected => {
                world.arrive(&offer.id, other);
                self.send_later(&offer, right, Duration::ZERO);
            }
            Voyage::Late => {
                self.send_later(&offer, right, world.plan.lifetimes.upload - HOUR);
                return self.dice.one_in(4);
            }
            Voyage::Cancelled => {
                world.arrive(&offer.id, right);
                self.send(Ask::new(Method::DELETE, offer.location)).await;
            }
            Voyage::SentToBoth => {
                world.arrive(&offer.id, right.clone());
                let ask = Ask::new(Method::PUT, committing(&offer.location, content)).with(right);
                return self.for_a_promise(repository, number, ask, 201).await;
            }
            Voyage::Chunked => {
                world.arrive(&offer.id, right);
                return self.go_on_in_chunks(number, &offer).await;
            }
        }
        true
    }

    async fn go_on_in_chunks(&self, number: usize, offer: &Offer) -> bool {
        let content = &self.world.universe.blobs[number];
        let mut first = content.bytes.clone();
        let last = first.split_off(first.len() / 2);
        let patch = Ask::new(Method::PATCH, offer.location.clone()).with(first);
        if self.send(patch).await.is_none_or(|reply| reply.status != 202) {
            return false;
        }
        let put = Ask::new(Method::PUT, committing(&offer.location, content)).with(last);
        let asked = self.world.clock.now();
        let Some(reply) = self.send(put).await else { return false };
        // Whose commit takes longer than a lease may find that what it has committed is over again.
        let is_prompt = self.world.clock.now() < asked.after(self.world.plan.lifetimes.lease);
        if reply.status == 404 && is_prompt && self.world.clock.now() < offer.ends {
            self.world.ledger.accuse(format!("{} had taken a chunk and is gone", offer.id));
        }
        reply.status == 201
    }

    /// Begins an upload by the edge; `None` if the client is not told to send its bytes there.
    async fn offer(&self, repository: usize) -> Option<Offer> {
        let session = self.world.plan.lifetimes.upload;
        let ends = self.world.clock.now().after(session);
        let reply = self.send(Ask::new(Method::POST, uploads(repository)).by_edge()).await?;
        let location = reply.header("location").to_owned();
        let id: UploadId = reply.header("docker-upload-uuid").parse().ok().filter(|_| reply.status == 202)?;
        if !location.contains("?X-Amz-Signature=") {
            self.world.ledger.accuse(format!("{id} came by the edge and is to go to {location}"));
        }
        self.world.arrivals.expect(&id, session);
        Some(Offer { id, location, ends })
    }

    /// The right bytes arrive, and no others ever do: they are kept for a manifest.
    fn send_for_good(&self, repository: usize, number: usize, offer: &Offer) {
        let world = &self.world;
        let since = world.ledger.moment();
        world.arrive(&offer.id, world.universe.blobs[number].bytes.clone());
        let until = world.clock.now().after(KEPT).min(offer.ends);
        world.ledger.kept(repository, number, since, until);
    }

    /// Bytes arrive when so much time has passed, and some more.
    fn send_later(&self, offer: &Offer, bytes: Bytes, rest: Duration) {
        let naps = self.dice.below(25);
        tokio::spawn(send_later(Arc::clone(&self.world), offer.id.clone(), bytes, rest, naps));
    }

    /// What another blob is made of, or none.
    fn other_bytes(&self, number: usize) -> Bytes {
        let blobs = &self.world.universe.blobs;
        match self.dice.below(2 * blobs.len()) {
            other if other < blobs.len() && other != number => blobs[other].bytes.clone(),
            _ => Bytes::from_static(b"nobody meant to send this"),
        }
    }
}

async fn send_later(world: Arc<World>, id: UploadId, bytes: Bytes, rest: Duration, naps: usize) {
    world.gate.rest(rest).await;
    for _ in 0..naps {
        world.gate.nap().await;
    }
    world.arrive(&id, bytes);
}
