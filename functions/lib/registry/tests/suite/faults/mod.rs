//! Every storage call of every operation fails in every way; the client repeats; nothing is lost or made up.

mod adoptions;
mod operations;
mod sequences;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::client::Reply;
use crate::probe::Fault;
use crate::world::World;
use operations::{Operation, Things};

/// Runs the operation without faults. Returns how many calls it makes, and what can be seen afterwards.
async fn faultless(operation: Operation, things: &Things) -> (usize, Vec<(String, Reply)>) {
    let world = World::new();
    let location = operation.prepare(&world, things).await;
    let client = world.client();
    world.probe.reset();
    operation.run(&client, things, &location).await.expect(operation.status());
    let calls = world.probe.calls().len();
    operation.complete(&client, things, &location).await;
    world.fsck().await;
    (calls, things.look(&world.client()).await)
}

/// Runs the operation with this fault, and repeats it unless it was answered as if there had been none.
async fn faulty(operation: Operation, things: &Things, at: usize, fault: Fault) -> Vec<(String, Reply)> {
    let world = World::new();
    let location = operation.prepare(&world, things).await;
    let mut client = world.client();
    world.probe.plan(at, fault);
    let reply = operation.run(&client, things, &location).await;
    world.probe.reset();
    world.fsck().await;
    if fault == Fault::Killed {
        client = world.client();
    }
    if reply.status.as_u16() != operation.status() {
        assert!(matches!(reply.status.as_u16(), 429 | 503 | 202), "{reply:#?}");
        operation.repeat(&client, things, &location).await;
    }
    operation.complete(&client, things, &location).await;
    world.fsck().await;
    let seen = things.look(&client).await;
    assert_eq!(seen, things.look(&world.client()).await, "another process sees something else");
    seen
}

/// Tries every fault at every call of the operation.
async fn assert_any_fault_is_made_good(operation: Operation) {
    let things = Things::new();
    let (calls, expected) = faultless(operation, &things).await;
    let mut failed = Vec::new();
    for at in 0..calls {
        for fault in Fault::ALL {
            let case = AssertUnwindSafe(faulty(operation, &things, at, fault)).catch_unwind();
            match case.await {
                Ok(seen) if seen == expected => {}
                Ok(_) => failed.push(format!("{fault:?} at call {at}: something else is there in the end")),
                Err(_) => failed.push(format!("{fault:?} at call {at}: see the panic above")),
            }
        }
    }
    println!("{operation:?}: {} cases of call x fault", calls * Fault::ALL.len());
    assert!(failed.is_empty(), "{operation:?}, {calls} calls: {failed:#?}");
}

macro_rules! any_fault_is_made_good_at {
    ($($(#[$attribute:meta])* $name:ident: $operation:ident,)*) => {
        $(
            #[tokio::test]
            $(#[$attribute])*
            async fn $name() {
                assert_any_fault_is_made_good(Operation::$operation).await;
            }
        )*
    };
}

any_fault_is_made_good_at! {
    upload_begin: UploadBegin,
    upload_append: UploadAppend,
    upload_append_in_order: UploadAppendInOrder,
    upload_finish: UploadFinish,
    upload_finish_with_last_chunk: UploadFinishWithLastChunk,
    upload_finish_by_other_algorithm: UploadFinishByOtherAlgorithm,
    upload_finish_of_known_blob: UploadFinishOfKnownBlob,
    upload_cancel: UploadCancel,
    blob_post: BlobPost,
    mount: Mount,
    mount_from_anywhere: MountFromAnywhere,
    manifest_put: ManifestPut,
    manifest_put_moves_tag: ManifestPutMovesTag,
    manifest_put_many_tags: ManifestPutManyTags,
    manifest_put_large: ManifestPutLarge,
    manifest_put_without_blobs: ManifestPutWithoutBlobs,
    index_put: IndexPut,
    referrer_put: ReferrerPut,
    manifest_delete: ManifestDelete,
    manifest_delete_many_tags: ManifestDeleteManyTags,
    referrer_delete: ReferrerDelete,
    manifest_delete_of_child: ManifestDeleteOfChild,
    tag_delete: TagDelete,
    blob_delete: BlobDelete,
    blob_delete_of_layer: BlobDeleteOfLayer,
    head_with_renewal: HeadWithRenewal,
}
