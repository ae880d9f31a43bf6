//! A client: what it does, and what it knows to be there afterwards.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use test_support::content::sha256;

use crate::CLIENTS;
use crate::client::{Client, STYLES};
use crate::pool::{Content, IMAGES, Image, Pool, index};
use crate::shelf::{Shelf, Tagged};
use crate::tally::{Event, Tally};
use crate::trouble::Trouble;

/// How many repositories each client has.
const REPOSITORIES: usize = 2;

const TAGS: [&str; 3] = ["a", "b", "c"];

/// How long to wait for a server that was killed, or for a collection.
const PAUSE: Duration = Duration::from_millis(15);

pub(crate) struct Worker {
    dice: fastrand::Rng,
    client: Client,
    pool: Arc<Pool>,
    tally: Arc<Tally>,
    shelves: Vec<Shelf>,
}

fn repository(client: u64, number: usize) -> String {
    format!("client-{client}/repository-{number}")
}

impl Worker {
    pub(crate) fn new(id: u64, seed: u64, url: &str, pool: Arc<Pool>, tally: Arc<Tally>) -> Self {
        let shelves = (0..REPOSITORIES).map(|number| Shelf::new(repository(id, number))).collect();
        let dice = fastrand::Rng::with_seed(seed.wrapping_mul(1000) + id);
        Self { dice, client: Client::new(url, Arc::clone(&tally)), pool, tally, shelves }
    }

    pub(crate) async fn work(&mut self) {
        while !self.tally.is_over() {
            if self.tally.is_ahead() {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let shelf = self.dice.usize(..REPOSITORIES);
            let tag = TAGS[self.dice.usize(..TAGS.len())];
            match self.dice.u8(..100) {
                0..27 => self.push(shelf, tag).await,
                27..32 => self.push_index(shelf, tag).await,
                32..56 => self.pull(shelf, tag).await,
                56..65 => self.pull_foreign().await,
                65..73 => self.delete_tag(shelf, tag).await,
                73..97 => self.delete_manifest(shelf).await,
                _ => self.abandon(shelf).await,
            }
        }
    }

    /// Returns whether it is to be tried again; what nobody should see is complained about.
    async fn again(&self, trouble: &Trouble) -> bool {
        match trouble {
            Trouble::Cut(_) if self.tally.has_kills() => {
                self.tally.cut.fetch_add(1, Relaxed);
                tokio::time::sleep(PAUSE).await;
                return true;
            }
            Trouble::Late => {
                self.tally.late.fetch_add(1, Relaxed);
                return true;
            }
            Trouble::Cut(error) => self.tally.complain(format!("no answer: {error}")),
            Trouble::Wrong(answer) => self.tally.complain(answer.clone()),
        }
        false
    }

    fn image(&mut self) -> Image {
        self.pool.images[self.dice.usize(..IMAGES)].clone()
    }

    async fn push(&mut self, shelf: usize, tag: &str) {
        let image = self.image();
        let tagged = Tagged { manifest: image.manifest.clone(), images: vec![image] };
        if self.put(shelf, tag, &tagged).await {
            self.shelves[shelf].put(tag, tagged);
            self.tally.add(Event::Push);
        }
    }

    async fn push_index(&mut self, shelf: usize, tag: &str) {
        let images = [self.image(), self.image()];
        let manifest = index(&[&images[0], &images[1]]);
        let tagged = Tagged { manifest, images: images.to_vec() };
        if self.put(shelf, tag, &tagged).await {
            self.shelves[shelf].put(tag, tagged);
            self.tally.add(Event::IndexPush);
        }
    }

    /// Repeats the push until it was acknowledged; returns whether it was.
    async fn put(&mut self, shelf: usize, tag: &str, tagged: &Tagged) -> bool {
        loop {
            let from = self
                .dice
                .bool()
                .then(|| repository(self.dice.u64(..CLIENTS), self.dice.usize(..REPOSITORIES)));
            let style = STYLES[self.dice.usize(..STYLES.len())];
            let repository = &self.shelves[shelf].repository;
            let putting = async {
                for image in &tagged.images {
                    let begun = Instant::now();
                    for blob in &image.blobs {
                        self.client.blob_ensure(repository, from.as_deref(), blob, style).await?;
                    }
                    let is_tagged = image.manifest.digest == tagged.manifest.digest;
                    let reference = if is_tagged { tag } else { &image.manifest.digest };
                    self.client.manifest_put(repository, reference, &image.manifest, begun).await?;
                }
                match tagged.images.iter().any(|image| image.manifest.digest == tagged.manifest.digest) {
                    true => Ok(()),
                    false => {
                        self.client.manifest_put(repository, tag, &tagged.manifest, Instant::now()).await
                    }
                }
            };
            match putting.await {
                Ok(()) => return true,
                Err(trouble) if self.again(&trouble).await => {}
                Err(_) => return false,
            }
        }
    }

    async fn pull(&self, shelf: usize, tag: &str) {
        let Shelf { repository, tags, .. } = &self.shelves[shelf];
        loop {
            let pulling = async {
                let Some(tagged) = tags.get(tag) else {
                    return self.client.get(&manifest_path(repository, tag)).await?.expect(&[404]).map(drop);
                };
                self.compare(&manifest_path(repository, tag), &tagged.manifest).await?;
                for image in &tagged.images {
                    self.compare(&manifest_path(repository, &image.manifest.digest), &image.manifest).await?;
                    for blob in &image.blobs {
                        self.compare(&format!("/v2/{repository}/blobs/{}", blob.digest), blob).await?;
                    }
                }
                Ok(())
            };
            match pulling.await {
                Ok(()) => return self.tally.add(Event::Pull),
                Err(trouble) if self.again(&trouble).await => {}
                Err(_) => return,
            }
        }
    }

    async fn compare(&self, path: &str, expected: &Content) -> Result<(), Trouble> {
        let reply = self.client.get(path).await?.expect(&[200])?;
        match reply.body == expected.bytes {
            true => Ok(()),
            false => Err(Trouble::Wrong(format!("{path}: {} other bytes", reply.body.len()))),
        }
    }

    /// Reads what another client may take away at any moment: it is whole, or it is not there.
    async fn pull_foreign(&mut self) {
        let repository = repository(self.dice.u64(..CLIENTS), self.dice.usize(..REPOSITORIES));
        let image = self.image();
        let manifest = std::iter::once((manifest_path(&repository, &image.manifest.digest), &image.manifest));
        let blobs = image.blobs.iter().map(|blob| (format!("/v2/{repository}/blobs/{}", blob.digest), blob));
        for (path, content) in manifest.chain(blobs) {
            let torn = || Trouble::Wrong(format!("{path}: bytes of another digest"));
            let reading = async {
                let reply = self.client.get(&path).await?.expect(&[200, 404])?;
                let is_whole = reply.status == 404 || sha256(&reply.body) == content.digest;
                if is_whole { Ok(()) } else { Err(torn()) }
            };
            // What was cut off says nothing.
            if let Err(trouble) = reading.await {
                self.again(&trouble).await;
            }
        }
        self.tally.add(Event::ForeignPull);
    }

    async fn delete_tag(&mut self, shelf: usize, tag: &str) {
        let Shelf { repository, tags, .. } = &self.shelves[shelf];
        let expected = if tags.contains_key(tag) { 202 } else { 404 };
        if self.delete(&manifest_path(repository, tag), expected).await {
            self.shelves[shelf].tags.remove(tag);
            self.tally.add(Event::TagDelete);
        }
    }

    async fn delete_manifest(&mut self, shelf: usize) {
        let shelf = &self.shelves[shelf];
        let deletable: Vec<&str> = shelf
            .manifests
            .iter()
            .map(|(_, digest)| digest.as_str())
            .filter(|digest| !shelf.is_listed(digest))
            .collect();
        let Some(digest) = self.dice.choice(deletable).map(ToOwned::to_owned) else { return };
        let repository = shelf.repository.clone();
        if self.delete(&manifest_path(&repository, &digest), 202).await {
            let shelf = self.shelves.iter_mut().find(|shelf| shelf.repository == repository);
            shelf.unwrap().deleted(&digest);
            self.tally.add(Event::ManifestDelete);
        }
    }

    /// Repeats the deletion until it was acknowledged; after one that was cut off it may be gone.
    async fn delete(&self, path: &str, expected: u16) -> bool {
        let mut statuses = vec![expected];
        loop {
            let deleted = async { self.client.delete(path).await?.expect(&statuses) };
            match deleted.await {
                Ok(_) => return true,
                Err(trouble) if self.again(&trouble).await => statuses.push(404),
                Err(_) => return false,
            }
        }
    }

    /// Begins to send something and never comes back.
    async fn abandon(&self, shelf: usize) {
        let sending = async {
            let location = self.client.upload_begin(&self.shelves[shelf].repository).await?;
            self.client.upload_patch(&location, Bytes::from_static(b"a part")).await
        };
        if let Err(trouble) = sending.await {
            self.again(&trouble).await;
        }
        self.tally.add(Event::Abandon);
    }

    /// Pulls everything that was acknowledged.
    pub(crate) async fn check_all(&self) {
        for shelf in 0..self.shelves.len() {
            for tag in TAGS {
                self.pull(shelf, tag).await;
            }
        }
    }

    /// Deletes everything, indexes first.
    pub(crate) async fn delete_all(&mut self) {
        for shelf in 0..self.shelves.len() {
            let Shelf { repository, manifests, .. } = &self.shelves[shelf];
            for (_, digest) in manifests {
                self.delete(&manifest_path(repository, digest), 202).await;
            }
        }
    }
}

fn manifest_path(repository: &str, reference: &str) -> String {
    format!("/v2/{repository}/manifests/{reference}")
}
