//! Steps of a manifest push (`registry::manifests::put`).

use crate::Mutant;
use crate::actor::{Actor, Step};
use crate::keys::{Key, NONE, Suspect, small};
use crate::plan::Target;
use crate::state::{LinkState, ManifestState};
use crate::turn::Turn;

impl Turn<'_> {
    /// Writes the manifest invisibly, with its edges, unless it is visible already.
    pub(crate) fn write_pending(&mut self) {
        let manifest = self.manifest();
        let me = self.me_mut();
        (me.at, me.misses, me.flagged) = (0, false, 0);
        match self.state.manifests[manifest] {
            // Tags lead to it: it goes with them before it can come anew.
            ManifestState::Doomed if !self.is_broken_by(Mutant::DoomedReplaced) => {
                return self.then(Step::ManifestResume);
            }
            ManifestState::Live | ManifestState::Dying => {
                self.me_mut().is_finished = true;
                return self.then(Step::ManifestCommit);
            }
            _ => self.me_mut().is_finished = false,
        }
        if self.is_broken_by(Mutant::NoHandshake) {
            return self.then(Step::ManifestLook);
        }
        self.state.manifests[manifest] = ManifestState::Pending;
        self.wrote_own(Key::Manifest(manifest));
        self.suspect(Suspect::Pending(manifest));
        self.learn(Key::Suspect(Suspect::Pending(manifest)));
        if self.is_broken_by(Mutant::EdgesAfterCommit) {
            return self.then(Step::ManifestLook);
        }
        self.write_edges(manifest, 0);
        let is_wide = self.plan.manifests[manifest].is_wide;
        self.then(if is_wide { Step::WritePendingRest } else { Step::ManifestLook });
    }

    /// Writes the edges that had no room in the first transaction, while the manifest is this push's.
    pub(crate) fn write_pending_rest(&mut self) {
        let manifest = self.manifest();
        if !self.knows(Key::Manifest(manifest)) && !self.is_broken_by(Mutant::UnguardedRest) {
            return self.go_to_manifest();
        }
        self.write_edges(manifest, 1);
        self.then(Step::ManifestLook);
    }

    fn write_edges(&mut self, manifest: usize, group: usize) {
        self.state.edges[manifest] |= 1 << group;
        self.wrote_own(Key::Edges(manifest, group));
    }

    /// Reads one reference after the edges: a store answers for each of several items as it is at some moment.
    pub(crate) fn manifest_look(&mut self) {
        let reference = usize::from(self.me().at);
        let key = self.reference(reference);
        match self.is_held(key) {
            Some(true) => {}
            Some(false) => self.me_mut().misses = true,
            None => {
                self.learn(key);
                self.me_mut().flagged |= 1 << reference;
            }
        }
        if let Key::Link(repository, blob) = key
            && self.is_broken_by(Mutant::UnconditionalRevival)
        {
            self.me_mut().object = self.state.links[repository][blob].object;
        }
        self.me_mut().at += 1;
        if usize::from(self.me().at) == self.plan.manifests[self.manifest()].references.len() {
            self.looked();
        }
    }

    /// Revives what was seen flagged by somebody who could not see the edges yet, or finds what has become of it.
    pub(crate) fn reference_hold(&mut self) {
        let reference = self.me().flagged.trailing_zeros();
        let key = self.reference(reference as usize);
        let is_seen = self.knows(key);
        match self.is_held(key) {
            _ if self.is_broken_by(Mutant::UnconditionalRevival) => self.revive(key),
            None if let Key::Manifest(child) = key
                && self.state.manifests[child] == ManifestState::Doomed
                && !self.is_broken_by(Mutant::DoomedRevived) =>
            {
                // What is decided is carried out; then the manifest is gone, or has come anew.
                self.me_mut().ends = small(child);
                return self.then(Step::ManifestResume);
            }
            None if is_seen => self.revive(key),
            // Flagged again: the conflict says how it is now.
            None => return self.learn(key),
            Some(is_held) => self.me_mut().misses |= !is_held,
        }
        let me = self.me_mut();
        me.flagged &= !(1 << reference);
        me.knows &= !key.bit();
        self.looked();
    }

    /// Goes on when every reference has been read, and held if it was flagged.
    fn looked(&mut self) {
        match *self.me() {
            Actor { flagged: 0, misses: true, .. } => self.missing(),
            Actor { flagged: 0, .. } => self.then(Step::ManifestCommit),
            _ => self.then(Step::ReferenceHold),
        }
    }

    /// Returns the item of a reference.
    fn reference(&self, reference: usize) -> Key {
        let plan = &self.plan.manifests[self.manifest()];
        match plan.references[reference] {
            Target::Blob(blob) => Key::Link(plan.repository, blob),
            Target::Manifest(child) => Key::Manifest(child),
        }
    }

    /// Returns whether the reference is there for its edge to keep; `None` if somebody flagged it.
    fn is_held(&self, key: Key) -> Option<bool> {
        let (is_live, is_flagged) = match key {
            Key::Link(repository, blob) => {
                let link = self.state.links[repository][blob];
                (link.state == LinkState::Live, self.is_revivable(link))
            }
            Key::Manifest(child) => {
                let child = self.state.manifests[child];
                let is_flagged = matches!(child, ManifestState::Dying | ManifestState::Doomed);
                (child == ManifestState::Live, is_flagged)
            }
            _ => (false, false),
        };
        (!is_flagged).then_some(is_live)
    }

    fn revive(&mut self, key: Key) {
        match key {
            Key::Link(repository, blob) => {
                if self.is_broken_by(Mutant::UnconditionalRevival) {
                    self.state.links[repository][blob].object = self.me().object;
                }
                self.revive_link(repository, blob);
            }
            Key::Manifest(child) => self.bring_to_life(child),
            _ => {}
        }
    }

    /// What is missing may have arrived already, without the registry.
    fn missing(&mut self) {
        let can_adopt = self.push().is_some_and(|push| push.is_direct) && !self.me().has_tried;
        self.me_mut().has_tried = true;
        self.then(if can_adopt { Step::UploadAdopt } else { Step::ManifestWithdraw });
    }

    /// Takes back manifest and edges, if nobody has overwritten them.
    pub(crate) fn manifest_withdraw(&mut self) {
        let manifest = self.manifest();
        let is_unbound = self.is_broken_by(Mutant::UnboundDelete);
        let is_own = self.knows(Key::Edges(manifest, 0)) || is_unbound;
        let is_wide = self.plan.manifests[manifest].is_wide;
        if !is_own || !is_wide && !is_unbound && !self.knows(Key::Manifest(manifest)) {
            return self.retry();
        }
        self.withdraw_edges(manifest, 0);
        if is_wide {
            return self.then(Step::ManifestWithdrawRest);
        }
        self.withdraw_manifest(manifest);
    }

    /// Takes back what had no room in the first transaction, and the manifest.
    pub(crate) fn manifest_withdraw_rest(&mut self) {
        let manifest = self.manifest();
        if !self.knows(Key::Edges(manifest, 1)) || !self.knows(Key::Manifest(manifest)) {
            return self.retry();
        }
        self.withdraw_edges(manifest, 1);
        self.withdraw_manifest(manifest);
    }

    /// A collector may have kept something for these edges, and it forgot the suspect: it has to look again.
    fn withdraw_edges(&mut self, manifest: usize, group: usize) {
        self.remove_edges(manifest, group);
        if !self.is_broken_by(Mutant::SilentWithdraw) {
            self.suspect_references(manifest, group);
        }
    }

    fn withdraw_manifest(&mut self, manifest: usize) {
        if self.knows(Key::Manifest(manifest)) {
            self.state.manifests[manifest] = ManifestState::Absent;
            self.wrote(Key::Manifest(manifest));
            self.clear(Suspect::Pending(manifest));
        }
        self.retry();
    }

    pub(crate) fn remove_edges(&mut self, manifest: usize, group: usize) {
        self.state.edges[manifest] &= !(1 << group);
        self.wrote(Key::Edges(manifest, group));
    }

    /// One transaction: the manifest becomes visible and the tag moves.
    pub(crate) fn manifest_commit(&mut self) {
        let manifest = self.manifest();
        let is_own = self.knows(Key::Manifest(manifest));
        if self.me().is_resent {
            // What stands in the way is this push's own commit, or somebody has changed it since.
            return if is_own { self.end() } else { self.go_to_manifest() };
        }
        let is_there = match self.me().is_finished {
            true => matches!(self.state.manifests[manifest], ManifestState::Live | ManifestState::Dying),
            false => is_own || self.is_broken_by(Mutant::NoHandshake),
        };
        if !is_there {
            return self.go_to_manifest();
        }
        if self.state.manifests[manifest] != ManifestState::Live {
            self.bring_to_life(manifest);
        }
        // One without a tag is looked at again: perhaps it never gets one.
        if !self.me().is_finished && self.push().is_some_and(|push| push.tag.is_some()) {
            self.clear(Suspect::Pending(manifest));
        }
        self.acknowledge(manifest);
    }

    pub(crate) fn bring_to_life(&mut self, manifest: usize) {
        self.state.is_decision_broken |= self.state.manifests[manifest].is_decided();
        self.state.manifests[manifest] = ManifestState::Live;
        self.wrote(Key::Manifest(manifest));
    }

    fn acknowledge(&mut self, manifest: usize) {
        self.state.acknowledged |= 1 << manifest;
        if let Some(tag) = self.push().and_then(|push| push.tag) {
            self.set_tag(tag, Some(manifest));
        }
        if self.is_broken_by(Mutant::NoHandshake) {
            self.write_edges(manifest, 0);
        }
        match self.is_broken_by(Mutant::EdgesAfterCommit) && !self.me().is_finished {
            true => self.then(Step::EdgesAfterCommit),
            false => self.end(),
        }
    }

    /// Writes the edges of a manifest that is visible.
    pub(crate) fn edges_after_commit(&mut self) {
        self.write_edges(self.manifest(), 0);
        self.end();
    }

    /// Deletes the tag alone.
    pub(crate) fn tag_delete(&mut self) {
        if let crate::Program::DeleteTag(tag) = self.program()
            && self.state.tags[tag] != NONE
        {
            self.set_tag(tag, None);
        }
        self.end();
    }
}
