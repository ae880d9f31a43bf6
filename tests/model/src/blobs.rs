//! Steps of clients that ask for blobs and mount them (`registry::blobs`, `registry::mounts`).

use crate::Mutant;
use crate::actor::{Program, Step};
use crate::keys::{Key, Suspect};
use crate::state::{Blob, BlobState, Link, LinkState};
use crate::turn::Turn;

impl Turn<'_> {
    /// Asks for the blob and holds it; what is not there is mounted or uploaded.
    pub(crate) fn blob_head(&mut self) {
        if self.push().is_some() && self.wanted_blob().is_none() {
            return self.go_to_manifest();
        }
        let (repository, blob) = self.link();
        if self.is_readable(self.state.links[repository][blob]) {
            self.renew_link(repository, blob);
            return if self.push().is_some() { self.next_blob() } else { self.end() };
        }
        match self.program() {
            Program::Push(push) if push.mount_from.is_some() && !self.me().has_tried => {
                self.then(Step::BlobMountFrom);
            }
            Program::Push(_) => self.then(Step::UploadBegin),
            _ => self.end(),
        }
    }

    /// Looks whether the source has the blob, which is the right to mount it, and how the blob and the own link are.
    pub(crate) fn blob_mount_from(&mut self) {
        let Some(source) = self.push().and_then(|push| push.mount_from) else { return };
        let (repository, blob) = self.link();
        let link = self.state.links[source][blob];
        let is_readable = self.is_readable(link);
        let is_mountable = is_readable || self.is_broken_by(Mutant::UncheckedMount);
        let object = if is_readable { link.object } else { self.state.blobs[blob].object };
        let me = self.me_mut();
        (me.has_tried, me.saw, me.object) = (true, is_readable, object);
        if !is_mountable {
            return self.go_to_upload();
        }
        if self.is_readable(self.state.links[repository][blob]) {
            return self.then(Step::BlobHead);
        }
        self.me_mut().has_room = self.state.links[repository][blob].state == LinkState::Absent;
        self.learn(Key::Link(repository, blob));
        self.learn(Key::Blob(blob));
        self.then(if self.keeps(blob) { Step::LinkAtOnce } else { Step::LinkByHandshake });
    }

    /// Edge and link in one transaction, while both are as they were seen; a store under load may refuse it.
    pub(crate) fn link_at_once(&mut self) {
        let (repository, blob) = self.link();
        let is_unchanged = self.is_place_unchanged(repository, blob) && self.knows(Key::Blob(blob));
        if self.choice == 1 || !is_unchanged {
            return self.then(Step::LinkByHandshake);
        }
        self.write_link(repository, blob, LinkState::Live);
        self.next_blob();
    }

    /// Edge and unconfirmed link; an unconfirmed link of somebody else is taken over.
    pub(crate) fn link_by_handshake(&mut self) {
        let (repository, blob) = self.link();
        if !self.is_place_unchanged(repository, blob) {
            return self.go_to_upload();
        }
        self.write_link(repository, blob, LinkState::Pending);
        self.learn(Key::Link(repository, blob));
        self.then(Step::BlobKeeps);
    }

    /// Looks at the blob, after the edge.
    pub(crate) fn blob_keeps(&mut self) {
        let (_, blob) = self.link();
        match self.keeps(blob) {
            true => self.then(Step::LinkConfirm),
            false => self.go_to_upload(),
        }
    }

    /// Makes the link readable, if nobody took it over.
    pub(crate) fn link_confirm(&mut self) {
        let (repository, blob) = self.link();
        if !self.knows(Key::Link(repository, blob)) {
            return self.go_to_upload();
        }
        self.state.links[repository][blob].state = LinkState::Live;
        self.wrote(Key::Link(repository, blob));
        self.grant(repository, blob);
        self.next_blob();
    }

    /// Makes a flagged link live, with a lease; who flagged it finds it changed.
    pub(crate) fn revive_link(&mut self, repository: usize, blob: usize) {
        let is_held = self.plan.has_leases;
        let link = &mut self.state.links[repository][blob];
        *link = Link { state: LinkState::Live, is_held, ..*link };
        self.wrote(Key::Link(repository, blob));
    }

    /// Returns whether the repository has the blob.
    pub(crate) fn is_readable(&self, link: Link) -> bool {
        link.is_readable() || self.is_revivable(link)
    }

    /// Returns whether somebody flagged the link.
    pub(crate) fn is_revivable(&self, link: Link) -> bool {
        let is_pending = link.state == LinkState::Pending;
        link.state == LinkState::Dying || is_pending && self.is_broken_by(Mutant::PendingRevivable)
    }

    fn renew_link(&mut self, repository: usize, blob: usize) {
        let link = self.state.links[repository][blob];
        if self.is_revivable(link) || self.plan.has_leases && !link.is_held {
            self.revive_link(repository, blob);
        }
    }

    /// Returns whether the place of the link is as it was seen: as empty, or with the same version.
    fn is_place_unchanged(&self, repository: usize, blob: usize) -> bool {
        match self.me().has_room {
            true => self.state.links[repository][blob].state == LinkState::Absent,
            false => self.knows(Key::Link(repository, blob)),
        }
    }

    /// What cannot be mounted is uploaded.
    fn go_to_upload(&mut self) {
        let me = self.me_mut();
        (me.object, me.knows, me.saw, me.has_room) = (crate::keys::NONE, 0, false, false);
        self.then(Step::UploadBegin);
    }

    /// Returns whether the blob is live and its bytes are where the source's link said.
    fn keeps(&self, blob: usize) -> bool {
        let Blob { state, object } = self.state.blobs[blob];
        state == BlobState::Live && object == self.me().object
    }

    fn write_link(&mut self, repository: usize, blob: usize, state: LinkState) {
        let (object, is_held) = (self.me().object, self.plan.has_leases);
        self.state.blob_edges[blob] |= 1 << repository;
        self.state.links[repository][blob] = Link { state, object, is_held };
        self.wrote(Key::Link(repository, blob));
        self.suspect(Suspect::Link(repository, blob));
        if state == LinkState::Live {
            self.grant(repository, blob);
        }
    }

    /// Notes that the repository may read the blob, if it may.
    fn grant(&mut self, repository: usize, blob: usize) {
        if self.me().saw {
            self.state.granted[repository] |= 1 << blob;
        }
    }
}
