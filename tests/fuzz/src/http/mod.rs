//! A conversation with a registry: requests as text, answers that have to be well-formed.

mod answer;
mod request;
mod world;

use std::sync::LazyLock;

use tokio::runtime::{Builder, Runtime};

use world::World;

/// Pushes an image, so that there is something to harm.
const BEGINNING: &[u8] = include_bytes!("beginning.http");

/// The most requests of one conversation, so that none takes long.
const REQUESTS_MAX: usize = 16;

/// Plays a conversation with a registry that has an image, and checks every answer and what is stored in the end.
pub fn play(conversation: &[u8]) {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().enable_time().build().unwrap());
    RUNTIME.block_on(async {
        let mut world = World::new();
        let beginning: Vec<u16> = world.play(BEGINNING, REQUESTS_MAX).await;
        assert_eq!(beginning, [201, 201, 201], "the beginning has to work");
        world.play(conversation, REQUESTS_MAX).await;
        world.check_storage().await;
    });
}
