//! How clients push: they look what is there, mount or upload the rest, and put the manifest.

use http::Method;
use registry::ports::Clock;

use crate::client::{Ask, Client, blob, committing, manifest, uploads};
use crate::content::{REPOSITORIES, TAGS};
use crate::ledger::Deed;

/// How often a client tries before it gives up.
const TRIES: usize = 6;

impl Client {
    /// Pushes the manifest and everything that it needs; returns whether that was acknowledged.
    pub(crate) async fn push(&self, repository: usize, number: usize, tag: Option<usize>) -> bool {
        for _ in 0..TRIES {
            if self.push_once(repository, number, tag).await {
                return true;
            }
        }
        false
    }

    async fn push_once(&self, repository: usize, number: usize, tag: Option<usize>) -> bool {
        let world = &self.world;
        let wanted = &world.universe.manifests[number];
        for &child in &wanted.children {
            if !Box::pin(self.push(repository, child, None)).await {
                return false;
            }
        }
        for &blob in &wanted.blobs {
            if !self.provide(repository, blob).await {
                return false;
            }
        }
        let begun = world.ledger.moment();
        let reference = tag.map_or(wanted.content.digest.as_str(), |tag| TAGS[tag]);
        let deed = Deed::Push { repository, manifest: number, tag };
        let ask = Ask::put(manifest(repository, reference), &wanted.content).with_deed(deed);
        let Some(reply) = self.send(ask).await else { return false };
        if reply.status == 400 {
            self.object_to_refusal(repository, number, begun);
        }
        reply.status == 201
    }

    /// What was promised has to be there for the manifest.
    fn object_to_refusal(&self, repository: usize, number: usize, begun: u64) {
        let ledger = &self.world.ledger;
        let wanted = &self.world.universe.manifests[number];
        let has_blobs = wanted.blobs.iter().all(|&blob| ledger.is_kept(repository, blob, begun));
        let has_children = wanted.children.iter().all(|&child| {
            ledger.has_to_be_there(repository, child, begun) && !self.world.weather.takes_untagged()
        });
        if has_blobs && has_children {
            ledger
                .accuse(format!("manifest {number} is refused in {repository}, and nothing can be missing"));
        }
    }

    /// Sees to it that the repository has the blob.
    async fn provide(&self, repository: usize, number: usize) -> bool {
        if self.head_blob(repository, number).await {
            return true;
        }
        if self.world.plan.is_cloud && !self.dice.one_in(4) {
            return self.upload_direct(repository, number).await;
        }
        match self.dice.below(6) {
            0 | 1 => self.mount(repository, number).await,
            2 => self.upload_at_once(repository, number).await,
            3 => self.upload_in_chunks(repository, number).await,
            _ => self.upload(repository, number).await,
        }
    }

    /// Asks for the blob, to rely on it.
    pub(crate) async fn head_blob(&self, repository: usize, number: usize) -> bool {
        let path = blob(repository, &self.world.universe.blobs[number]);
        self.for_a_promise(repository, number, Ask::new(Method::HEAD, path), 200).await
    }

    /// Sends a request that promises the blob if it is answered like this.
    pub(crate) async fn for_a_promise(
        &self,
        repository: usize,
        number: usize,
        ask: Ask,
        status: u16,
    ) -> bool {
        self.ask_for_a_promise(repository, number, ask, status).await == Some(status)
    }

    /// Does the same; returns how it was answered.
    pub(crate) async fn ask_for_a_promise(
        &self,
        repository: usize,
        number: usize,
        ask: Ask,
        status: u16,
    ) -> Option<u16> {
        let ledger = &self.world.ledger;
        let (since, asked) = (ledger.moment(), self.world.clock.now());
        let reply = self.send(ask).await?;
        if reply.status == status {
            ledger.promised(repository, number, since, asked);
        } else if reply.status == 404 && status == 200 && ledger.is_promised(repository, number, since) {
            ledger.accuse(format!("blob {number} was promised in {repository}, and is not there"));
        }
        Some(reply.status)
    }

    async fn mount(&self, repository: usize, number: usize) -> bool {
        let content = &self.world.universe.blobs[number];
        let begin = format!("{}?mount={}", uploads(repository), content.digest);
        let begin = match self.dice.one_in(2) {
            true => format!("{begin}&from={}", REPOSITORIES[1 - repository]),
            false => begin,
        };
        self.for_a_promise(repository, number, Ask::new(Method::POST, begin), 201).await
    }

    /// POST with all bytes.
    async fn upload_at_once(&self, repository: usize, number: usize) -> bool {
        let content = &self.world.universe.blobs[number];
        let path = committing(&uploads(repository), content);
        let ask = Ask::new(Method::POST, path).with(content.bytes.clone());
        self.for_a_promise(repository, number, ask, 201).await
    }

    /// POST, then PUT with all bytes.
    async fn upload(&self, repository: usize, number: usize) -> bool {
        let content = &self.world.universe.blobs[number];
        let Some(location) = self.begin(repository).await else { return false };
        for _ in 0..TRIES {
            let ask = Ask::new(Method::PUT, committing(&location, content)).with(content.bytes.clone());
            if self.for_a_promise(repository, number, ask, 201).await {
                return true;
            }
        }
        false
    }

    /// Begins an upload; returns where it is.
    pub(crate) async fn begin(&self, repository: usize) -> Option<String> {
        let reply = self.send(Ask::new(Method::POST, uploads(repository))).await?;
        (reply.status == 202).then(|| reply.header("location").to_owned())
    }
}
