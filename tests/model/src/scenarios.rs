//! The plans that are run: small ones that the tests try to their end, and a big one for the night.

use crate::actor::Program::{Adopt, Collect, DeleteBlob, DeleteManifest, DeleteTag, Hold, Push};
use crate::actor::Push as Pushing;
use crate::plan::Target::{Blob, Manifest};
use crate::plan::{ManifestPlan, Plan};
use crate::{Mutant, Program};

/// An image of one blob in each repository, and a second one beside the first.
const IMAGES: [ManifestPlan; 3] =
    [ManifestPlan::new(0, &[Blob(0)]), ManifestPlan::new(1, &[Blob(0)]), ManifestPlan::new(0, &[Blob(0)])];

/// An image of two blobs, and images of each of them.
const TWO_BLOBS: [ManifestPlan; 3] = [
    ManifestPlan::new(0, &[Blob(0), Blob(1)]),
    ManifestPlan::new(1, &[Blob(0)]),
    ManifestPlan::new(0, &[Blob(1)]),
];

/// The same, but the edges of the first need two transactions.
const WIDE: [ManifestPlan; 3] = [
    ManifestPlan::new(0, &[Blob(0), Blob(1)]).wide(),
    ManifestPlan::new(1, &[Blob(0)]),
    ManifestPlan::new(0, &[Blob(1)]),
];

/// An image, an index of it, and an image that shares its blob.
const INDEX: [ManifestPlan; 3] = [
    ManifestPlan::new(0, &[Blob(0)]),
    ManifestPlan::new(0, &[Manifest(0)]),
    ManifestPlan::new(0, &[Blob(0)]),
];

/// The same, but the tags of the image need two transactions.
const MANY_TAGS: [ManifestPlan; 3] = [
    ManifestPlan::new(0, &[Blob(0)]).with_many_tags(),
    ManifestPlan::new(0, &[Manifest(0)]),
    ManifestPlan::new(0, &[Blob(0)]),
];

/// An image whose edges and tags need two transactions each.
const WIDE_MANY_TAGS: [ManifestPlan; 3] = [
    ManifestPlan::new(0, &[Blob(0), Blob(1)]).wide().with_many_tags(),
    ManifestPlan::new(0, &[Manifest(0)]),
    ManifestPlan::new(0, &[Blob(1)]),
];

/// Two images in the second repository, of a blob that the first one has.
const MOUNTS: [ManifestPlan; 3] =
    [ManifestPlan::new(0, &[Blob(0)]), ManifestPlan::new(1, &[Blob(0)]), ManifestPlan::new(1, &[Blob(0)])];

fn push(manifest: usize) -> Program {
    Push(Pushing::of(manifest))
}

fn tagged(manifest: usize, tag: usize) -> Program {
    Push(Pushing::of(manifest).tagged(tag))
}

fn mounting(manifest: usize) -> Program {
    Push(Pushing::of(manifest).mounting(0))
}

fn direct(manifest: usize) -> Program {
    Push(Pushing::of(manifest).direct())
}

/// Returns the plans that the tests run.
pub fn small() -> Vec<Plan> {
    let left_over = [push(0), DeleteManifest(0)];
    vec![
        Plan::new("push", IMAGES, &[tagged(0, 0), Collect]).expiring().with_faults(1),
        Plan::new("push-again", IMAGES, &[tagged(0, 0), Collect]).after(&left_over).with_faults(1),
        Plan::new("two-collectors", IMAGES, &[push(0), Collect, Collect]).after(&left_over).with_tries(0),
        Plan::new("two-blobs", TWO_BLOBS, &[push(0), Collect]).after(&left_over).with_tries(0),
        Plan::new("shared", IMAGES, &[DeleteManifest(0), push(2), Collect])
            .after(&[tagged(0, 0)])
            .with_faults(1),
        Plan::new("delete-and-push", IMAGES, &[DeleteManifest(0), push(0), Collect]).after(&[push(0)]),
        Plan::new("same-push", IMAGES, &[push(0), push(0), Collect]).after(&left_over).with_tries(0),
        Plan::new("mount", MOUNTS, &[mounting(1), Collect]).after(&left_over).with_faults(1),
        Plan::new("two-mounts", MOUNTS, &[mounting(1), mounting(2), Collect]).after(&left_over).with_tries(0),
        Plan::new("index", INDEX, &[tagged(1, 0), DeleteManifest(0), Collect])
            .after(&[push(0)])
            .with_faults(1),
        Plan::new("index-goes", INDEX, &[DeleteManifest(1), DeleteManifest(0), Collect])
            .after(&[push(0), tagged(1, 0)])
            .with_faults(1),
        Plan::new("tags", IMAGES, &[tagged(2, 0), DeleteTag(0), DeleteManifest(0), Collect])
            .after(&[tagged(0, 0)]),
        Plan::new("many-tags", MANY_TAGS, &[push(1), DeleteManifest(0), Collect])
            .with_tags_together()
            .after(&[tagged(0, 0), tagged(0, 1)])
            .with_faults(1),
        Plan::new("many-tags-again", MANY_TAGS, &[tagged(0, 0), DeleteManifest(0), Collect])
            .with_tags_together()
            .after(&[tagged(0, 0), tagged(0, 1)]),
        Plan::new("many-tags-wide", WIDE_MANY_TAGS, &[push(0), push(1), DeleteManifest(0)])
            .with_tags_together()
            .after(&[tagged(0, 0), tagged(0, 1)])
            .with_faults(1),
        Plan::new("untagged", INDEX, &[tagged(1, 0), DeleteTag(0), Collect])
            .after(&[tagged(0, 0)])
            .untagged_goes(),
        Plan::new("adopt", IMAGES, &[direct(0), Adopt, Collect]).with_tries(0).expiring(),
        Plan::new("replay", IMAGES, &[direct(0), Adopt]).replayed().with_tries(0),
        Plan::new("wide-delete", WIDE, &[push(0), DeleteManifest(0)]).after(&[push(0)]).with_faults(1),
        Plan::new("delete-blob", IMAGES, &[DeleteBlob(0, 0), push(0), Collect]).after(&left_over),
        Plan::new("lease", IMAGES, &[Hold(0, 0), push(2), Collect])
            .after(&left_over)
            .with_leases()
            .with_tries(0),
    ]
}

/// Returns the plans with many million states.
pub fn big() -> Vec<Plan> {
    let left_over = [push(0), DeleteManifest(0)];
    vec![
        Plan::new("wide", WIDE, &[push(0), DeleteManifest(0), Collect]).after(&[push(0)]).with_tries(0),
        Plan::new("wide-push", WIDE, &[push(0), Collect]).after(&left_over).with_tries(0),
        Plan::new("many-tags-wanted", MANY_TAGS, &[tagged(0, 0), push(1), DeleteManifest(0), Collect])
            .with_tags_together()
            .after(&[tagged(0, 0), tagged(0, 1)]),
        Plan::new("many-tags-wide-collected", WIDE_MANY_TAGS, &[push(1), DeleteManifest(0), Collect])
            .with_tags_together()
            .after(&[tagged(0, 0), tagged(0, 1)])
            .with_faults(1),
        Plan::new("many-tags-twice", MANY_TAGS, &[push(0), DeleteManifest(0), DeleteManifest(0), Collect])
            .with_tags_together()
            .after(&[tagged(0, 0), tagged(0, 1)]),
        Plan::new("two-blobs-fail", TWO_BLOBS, &[push(0), Collect])
            .after(&left_over)
            .with_tries(0)
            .with_faults(1),
        Plan::new("two-repositories", IMAGES, &[push(0), push(1), Collect]).after(&left_over).with_tries(0),
        Plan::new("two-mounts-expire", MOUNTS, &[mounting(1), mounting(2), Collect])
            .after(&left_over)
            .expiring()
            .with_tries(0),
        Plan::new("collectors-fail", IMAGES, &[push(0), Collect, Collect])
            .after(&left_over)
            .with_tries(0)
            .with_faults(1),
        Plan::new("collectors-look-at-all", IMAGES, &[push(0), Collect, Collect])
            .after(&left_over)
            .with_tries(0)
            .curious(),
    ]
}

/// Returns the plan of this name.
pub fn named(name: &str) -> Option<Plan> {
    small().into_iter().chain(big()).find(|plan| plan.name == name)
}

/// Returns the plan in which the checker finds what is wrong with the protocol.
pub fn of_mutant(mutant: Mutant) -> Option<Plan> {
    let name = match mutant {
        Mutant::NoHandshake | Mutant::EdgesAfterCommit | Mutant::LeaseAsSafety | Mutant::EventualLook => {
            "push-again"
        }
        Mutant::ReusedKey | Mutant::NoDead | Mutant::ForgottenSuspect | Mutant::DroppedSuspect => {
            "push-again"
        }
        Mutant::UnboundDelete => "same-push",
        Mutant::PendingRevivable => "two-mounts",
        Mutant::UnconditionalRevival => "push-again",
        Mutant::DyingReplaced => "two-repositories",
        Mutant::AdoptionToSessionKey => "replay",
        Mutant::UncheckedMount => "mount",
        Mutant::UnboundExpiry => "push",
        Mutant::DeleteWithoutLook => "index",
        Mutant::ForgottenObject => "push-again",
        Mutant::SilentWithdraw => "two-blobs",
        Mutant::UnguardedRest => "wide",
        Mutant::SingleLook => "adopt",
        Mutant::HastyExpiry => "push",
        Mutant::UnwatchedDelete => "wide",
        Mutant::BlindResume => "two-collectors",
        Mutant::TagsFirst | Mutant::DoomedRevived => "many-tags",
        Mutant::DoomedReplaced => "many-tags-again",
    };
    Some(named(name)?.broken_by(mutant))
}
