//! Every storage call of every operation fails in every way; the client repeats; nothing is lost or made up.

mod actions;
mod adoptions;
mod operations;
mod sequences;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::client::Reply;
use crate::probe::Fault;
use crate::world::World;
use operations::{Operation, Things};

/// What can be seen: each path, and its answer.
type Seen = Vec<(String, Reply)>;

/// What comes of an operation without faults.
struct Faultless {
    calls: usize,
    seen: Seen,
    /// When the leases have ended.
    seen_later: Seen,
}

/// Runs the operation without faults.
async fn faultless(operation: Operation, things: &Things) -> Faultless {
    let world = World::new();
    let location = operation.prepare(&world, things).await;
    let client = world.client();
    world.probe.reset();
    operation.run(&client, things, &location).await.expect(operation.status());
    let calls = world.probe.calls().len();
    operation.complete(&client, things, &location).await;
    world.fsck().await;
    let seen = things.look(&world.client()).await;
    let_leases_end(&world).await;
    Faultless { calls, seen, seen_later: things.look(&world.client()).await }
}

/// Collects what is held by leases alone: those of a delayed operation run out at another time.
async fn let_leases_end(world: &World) {
    world.clock.advance(std::time::Duration::from_secs(25 * 60 * 60));
    world.collect().await;
    world.fsck().await;
}

/// Runs the operation with this fault, and repeats it unless it was answered as if there had been none.
async fn faulty(operation: Operation, things: &Things, at: usize, fault: Fault) -> Seen {
    let world = World::new();
    let location = operation.prepare(&world, things).await;
    let mut client = world.client();
    world.probe.plan(at, fault);
    let reply = operation.run(&client, things, &location).await;
    world.probe.reset();
    world.fsck().await;
    if fault.kills() {
        client = world.client();
    }
    if reply.status.as_u16() != operation.status() {
        let is_told = matches!(reply.status.as_u16(), 429 | 503 | 202);
        assert!(
            is_told || fault == Fault::Delayed && matches!(reply.status.as_u16(), 400 | 404),
            "{reply:#?}"
        );
        if fault == Fault::Delayed {
            operation.provide(&client, things).await;
        }
        operation.repeat(&client, things, &location).await;
    }
    operation.complete(&client, things, &location).await;
    world.fsck().await;
    if fault == Fault::Delayed {
        let_leases_end(&world).await;
    }
    let seen = things.look(&client).await;
    assert_eq!(seen, things.look(&world.client()).await, "another process sees something else");
    seen
}

/// Tries every fault at every call of the operation.
async fn assert_any_fault_is_made_good(operation: Operation) {
    let things = Things::new();
    let Faultless { calls, seen: at_once, seen_later } = faultless(operation, &things).await;
    let mut failed = Vec::new();
    for at in 0..calls {
        for fault in Fault::ALL {
            let expected = if fault == Fault::Delayed { &seen_later } else { &at_once };
            let case = AssertUnwindSafe(faulty(operation, &things, at, fault)).catch_unwind();
            match case.await {
                Ok(seen) if seen == *expected => {}
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

        /// Every operation that is tried.
        const TRIED: &[Operation] = &[$(Operation::$operation),*];
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
    referrer_delete_wide: ReferrerDeleteWide,
    referrer_delete: ReferrerDelete,
    manifest_delete_of_child: ManifestDeleteOfChild,
    tag_delete: TagDelete,
    blob_delete: BlobDelete,
    blob_delete_of_layer: BlobDeleteOfLayer,
    head_with_renewal: HeadWithRenewal,
    ping: Ping,
    catalog_list: CatalogList,
    tag_list: TagList,
    referrer_list: ReferrerList,
    manifest_get: ManifestGet,
    manifest_get_large: ManifestGetLarge,
    blob_get: BlobGet,
    upload_status: UploadStatus,
}

#[tokio::test]
async fn the_table_of_operation_and_call_and_fault_has_hundreds_of_cases() {
    let (things, mut cases) = (Things::new(), 0);
    for operation in TRIED {
        let Faultless { calls, .. } = faultless(*operation, &things).await;
        println!("{operation:?}: {calls} calls x {} faults", Fault::ALL.len());
        cases += calls * Fault::ALL.len();
    }
    println!("{} operations, {cases} cases", TRIED.len());
    assert!(cases >= 400, "only {cases} cases");
}
