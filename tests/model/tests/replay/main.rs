//! Runs of the model, replayed on the registry: after every step both have the same stored.
//!
//! Each actor is a process of its own on the same stores in memory. Its calls wait at a gate, and the trace says which
//! of them happens next: the registry's code meets every other actor exactly where the model does.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod called;
mod client;
mod collector;
mod content;
mod gate;
mod picture;
mod world;

use model::keys::Suspect;
use model::trace::{Move, walk};
use model::{Action, Plan, Program, Step, scenarios};

use crate::gate::Pass;
use crate::picture::Picture;
use crate::world::World;

/// So many runs of each plan are replayed.
const RUNS: u64 = 150;

/// The registry tries no more often, and the model for ever.
const ATTEMPTS: usize = 10;

/// No run is longer.
const STEPS_MAX: usize = 120;

/// Steps that ask a store to change something, also when it refuses.
const WRITING: [Step; 27] = [
    Step::LinkAtOnce,
    Step::LinkByHandshake,
    Step::LinkConfirm,
    Step::UploadBegin,
    Step::UploadAppend,
    Step::DirectPut,
    Step::CopyUpload,
    Step::UploadCommit,
    Step::DiscardDuplicate,
    Step::WritePending,
    Step::ReferenceHold,
    Step::ManifestWithdraw,
    Step::ManifestCommit,
    Step::ManifestRevival,
    Step::ManifestEnd,
    Step::ManifestFlag,
    Step::TagDelete,
    Step::SuspectsDrop,
    Step::LinksFlag,
    Step::LinksRevive,
    Step::LinksDecide,
    Step::BlobsFlag,
    Step::BlobsRevive,
    Step::BlobsDecide,
    Step::ObjectDiscard,
    Step::DeadObjectsForget,
    Step::UploadsForget,
];

/// Does in the registry what was done in the model.
async fn replay(world: &mut World, plan: &Plan, done: &Move) -> Result<(), String> {
    match done.action {
        Action::Step { actor, step: Step::Due, choice } => {
            world.finish(actor).await;
            let suspect = Suspect::all().nth(choice).expect("the choice is a suspect");
            let suspected = world.suspected(suspect);
            world.start(actor, Program::Collect, 0, Some(&suspected));
            if let Suspect::Copy(_) = suspect {
                // What it is about is read by a step of its own.
                return Ok(());
            }
            step(world, actor, Step::Due, Pass::Once, done).await
        }
        Action::Step { actor, step: Step::UploadAdopt, choice } if plan.programs[actor] == Program::Adopt => {
            world.start_adoption(actor, choice);
            step(world, actor, Step::UploadAdopt, Pass::Once, done).await
        }
        Action::Step { actor, step: Step::LinkAtOnce, choice: 1 } => {
            world.attempt(actor, Pass::Refused).await;
            Ok(())
        }
        Action::Step { actor, step: name, .. } => step(world, actor, name, Pass::Once, done).await,
        Action::Resent(actor, name) => step(world, actor, name, Pass::Again, done).await,
        Action::Lost(actor, name) => {
            let result = step(world, actor, name, Pass::Once, done).await;
            begin_anew(world, plan, actor, done);
            result
        }
        Action::Crash(actor, _) => {
            begin_anew(world, plan, actor, done);
            Ok(())
        }
        Action::Replay(upload, blob) => {
            world.receive(upload, blob);
            Ok(())
        }
        Action::LeaseEnds(..) => Err("not replayed".to_owned()),
    }
}

/// The process dies; its client, if it has tries left, begins anew with another.
fn begin_anew(world: &mut World, plan: &Plan, actor: usize, done: &Move) {
    let next = done.after.actors[actor];
    match plan.programs[actor] {
        Program::Collect | Program::Adopt => world.stop(actor),
        _ if next.next == Step::Gone => world.stop(actor),
        program => world.start(actor, program, next.tries_left, None),
    }
}

/// What the model does in one step with another, the registry may do after it: the last write of a collection or of an
/// adoption, and the new suspicion of a copy that became nothing.
async fn settle(world: &mut World, plan: &Plan, done: &Move) {
    let Some((actor, step)) = done.step() else { return };
    let (program, next) = (plan.programs[actor], done.after.actors[actor].next);
    match (step, next) {
        (_, next) if program.is_endless() && next == program.first_step() => world.finish(actor).await,
        (Step::UploadCommit, Step::ManifestLook) => world.finish_adoption(actor).await,
        _ => {}
    }
    world.note(&done.after).await;
}

async fn step(world: &World, actor: usize, step: Step, pass: Pass, done: &Move) -> Result<(), String> {
    let after = &Picture::of_model(&done.after);
    if done.is_write && step != Step::SuspectsDrop {
        return world.write(actor, pass, after).await;
    }
    match step {
        // What comes next reads, too, and reads anew.
        Step::Due if done.after.actors[actor].next == Step::ManifestResume => world.read(actor).await,
        Step::Due => world.read_all(actor).await,
        step if WRITING.contains(&step) => world.attempt(actor, pass).await,
        _ => world.read(actor).await,
    }
    let found = world.picture().await;
    if found == *after { Ok(()) } else { Err(format!("wanted {after:#?}\nfound {found:#?}")) }
}

/// Returns whether somebody has lost so many races in a row that the registry would send them away.
fn is_given_up(moves: &[Move]) -> bool {
    let last = moves.last().and_then(Move::step);
    moves.iter().filter(|done| done.step() == last).count() >= ATTEMPTS
        && last.is_some_and(|(_, step)| step != Step::Due)
}

/// Replays one run; returns how many steps it had, or where both differ.
async fn replay_run(plan: &Plan, seed: u64) -> Result<usize, String> {
    let mut world = World::new(plan).await;
    for (actor, program) in plan.programs.iter().enumerate() {
        if !program.is_endless() {
            world.start(actor, *program, plan.tries, None);
        }
    }
    let mut moves = walk(plan, seed, STEPS_MAX);
    let end = (0..moves.len()).find(|&end| is_given_up(&moves[..=end]));
    moves.truncate(end.unwrap_or(moves.len()));
    for (number, done) in moves.iter().enumerate() {
        let result = replay(&mut world, plan, done).await;
        settle(&mut world, plan, done).await;
        if let Err(difference) = result {
            let steps = moves[..=number].iter().map(|done| format!("  {}\n", done.action));
            let steps: String = steps.collect();
            return Err(format!("{} seed {seed}, after\n{steps}{difference}", plan.name));
        }
    }
    world.collect_all().await;
    let last = moves.last().map_or_else(|| plan.begin(), |done| done.after);
    let wanted = last.collected(plan).map(|state| Picture::of_model(&state).unflagged());
    let found = world.picture().await.unflagged();
    match wanted {
        Some(wanted) if wanted != found => {
            Err(format!("{} seed {seed}, collected: wanted {wanted:#?}\nfound {found:#?}", plan.name))
        }
        _ => Ok(moves.len()),
    }
}

async fn replay_plan(name: &str) {
    let mut plan = scenarios::named(name).unwrap();
    if !collector::IS_THERE {
        plan.programs.retain(|program| *program != Program::Collect);
    }
    let mut steps = 0;
    let mut differences = Vec::new();
    for seed in 0..RUNS {
        match replay_run(&plan, seed).await {
            Ok(replayed) => steps += replayed,
            Err(difference) => differences.push(difference),
        }
    }
    println!("{name}: {RUNS} runs, {steps} steps");
    assert!(differences.is_empty(), "{} differ; the first:\n{}", differences.len(), differences[0]);
}

macro_rules! replayed {
    ($($test:ident: $plan:literal),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $test() {
                replay_plan($plan).await;
            }
        )*
    };
}

replayed! {
    a_push_beside_a_collector_is_as_in_the_model: "push-again",
    a_push_beside_two_collectors_is_as_in_the_model: "two-collectors",
    images_that_share_a_blob_are_as_in_the_model: "shared",
    a_deletion_beside_a_push_is_as_in_the_model: "delete-and-push",
    two_pushes_of_one_manifest_are_as_in_the_model: "same-push",
    a_mount_is_as_in_the_model: "mount",
    two_mounts_are_as_in_the_model: "two-mounts",
    an_index_is_as_in_the_model: "index",
    deletions_of_index_and_image_are_as_in_the_model: "index-goes",
    tags_that_move_are_as_in_the_model: "tags",
    a_deletion_of_a_blob_is_as_in_the_model: "delete-blob",
    pushes_to_two_repositories_are_as_in_the_model: "two-repositories",
    collectors_that_fail_are_as_in_the_model: "collectors-fail",
    a_push_of_two_blobs_is_as_in_the_model: "two-blobs",
    a_push_of_two_blobs_that_fails_is_as_in_the_model: "two-blobs-fail",
    manifests_without_a_tag_are_as_in_the_model: "untagged",
    a_push_whose_sessions_expire_is_as_in_the_model: "push",
    two_mounts_whose_sessions_expire_are_as_in_the_model: "two-mounts-expire",
    adoptions_are_as_in_the_model: "adopt",
    adoptions_of_other_bytes_are_as_in_the_model: "replay",
    collectors_that_look_at_all_are_as_in_the_model: "collectors-look-at-all",
}
