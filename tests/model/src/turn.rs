//! One actor's turn: what the steps have in common, and which function each step is.

use crate::Mutant;
use crate::actor::{Actor, Program, Push, Step};
use crate::keys::{Key, Suspect, small};
use crate::plan::{Plan, Target};
use crate::state::State;

/// A step being done.
pub(crate) struct Turn<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) state: &'a mut State,
    pub(crate) who: usize,
    pub(crate) program: Program,
    /// Which of several ways the step goes.
    pub(crate) choice: usize,
    /// Items that the step has written: a bit each.
    pub(crate) written: u64,
}

impl Turn<'_> {
    /// Does the actor's next step.
    pub(crate) fn run(&mut self) {
        match self.me().next {
            Step::Gone => {}
            Step::BlobHead => self.blob_head(),
            Step::BlobMountFrom => self.blob_mount_from(),
            Step::LinkAtOnce => self.link_at_once(),
            Step::LinkByHandshake => self.link_by_handshake(),
            Step::BlobKeeps => self.blob_keeps(),
            Step::LinkConfirm => self.link_confirm(),
            Step::UploadBegin => self.upload_begin(),
            Step::UploadSeen => self.upload_seen(),
            Step::UploadAppend => self.upload_append(),
            Step::DirectPut => self.direct_put(),
            Step::FinishOnce => self.finish_once(),
            Step::UploadCommit => self.upload_commit(),
            Step::DiscardDuplicate => self.discard_duplicate(),
            Step::UploadAdopt => self.upload_adopt(),
            Step::CopyUpload => self.copy_upload(),
            Step::WritePending => self.write_pending(),
            Step::WritePendingRest => self.write_pending_rest(),
            Step::ManifestLook => self.manifest_look(),
            Step::ReferenceHold => self.reference_hold(),
            Step::ManifestWithdraw => self.manifest_withdraw(),
            Step::ManifestWithdrawRest => self.manifest_withdraw_rest(),
            Step::ManifestCommit => self.manifest_commit(),
            Step::EdgesAfterCommit => self.edges_after_commit(),
            Step::TagDelete => self.tag_delete(),
            Step::ManifestFlag => self.manifest_flag(),
            Step::EdgesTo => self.edges_to(),
            Step::ManifestResume => self.manifest_resume(),
            Step::ManifestRevival => self.manifest_revival(),
            Step::TagsRemove => self.tags_remove(),
            Step::ManifestHide => self.manifest_hide(),
            Step::ManifestRemoval => self.manifest_removal(0, Step::ManifestRemovalRest),
            Step::ManifestRemovalRest => self.manifest_removal(1, Step::ManifestEnd),
            Step::ManifestEnd => self.manifest_end(),
            Step::Due => self.due(),
            Step::SuspectsDrop => self.settle(),
            Step::LinksFlag => self.links_flag(),
            Step::LinksLook => self.links_look(),
            Step::LinksRevive => self.links_revive(),
            Step::LinksDecide => self.links_decide(),
            Step::BlobsFlag => self.blobs_flag(),
            Step::BlobsLook => self.blobs_look(),
            Step::BlobsRevive => self.blobs_revive(),
            Step::BlobsDecide => self.blobs_decide(),
            Step::ObjectDiscard => self.object_discard(),
            Step::DeadObjectsForget => self.dead_objects_forget(),
            Step::UploadsLook => self.uploads_look(),
            Step::UploadsForget => self.uploads_forget(),
            Step::AdoptionLook => self.adoption_look(),
            Step::AdoptionLookAgain => self.adoption_look_again(),
        }
    }

    pub(crate) fn me(&self) -> &Actor {
        &self.state.actors[self.who]
    }

    pub(crate) fn me_mut(&mut self) -> &mut Actor {
        &mut self.state.actors[self.who]
    }

    pub(crate) fn program(&self) -> Program {
        self.program
    }

    pub(crate) fn is_broken_by(&self, mutant: Mutant) -> bool {
        self.plan.mutant == Some(mutant)
    }

    /// Goes on with this step.
    pub(crate) fn then(&mut self, next: Step) {
        self.me_mut().next = next;
    }

    /// Notes that the item has a version that nobody knows.
    pub(crate) fn wrote(&mut self, key: Key) {
        self.state.wrote(key);
        self.written |= key.bit();
    }

    /// Remembers the item's version.
    pub(crate) fn learn(&mut self, key: Key) {
        self.me_mut().knows |= key.bit();
    }

    /// Writes the item and remembers its version.
    pub(crate) fn wrote_own(&mut self, key: Key) {
        self.wrote(key);
        self.learn(key);
    }

    /// Returns whether the item is as the actor remembers it.
    pub(crate) fn knows(&self, key: Key) -> bool {
        self.me().knows & key.bit() != 0
    }

    /// Puts the suspect in the review queue.
    pub(crate) fn suspect(&mut self, suspect: Suspect) {
        self.state.queue |= suspect.bit();
        self.wrote(Key::Suspect(suspect));
    }

    /// Takes the suspect from the queue, unless somebody has put it there again.
    pub(crate) fn clear(&mut self, suspect: Suspect) {
        if self.knows(Key::Suspect(suspect)) || self.is_broken_by(Mutant::DroppedSuspect) {
            self.state.queue &= !suspect.bit();
            self.wrote(Key::Suspect(suspect));
        }
    }

    /// The program is over, or begins again if it never ends.
    pub(crate) fn end(&mut self) {
        let (program, tries_left) = (self.program(), self.me().tries_left);
        *self.me_mut() =
            if program.is_endless() { Actor::beginning(program, tries_left) } else { Actor::gone() };
    }

    /// The request failed; the client tries again, or gives up.
    pub(crate) fn retry(&mut self) {
        match self.me().tries_left {
            0 => self.end(),
            tries_left => *self.me_mut() = Actor::beginning(self.program(), tries_left - 1),
        }
    }

    /// Returns what is pushed.
    pub(crate) fn push(&self) -> Option<Push> {
        if let Program::Push(push) = self.program() { Some(push) } else { None }
    }

    /// Returns the suspect that a collector is at.
    pub(crate) fn suspected(&self) -> Option<Suspect> {
        Suspect::all().nth(usize::from(self.me().at)).filter(|_| self.program() == Program::Collect)
    }

    /// Returns the manifest that it is all about.
    pub(crate) fn manifest(&self) -> usize {
        match (self.program(), self.suspected()) {
            (Program::Push(_), _) if self.me().ends != crate::keys::NONE => usize::from(self.me().ends),
            (Program::Push(push), _) => push.manifest,
            (Program::DeleteManifest(manifest), _)
            | (_, Some(Suspect::Manifest(manifest) | Suspect::Pending(manifest))) => manifest,
            other => unreachable!("{other:?} is about no manifest"),
        }
    }

    /// Returns the link that it is all about.
    pub(crate) fn link(&self) -> (usize, usize) {
        match (self.program(), self.suspected()) {
            (Program::DeleteBlob(repository, blob) | Program::Hold(repository, blob), _)
            | (_, Some(Suspect::Link(repository, blob))) => (repository, blob),
            (Program::Push(push), _) => {
                let repository = self.plan.manifests[push.manifest].repository;
                (repository, self.wanted_blob().unwrap_or_default())
            }
            other => unreachable!("{other:?} is about no link"),
        }
    }

    /// Returns the blob that a push is at.
    pub(crate) fn wanted_blob(&self) -> Option<usize> {
        let references = self.plan.manifests[self.push()?.manifest].references;
        let blobs = references.iter().filter_map(|target| match target {
            Target::Blob(blob) => Some(*blob),
            Target::Manifest(_) => None,
        });
        blobs.into_iter().nth(usize::from(self.me().at))
    }

    /// Goes on to the next blob of a push, or to its manifest.
    pub(crate) fn next_blob(&mut self) {
        let (at, tries_left) = (self.me().at + 1, self.me().tries_left);
        *self.me_mut() = Actor { at, ..Actor::at_step(Step::BlobHead, tries_left) };
        if self.wanted_blob().is_none() {
            self.go_to_manifest();
        }
    }

    /// Goes on with the manifest, from its beginning.
    pub(crate) fn go_to_manifest(&mut self) {
        let (upload, tries_left) = (self.me().upload, self.me().tries_left);
        *self.me_mut() = Actor { upload, ..Actor::at_step(Step::WritePending, tries_left) };
    }

    /// Returns the edges that lead to the target in the repository: manifest and group of each.
    pub(crate) fn edges_leading_to(&self, repository: usize, target: Target) -> Option<(usize, usize)> {
        let of = |manifest: usize| {
            let plan = &self.plan.manifests[manifest];
            let groups = plan.references.iter().enumerate().filter(|(_, to)| **to == target);
            let mut groups = groups.map(|(reference, _)| plan.group(reference));
            groups.find(|group| self.state.edges[manifest] & (1 << group) != 0)
        };
        let here = (0..self.plan.manifests.len())
            .filter(|&manifest| self.plan.manifests[manifest].repository == repository);
        here.filter_map(|manifest| Some((manifest, of(manifest)?))).next()
    }

    /// Puts what the edges of a group lead to in the review queue.
    pub(crate) fn suspect_references(&mut self, manifest: usize, group: usize) {
        let plan = self.plan.manifests[manifest];
        for (reference, target) in plan.references.iter().enumerate() {
            if plan.group(reference) == group {
                self.suspect(match *target {
                    Target::Blob(blob) => Suspect::Link(plan.repository, blob),
                    Target::Manifest(child) => Suspect::Manifest(child),
                });
            }
        }
    }

    /// Moves or removes the tag; what it pointed to is looked at.
    pub(crate) fn set_tag(&mut self, tag: usize, manifest: Option<usize>) {
        let after = manifest.map_or(crate::keys::NONE, small);
        let before = std::mem::replace(&mut self.state.tags[tag], after);
        if before != after && before != crate::keys::NONE {
            self.suspect(Suspect::Manifest(usize::from(before)));
        }
    }
}
