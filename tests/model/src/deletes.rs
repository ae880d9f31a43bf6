//! Steps that remove a manifest: a client's deletion, and the end of a push that never ended
//! (`registry::manifests::delete`).

use crate::Mutant;
use crate::actor::{Program, Step};
use crate::keys::{Key, Suspect, small};
use crate::plan::Target;
use crate::state::ManifestState;
use crate::turn::Turn;

impl Turn<'_> {
    /// Flags the manifest, which hides nothing, or goes on with a deletion that did not end.
    pub(crate) fn manifest_flag(&mut self) {
        let manifest = self.manifest();
        match self.state.manifests[manifest] {
            ManifestState::Absent | ManifestState::Pending => return self.end(),
            ManifestState::Live => self.state.manifests[manifest] = ManifestState::Dying,
            ManifestState::Dying | ManifestState::Deleting => {}
        }
        self.wrote_own(Key::Manifest(manifest));
        // What is half removed already cannot come back.
        self.me_mut().saw = self.state.manifests[manifest] == ManifestState::Dying;
        if !self.is_broken_by(Mutant::UnwatchedDelete) {
            self.suspect(Suspect::Manifest(manifest));
        }
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
        let is_wide = self.plan.manifests[self.manifest()].is_wide;
        self.then(match is_needed && may_stay {
            true => Step::ManifestRevival,
            false if looks_again => Step::EdgesTo,
            false if is_wide => Step::ManifestHide,
            false => Step::ManifestEnd,
        });
    }

    fn is_needed(&self, is_by_policy: bool) -> bool {
        let manifest = self.manifest();
        let repository = self.plan.manifests[manifest].repository;
        match is_by_policy {
            true => !self.is_untagged_garbage(manifest) && !self.is_broken_by(Mutant::BlindResume),
            false => self.edges_leading_to(repository, Target::Manifest(manifest)).is_some(),
        }
    }

    /// Takes the flag off, unless somebody has.
    pub(crate) fn manifest_revival(&mut self) {
        let manifest = self.manifest();
        if !self.knows(Key::Manifest(manifest)) {
            return self.end();
        }
        self.state.manifests[manifest] = ManifestState::Live;
        self.wrote(Key::Manifest(manifest));
        self.settle();
    }

    /// Hides a manifest whose edges go in several transactions, and removes its tags.
    pub(crate) fn manifest_hide(&mut self) {
        let manifest = self.manifest();
        if !self.knows(Key::Manifest(manifest)) {
            return self.changed();
        }
        self.remove_tags(manifest);
        self.state.manifests[manifest] = ManifestState::Deleting;
        self.wrote_own(Key::Manifest(manifest));
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
        self.settle();
    }

    fn remove_tags(&mut self, manifest: usize) {
        for tag in 0..self.plan.tags.len() {
            if self.state.tags[tag] == small(manifest) {
                self.set_tag(tag, None);
            }
        }
        let by_policy = self.plan.collects_untagged && self.state.manifests[manifest] == ManifestState::Dying;
        if by_policy || matches!(self.program(), Program::DeleteManifest(_)) {
            self.state.acknowledged &= !(1 << manifest);
        }
    }

    /// Somebody revived the manifest or pushed it anew.
    fn changed(&mut self) {
        match self.program() {
            Program::DeleteManifest(_) => self.then(Step::ManifestFlag),
            _ => self.end(),
        }
    }
}
