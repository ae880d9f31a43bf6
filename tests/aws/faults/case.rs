//! One case: an operation, an attempt that fails, how it fails, and whether it fails for good.

use std::collections::BTreeSet;

use oci::{Algorithm, Digest};
use registry::jobs::fsck::{Severity, fsck};
use registry::records::{ManifestBody, Record};

use crate::client::Reply;
use crate::content::Things;
use crate::fault::{Call, Fault};
use crate::layer::Plan;
use crate::operations::Operation;
use crate::world::{Cloud, Items, World};

/// What is there in the end: items by their keys and states.
pub(crate) type Seen = BTreeSet<String>;

/// An operation, and everything that has to be there before.
pub(crate) struct Start {
    pub(crate) operation: Operation,
    world: World,
    /// The path of the upload, if there is one.
    upload: String,
}

impl Start {
    pub(crate) async fn new(cloud: &Cloud, things: &Things, operation: Operation) -> Self {
        let world = cloud.world().await;
        let upload = operation.prepare(&world, things).await;
        Self { operation, world, upload }
    }
}

/// Runs the operation without faults. Returns the calls that it makes, and what is there afterwards.
pub(crate) async fn faultless(cloud: &Cloud, things: &Things, start: &Start) -> (Vec<Call>, Seen) {
    let Start { operation, upload, .. } = start;
    let world = cloud.copy(&start.world).await;
    world.layer.begin(None);
    operation.run(&world, things, upload).await.expect(operation.status());
    let calls = world.layer.end();
    operation.complete(&world, things, upload).await;
    (calls, look(&world, *operation).await)
}

/// Runs the operation with this fault, repeats it unless it was answered as if there were none, and fails unless
/// everything is as it is without faults.
pub(crate) async fn faulty(cloud: &Cloud, things: &Things, start: &Start, plan: Plan, expected: &Seen) {
    let Start { operation, upload, .. } = start;
    let (operation, world) = (*operation, cloud.copy(&start.world).await);
    world.layer.begin(Some(plan));
    let reply = operation.run(&world, things, upload).await;
    let calls = world.layer.end();
    assert!(calls.len() > plan.at, "the fault has not happened: {calls:?}");
    assert_is_documented(operation, plan, &calls[plan.at], &reply);
    if reply.status != operation.status() {
        assert_sound(&world, &world.items(), operation).await;
        operation.repeat(&world, things, upload, busy_for(plan, &calls[plan.at])).await;
    }
    operation.complete(&world, things, upload).await;
    assert_eq!(look(&world, operation).await, *expected, "something else is there in the end");
}

/// One fault is made good by the adapters; those that persist are told as the documentation says.
fn assert_is_documented(operation: Operation, plan: Plan, call: &Call, reply: &Reply) {
    if reply.status == operation.status() {
        return;
    }
    assert!(
        plan.persists || is_told(operation, plan.fault, call),
        "{call:?} failed once, and the answer is {reply:?}"
    );
    match operation.is_request() {
        true => {
            assert_eq!(reply.status, plan.fault.told(), "{reply:?}");
            reply.assert_is_refusal(operation.is_head());
        }
        false => assert_eq!(reply.status, 503),
    }
}

/// Returns whether a fault is told even if it happens once.
///
/// The copy of a whole upload may take its time, so nobody can tell early that it hangs; and bytes that a client or a
/// hash has had already cannot be had again.
fn is_told(operation: Operation, fault: Fault, call: &Call) -> bool {
    let may_take_long = match call.operation.as_str() {
        "CopyObject" => operation.is_named(&["Adopt"]),
        name => name == "CompleteMultipartUpload",
    };
    fault == Fault::BrokenOff || (fault == Fault::Hung && may_take_long)
}

/// Returns how many repetitions are refused because the first attempt is still under way.
///
/// The client is answered after 27 s, but S3 may put parts together for 60 s; until then nobody else does it.
fn busy_for(plan: Plan, call: &Call) -> usize {
    usize::from(plan.fault == Fault::Hung && call.operation == "CompleteMultipartUpload")
}

/// Fails if a promise is broken, as far as that can be seen from storage.
async fn assert_sound(world: &World, items: &Items, operation: Operation) {
    let report = fsck(items, &world.direct.objects, operation.stores_bytes()).await.unwrap();
    let broken: Vec<_> =
        report.findings.iter().filter(|finding| finding.severity == Severity::Broken).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

async fn look(world: &World, operation: Operation) -> Seen {
    let items = world.items();
    assert_sound(world, &items, operation).await;
    items.0.iter().filter_map(|item| lasting(&item.key.pk, &item.key.sk, &item.record)).collect()
}

/// Returns what has to be the same whatever happened on the way.
fn lasting(pk: &str, sk: &str, record: &Record) -> Option<String> {
    let state = match record {
        Record::Repository(_)
        | Record::Catalog
        | Record::Edge(_)
        | Record::BlobEdge
        | Record::Referrer(_) => String::new(),
        Record::Tag(tag) => tag.digest.to_string(),
        Record::Manifest(manifest) => format!("{:?} {}", manifest.state, inline_digest(&manifest.body)),
        Record::Link(link) => format!("{:?} {} {:?}", link.state, link.size_bytes, link.origin),
        Record::Blob(blob) => format!("{:?} {}", blob.state, blob.size_bytes),
        // A repetition may tell the same thing again.
        Record::Event(event) => return Some(format!("{:?} {} {:?}", event.action, event.digest, event.tags)),
        // Garbage at worst, and the queue that watches over it.
        Record::History(_) | Record::Upload(_) | Record::OpenUpload | Record::Suspect(_) => return None,
        // Accounts are no part of these operations.
        _ => return None,
    };
    Some(format!("{pk} {sk}: {state}"))
}

fn inline_digest(body: &ManifestBody) -> String {
    match body {
        ManifestBody::Inline(bytes) => Digest::of(Algorithm::Sha256, bytes).to_string(),
        // The check of the store reads it.
        ManifestBody::Object(_) => "stored".to_owned(),
    }
}
