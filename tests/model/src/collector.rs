//! Steps of collectors: flag, look, decide (`registry::jobs::garbage_collection`).
//!
//! A client that deletes a blob does those of links (`registry::blobs`).

use crate::Mutant;
use crate::actor::{Program, Step};
use crate::keys::{Key, NONE, Suspect, small};
use crate::plan::Target;
use crate::state::{Blob, BlobState, Link, LinkState, ManifestState};
use crate::turn::Turn;

impl Turn<'_> {
    /// Takes a suspect, which stays in the queue until it is settled, and looks at it without a flag.
    pub(crate) fn due(&mut self) {
        let Some(suspect) = Suspect::all().nth(self.choice) else { return };
        self.me_mut().at = small(self.choice);
        if self.state.is_suspect(suspect) {
            self.learn(Key::Suspect(suspect));
        }
        match suspect {
            Suspect::Link(repository, blob) => self.link_suspected(repository, blob),
            Suspect::Blob(blob) => self.blob_suspected(blob),
            Suspect::Manifest(manifest) | Suspect::Pending(manifest) => self.manifest_suspected(manifest),
            Suspect::Upload(upload) => self.upload_suspected(upload),
            Suspect::Copy(_) => self.then(Step::AdoptionLook),
            Suspect::Object(object) => self.object_suspected(object),
        }
    }

    /// Done with the suspect: it goes from the queue, unless it was suspected again.
    pub(crate) fn settle(&mut self) {
        if let Some(suspect) = self.suspected() {
            self.clear(suspect);
        }
        self.end();
    }

    /// Returns whether the suspect, if there is one, is not as it was taken, and stands in the way.
    ///
    /// In the registry what is suspected again has an item of its own, as a rule: then the old one can be dropped.
    fn is_refused(&self) -> bool {
        let is_there = |suspect| self.knows(Key::Suspect(suspect));
        self.choice == 0 && !self.suspected().is_none_or(is_there)
    }

    fn link_suspected(&mut self, repository: usize, blob: usize) {
        let link = self.state.links[repository][blob];
        let is_needed = self.edges_leading_to(repository, Target::Blob(blob)).is_some();
        self.me_mut().saw = is_needed;
        self.learn(Key::Link(repository, blob));
        match link.state {
            LinkState::Absent => self.then(Step::SuspectsDrop),
            _ if link.is_held => self.end(),
            LinkState::Pending => self.then(Step::LinksDecide),
            LinkState::Live if is_needed => self.then(Step::SuspectsDrop),
            LinkState::Dying if is_needed => self.then(Step::LinksRevive),
            LinkState::Live | LinkState::Dying => self.then(Step::LinksFlag),
        }
    }

    /// Flags the link: a push either sees the flag, or its edge is seen.
    pub(crate) fn links_flag(&mut self) {
        let (repository, blob) = self.link();
        let link = self.state.links[repository][blob];
        let is_collector = self.program() == Program::Collect;
        if !link.is_readable() || is_collector && !self.knows(Key::Link(repository, blob)) {
            return self.end();
        }
        if is_collector && self.is_broken_by(Mutant::LeaseAsSafety) {
            self.learn(Key::Link(repository, blob));
        } else {
            self.state.links[repository][blob].state = LinkState::Dying;
            self.wrote_own(Key::Link(repository, blob));
        }
        self.then(Step::LinksLook);
    }

    /// Looks for a manifest that needs the link.
    pub(crate) fn links_look(&mut self) {
        let (repository, blob) = self.link();
        let is_needed = match self.is_broken_by(Mutant::EventualLook) && self.program() == Program::Collect {
            true => self.me().saw,
            false => self.edges_leading_to(repository, Target::Blob(blob)).is_some(),
        };
        self.then(if is_needed { Step::LinksRevive } else { Step::LinksDecide });
    }

    /// Takes the flag off and drops the suspect, unless somebody has done either.
    pub(crate) fn links_revive(&mut self) {
        let (repository, blob) = self.link();
        if !self.knows(Key::Link(repository, blob)) || self.is_refused() {
            return self.end();
        }
        self.revive_link(repository, blob);
        self.settle();
    }

    /// The link goes, with its edge, unless somebody has changed it; its blob is suspected.
    pub(crate) fn links_decide(&mut self) {
        let (repository, blob) = self.link();
        if !self.knows(Key::Link(repository, blob)) {
            return match self.program() {
                Program::DeleteBlob(..) => self.then(Step::LinksFlag),
                _ => self.end(),
            };
        }
        let link = self.state.links[repository][blob];
        self.state.is_lease_broken |= link.is_held && self.program() == Program::Collect;
        self.state.links[repository][blob] = Link { state: LinkState::Absent, object: NONE, is_held: false };
        self.wrote(Key::Link(repository, blob));
        self.state.blob_edges[blob] &= !(1 << repository);
        self.state.granted[repository] &= !(1 << blob);
        if !self.is_broken_by(Mutant::ForgottenSuspect) {
            self.suspect(Suspect::Blob(blob));
        }
        self.settle();
    }

    fn blob_suspected(&mut self, blob: usize) {
        let is_needed = self.state.blob_edges[blob] != 0;
        self.learn(Key::Blob(blob));
        self.me_mut().object = self.state.blobs[blob].object;
        match self.state.blobs[blob].state {
            BlobState::Dead if self.is_broken_by(Mutant::ForgottenObject) => self.then(Step::ObjectDiscard),
            // The object of a dead one is a suspect of its own.
            BlobState::Absent | BlobState::Dead => self.then(Step::SuspectsDrop),
            BlobState::Live if is_needed => self.then(Step::SuspectsDrop),
            BlobState::Dying if is_needed => self.then(Step::BlobsRevive),
            BlobState::Live | BlobState::Dying => self.then(Step::BlobsFlag),
        }
    }

    fn suspected_blob(&self) -> usize {
        match self.suspected() {
            Some(Suspect::Blob(blob)) => blob,
            _ => usize::from(self.me().blob),
        }
    }

    /// Flags the blob: a mount either sees the flag, or its edge is seen. A commit takes the flag off.
    pub(crate) fn blobs_flag(&mut self) {
        let blob = self.suspected_blob();
        if !self.knows(Key::Blob(blob)) {
            return self.end();
        }
        self.state.blobs[blob].state = BlobState::Dying;
        self.wrote_own(Key::Blob(blob));
        self.then(Step::BlobsLook);
    }

    /// Looks for a repository that has the blob.
    pub(crate) fn blobs_look(&mut self) {
        let next = match self.state.blob_edges[self.suspected_blob()] {
            0 if self.is_broken_by(Mutant::NoDead) => Step::ObjectDiscard,
            0 => Step::BlobsDecide,
            _ => Step::BlobsRevive,
        };
        self.then(next);
    }

    /// Takes the flag off and drops the suspect, unless somebody has done either.
    pub(crate) fn blobs_revive(&mut self) {
        let blob = self.suspected_blob();
        if !self.knows(Key::Blob(blob)) || self.is_refused() {
            return self.end();
        }
        self.state.blobs[blob].state = BlobState::Live;
        self.wrote(Key::Blob(blob));
        self.settle();
    }

    /// Declares the blob dead: it is never revived, only replaced, and its object is a suspect of its own.
    pub(crate) fn blobs_decide(&mut self) {
        let blob = self.suspected_blob();
        if !self.knows(Key::Blob(blob)) {
            return self.end();
        }
        self.state.blobs[blob].state = BlobState::Dead;
        self.wrote_own(Key::Blob(blob));
        if self.is_broken_by(Mutant::ForgottenObject) {
            return self.then(Step::ObjectDiscard);
        }
        self.suspect(Suspect::Object(usize::from(self.me().object)));
        self.settle();
    }

    fn object_suspected(&mut self, object: usize) {
        self.me_mut().object = small(object);
        let own = self.state.blobs.iter().position(|blob| blob.object == small(object));
        if let Some(blob) = own {
            self.learn(Key::Blob(blob));
            self.me_mut().blob = small(blob);
        }
        self.then(Step::ObjectDiscard);
    }

    /// Deletes the object that the collector has in mind; repeating it is fine.
    pub(crate) fn object_discard(&mut self) {
        let object = usize::from(self.me().object);
        self.state.objects[object] = NONE;
        match self.suspected() {
            Some(Suspect::Upload(upload)) => {
                self.state.parts &= !(1 << upload);
                self.then(Step::UploadsForget);
            }
            Some(Suspect::Copy(_)) => self.then(Step::SuspectsDrop),
            _ => self.then(Step::DeadObjectsForget),
        }
    }

    /// The dead blob goes, unless an upload has replaced it.
    pub(crate) fn dead_objects_forget(&mut self) {
        let blob = self.suspected_blob();
        if blob == usize::from(NONE) {
            return self.settle();
        }
        if !self.knows(Key::Blob(blob)) {
            return self.end();
        }
        self.state.blobs[blob] = Blob { state: BlobState::Absent, object: NONE };
        self.wrote(Key::Blob(blob));
        self.settle();
    }

    /// A push that never ended is ended, a deletion that never ended goes on; by policy, what has no tag goes.
    fn manifest_suspected(&mut self, manifest: usize) {
        self.learn(Key::Manifest(manifest));
        match self.state.manifests[manifest] {
            ManifestState::Pending => {
                self.state.manifests[manifest] = ManifestState::Deleting;
                self.wrote_own(Key::Manifest(manifest));
                self.then(Step::EdgesTo);
            }
            ManifestState::Doomed | ManifestState::Deleting => self.then(Step::ManifestResume),
            ManifestState::Live | ManifestState::Dying if self.is_untagged_garbage(manifest) => {
                self.then(Step::ManifestFlag);
            }
            ManifestState::Dying => self.then(Step::ManifestRevival),
            ManifestState::Absent | ManifestState::Live => self.then(Step::SuspectsDrop),
        }
    }
}
