//! Bytes that do not pass the registry: clients send them to the object store, and read them there.

mod calls;
mod downloads;
mod events;
mod head_length;
mod locations;
mod manifests;
mod sessions;
mod waiting;

use oci::UploadId;
use registry::ports::{Condition, ItemStore, Write};
use registry::records::{Record, UploadRecord, keys};

use crate::client::Client;
use crate::content::Image;
use crate::world::World;

/// Returns a world with a client that comes by the edge.
fn world() -> (World, Client) {
    let world = World::direct();
    let client = world.client().by_edge();
    (world, client)
}

/// Sends both blobs of the image past the registry; nobody tells it.
async fn send_blobs(world: &World, client: &Client, repository: &str, image: &Image) -> [UploadId; 2] {
    [
        world.send_direct(client, repository, &image.config).await,
        world.send_direct(client, repository, &image.layer).await,
    ]
}

/// Changes what is remembered of an upload, as if it had been so from its beginning.
async fn change_upload(world: &World, id: &UploadId, change: impl FnOnce(&mut UploadRecord)) {
    let mut item = world.items.get(&[keys::upload(id)]).await.unwrap().remove(0).unwrap();
    let Record::Upload(upload) = &mut item.record else { panic!("{item:?}") };
    change(upload);
    world.items.transact(vec![Write::Put(item, Condition::Always)]).await.unwrap();
}
