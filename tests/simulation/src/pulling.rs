//! How clients pull: what they get has to be whole, byte for byte.

use std::sync::Arc;

use registry::ports::Clock;

use crate::client::{Client, Reply, blob, manifest};
use crate::content::{Manifest, TAGS};

impl Client {
    /// Pulls what the tag leads to.
    pub(crate) async fn pull_tag(&self, repository: usize, tag: usize) {
        self.pull_reference(repository, TAGS[tag]).await;
    }

    /// Pulls the manifest by its digest.
    pub(crate) async fn pull(&self, repository: usize, number: usize) {
        let digest = self.world.universe.manifests[number].content.digest.to_string();
        self.pull_reference(repository, &digest).await;
    }

    async fn pull_reference(&self, repository: usize, reference: &str) {
        let world = Arc::clone(&self.world);
        let (since, at) = (world.ledger.moment(), world.clock.now());
        let Some(reply) = self.get(manifest(repository, reference)).await else { return };
        if reply.status != 200 {
            return;
        }
        let Some(number) = world.universe.manifest_of(reply.header("docker-content-digest")) else {
            return world.ledger.accuse(format!("{reference} leads to something that nobody pushed"));
        };
        let wanted = &world.universe.manifests[number];
        self.compare(&format!("manifest {number}"), &reply, &wanted.content.bytes);
        let is_excused = || {
            world.weather.takes_untagged()
                || world.ledger.may_have_been_deleted(repository, number, since, at)
        };
        self.pull_references(repository, number, wanted, &is_excused).await;
    }

    /// Everything that the manifest names has to be there, unless somebody deleted it meanwhile.
    async fn pull_references(
        &self,
        repository: usize,
        number: usize,
        wanted: &Manifest,
        is_excused: &(impl Fn() -> bool + Sync),
    ) {
        let universe = &self.world.universe;
        let blobs = wanted.blobs.iter().map(|&number| &universe.blobs[number]);
        let blobs = blobs.map(|content| (blob(repository, content), content));
        let children = wanted.children.iter().map(|&number| &universe.manifests[number].content);
        let children = children.map(|content| (manifest(repository, content.digest.as_str()), content));
        for (path, content) in blobs.chain(children) {
            let Some(reply) = self.get(path.clone()).await else { continue };
            match reply.status {
                200 => self.compare(&path, &reply, &content.bytes),
                404 if !is_excused() => {
                    self.world.ledger.accuse(format!("manifest {number} is there and {path} is not"));
                }
                _ => {}
            }
        }
    }

    fn compare(&self, what: &str, reply: &Reply, wanted: &[u8]) {
        if reply.body != wanted {
            self.world.ledger.accuse(format!("{what} has other bytes than it was pushed with"));
        }
    }
}
