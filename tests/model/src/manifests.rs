//! Steps of a manifest push (`registry::manifests::put`).

use crate::Mutant;
use crate::actor::Step;
use crate::keys::{Key, NONE, Suspect};
use crate::plan::Target;
use crate::state::{LinkState, ManifestState};
use crate::turn::Turn;

impl Turn<'_> {
    /// Writes the manifest invisibly, with its edges, unless it is visible already.
    pub(crate) fn write_pending(&mut self) {
        let manifest = self.manifest();
        self.me_mut().at = 0;
        self.me_mut().is_finished = self.state.manifests[manifest].is_visible();
        if self.me().is_finished {
            return self.then(Step::ManifestCommit);
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

    /// Reads one reference after the edges; what somebody flagged before they could see them is revived.
    pub(crate) fn manifest_look(&mut self) {
        let plan = self.plan.manifests[self.manifest()];
        let reference = usize::from(self.me().at);
        let Some(target) = plan.references.get(reference) else { return self.then(Step::ManifestCommit) };
        let is_held = match *target {
            Target::Blob(blob) => self.hold_link(plan.repository, blob),
            Target::Manifest(child) => self.hold_child(child),
        };
        match is_held {
            Some(true) => self.looked(),
            Some(false) => self.missing(),
            None => self.then(Step::ReviveUnseen),
        }
    }

    /// Revives what was seen flagged, whatever has become of it.
    pub(crate) fn revive_unseen(&mut self) {
        let plan = self.plan.manifests[self.manifest()];
        if let Some(Target::Blob(blob)) = plan.references.get(usize::from(self.me().at)) {
            self.state.links[plan.repository][*blob].object = self.me().object;
            self.revive_link(plan.repository, *blob);
        }
        self.looked();
    }

    fn looked(&mut self) {
        self.me_mut().at += 1;
        if usize::from(self.me().at) == self.plan.manifests[self.manifest()].references.len() {
            self.then(Step::ManifestCommit);
        } else {
            self.then(Step::ManifestLook);
        }
    }

    fn hold_link(&mut self, repository: usize, blob: usize) -> Option<bool> {
        let link = self.state.links[repository][blob];
        if link.state == LinkState::Live {
            return Some(true);
        }
        if !self.is_revivable(link) {
            return Some(false);
        }
        if self.is_broken_by(Mutant::UnconditionalRevival) {
            self.me_mut().object = link.object;
            return None;
        }
        self.revive_link(repository, blob);
        Some(true)
    }

    fn hold_child(&mut self, child: usize) -> Option<bool> {
        if self.state.manifests[child] == ManifestState::Dying {
            self.state.manifests[child] = ManifestState::Live;
            self.wrote(Key::Manifest(child));
        }
        Some(self.state.manifests[child] == ManifestState::Live)
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
            true => self.state.manifests[manifest].is_visible(),
            false => is_own || self.is_broken_by(Mutant::NoHandshake),
        };
        if !is_there {
            return self.go_to_manifest();
        }
        if self.state.manifests[manifest] != ManifestState::Live {
            self.state.manifests[manifest] = ManifestState::Live;
            self.wrote(Key::Manifest(manifest));
        }
        // One without a tag is looked at again: perhaps it never gets one.
        if !self.me().is_finished && self.push().is_some_and(|push| push.tag.is_some()) {
            self.clear(Suspect::Pending(manifest));
        }
        self.acknowledge(manifest);
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
