//! Steps that remove a manifest: a client's deletion, and the end of a push that never ended
//! (`registry::manifests::delete`).

use crate::Mutant;
use crate::actor::{Program, Step};
use crate::keys::{Key, NONE, Suspect, small};
use crate::plan::Target;
use crate::state::ManifestState;
use crate::turn::Turn;

impl Turn<'_> {
    /// Flags the manifest, which hides nothing, or goes on with a deletion that did not end.
    pub(crate) fn manifest_flag(&mut self) {
        let manifest = self.manifest();
        match self.state.manifests[manifest] {
            ManifestState::Absent | ManifestState::Pending => return self.end(),
            ManifestState::Doomed | ManifestState::Deleting => return self.manifest_resume(),
            ManifestState::Live | ManifestState::Dying => {}
        }
        self.state.manifests[manifest] = ManifestState::Dying;
        self.wrote_own(Key::Manifest(manifest));
        self.me_mut().saw = true;
        if !self.is_broken_by(Mutant::UnwatchedDelete) {
            self.suspect(Suspect::Manifest(manifest));
        }
        self.then(Step::EdgesTo);
    }

    /// Goes on with a deletion that is decided: what is half removed already cannot come back.
    pub(crate) fn manifest_resume(&mut self) {
        let manifest = self.manifest();
        let state = self.state.manifests[manifest];
        let is_blind = state.is_visible() && self.is_broken_by(Mutant::BlindResume);
        if !state.is_decided() && !is_blind {
            return self.ended();
        }
        self.learn(Key::Manifest(manifest));
        self.me_mut().saw = false;
        self.then(Step::EdgesTo);
    }

    /// Returns whether no tag and no index leads to the manifest, where that is a reason for it to go.
    pub(crate) fn is_untagged_garbage(&self, manifest: usize) -> bool {
        let repository = self.plan.manifests[manifest].repository;
        self.plan.collects_untagged
            && self.edges_leading_to(repository, Target::Manifest(manifest)).is_none()
            && !self.state.tags.contains(&small(manifest))
    }

    /// Looks for an index that needs the manifest; a collector by policy looks before that whether anything does.
    pub(crate) fn edges_to(&mut self) {
        let may_stay = self.me().saw;
        let looks_again = self.program() == Program::Collect && !self.me().has_tried && may_stay;
        let is_needed = self.is_needed(looks_again) && !self.is_broken_by(Mutant::DeleteWithoutLook);
        self.me_mut().has_tried = true;
        let plan = self.plan.manifests[self.manifest()];
        let has_tags = self.state.tags.contains(&small(self.manifest()));
        self.then(match is_needed && may_stay {
            true => Step::ManifestRevival,
            false if looks_again => Step::EdgesTo,
            false if has_tags && (plan.has_many_tags || plan.is_wide) => Step::TagsRemove,
            false => self.end_of_manifest(),
        });
    }

    /// Returns by which step the manifest goes when its tags have.
    fn end_of_manifest(&self) -> Step {
        let manifest = self.manifest();
        let is_hidden = self.state.manifests[manifest] == ManifestState::Deleting;
        match self.plan.manifests[manifest].is_wide {
            true if is_hidden => Step::ManifestRemoval,
            true => Step::ManifestHide,
            false => Step::ManifestEnd,
        }
    }

    fn is_needed(&self, is_by_policy: bool) -> bool {
        let manifest = self.manifest();
        let repository = self.plan.manifests[manifest].repository;
        match is_by_policy {
            true => !self.is_untagged_garbage(manifest),
            false => self.edges_leading_to(repository, Target::Manifest(manifest)).is_some(),
        }
    }

    /// Takes the flag off, unless somebody has: a client is told that an index needs the manifest.
    pub(crate) fn manifest_revival(&mut self) {
        let manifest = self.manifest();
        self.state.is_refusal_broken |= self.me().has_taken;
        if !self.knows(Key::Manifest(manifest)) {
            return self.end();
        }
        self.bring_to_life(manifest);
        self.settle();
    }

    /// Removes a tag of several, while the manifest is as this deletion left it; with the first it is decided that the
    /// manifest goes.
    pub(crate) fn tags_remove(&mut self) {
        let manifest = self.manifest();
        if !self.knows(Key::Manifest(manifest)) {
            return self.changed();
        }
        if let Some(tag) = self.state.tags.iter().position(|tag| *tag == small(manifest)) {
            self.set_tag(tag, None);
            self.me_mut().has_taken = true;
            if self.me().saw && !self.is_broken_by(Mutant::TagsFirst) {
                self.forget(manifest);
                self.state.manifests[manifest] = ManifestState::Doomed;
                self.wrote_own(Key::Manifest(manifest));
                self.me_mut().saw = false;
            }
        }
        let is_wide = self.plan.manifests[manifest].is_wide;
        let has_tags = self.state.tags.contains(&small(manifest));
        self.then(if is_wide && has_tags { Step::TagsRemove } else { self.end_of_manifest() });
    }

    /// Hides a manifest whose edges go in several transactions.
    pub(crate) fn manifest_hide(&mut self) {
        let manifest = self.manifest();
        if !self.knows(Key::Manifest(manifest)) {
            return self.changed();
        }
        self.forget(manifest);
        self.state.manifests[manifest] = ManifestState::Deleting;
        self.wrote_own(Key::Manifest(manifest));
        self.me_mut().saw = false;
        self.then(Step::ManifestRemoval);
    }

    /// Removes some edges while the manifest is as this deletion left it.
    pub(crate) fn manifest_removal(&mut self, group: usize, next: Step) {
        let manifest = self.manifest();
        if !self.knows(Key::Manifest(manifest)) && !self.is_broken_by(Mutant::UnboundDelete) {
            return self.changed();
        }
        self.remove_edges(manifest, group);
        self.suspect_references(manifest, group);
        self.then(next);
    }

    /// The manifest goes; one whose edges fit takes them along, and its tags.
    pub(crate) fn manifest_end(&mut self) {
        let manifest = self.manifest();
        if !self.knows(Key::Manifest(manifest)) {
            return self.changed();
        }
        if !self.plan.manifests[manifest].is_wide {
            self.remove_tags(manifest);
            self.remove_edges(manifest, 0);
            self.suspect_references(manifest, 0);
        }
        self.state.manifests[manifest] = ManifestState::Absent;
        self.wrote(Key::Manifest(manifest));
        match self.program() {
            Program::Collect => self.settle(),
            _ => self.ended(),
        }
    }

    fn remove_tags(&mut self, manifest: usize) {
        for tag in 0..self.plan.tags.len() {
            if self.state.tags[tag] == small(manifest) {
                self.set_tag(tag, None);
            }
        }
        self.forget(manifest);
    }

    /// It is decided that the manifest goes: nobody was promised that it stays.
    fn forget(&mut self, manifest: usize) {
        let by_policy = self.plan.collects_untagged && self.state.manifests[manifest] == ManifestState::Dying;
        if by_policy || matches!(self.program(), Program::DeleteManifest(_)) {
            self.state.acknowledged &= !(1 << manifest);
        }
    }

    /// Somebody revived the manifest, ended it, or pushed it anew.
    fn changed(&mut self) {
        match self.program() {
            Program::DeleteManifest(_) if self.me().saw => self.then(Step::ManifestFlag),
            Program::DeleteManifest(_) => self.then(Step::ManifestResume),
            _ => self.ended(),
        }
    }

    /// The deletion is over; a push that it was in the way of goes on.
    fn ended(&mut self) {
        match self.program() {
            Program::Push(_) if self.me().ends != NONE => {
                self.me_mut().ends = NONE;
                self.then(Step::ReferenceHold);
            }
            Program::Push(_) => self.go_to_manifest(),
            _ => self.end(),
        }
    }
}
