//! Steps of uploads, past the registry or through it (`registry::uploads`, `upload_finish`, `upload_commit`, `adoption`).

use crate::Mutant;
use crate::actor::{Program, Step};
use crate::keys::{Key, NONE, Suspect, UPLOADS, small};
use crate::state::{Blob, BlobState, Link, LinkState, Upload, UploadState};
use crate::turn::Turn;

impl Turn<'_> {
    /// Begins a session with an object key of its own; with too many at once it is refused.
    pub(crate) fn upload_begin(&mut self) {
        let (repository, blob) = self.link();
        let Some(upload) = self.state.fresh_upload() else {
            return self.end();
        };
        let object = if self.is_broken_by(Mutant::ReusedKey) { blob } else { upload };
        let (repository, object) = (small(repository), small(object));
        self.state.uploads[upload] = Upload { state: UploadState::Open, repository, blob: NONE, object };
        self.wrote_own(Key::Upload(upload));
        self.suspect(Suspect::Upload(upload));
        let is_direct = self.push().is_some_and(|push| push.is_direct);
        let me = self.me_mut();
        (me.upload, me.object, me.blob) = (small(upload), object, small(blob));
        (me.is_finished, me.has_tried) = (false, false);
        self.then(if is_direct { Step::DirectPut } else { Step::UploadSeen });
    }

    /// Looks whether the session is open, and whether the registry has the bytes.
    pub(crate) fn upload_seen(&mut self) {
        if !self.knows(Key::Upload(usize::from(self.me().upload))) {
            return self.retry();
        }
        self.me_mut().saw = self.usable_object().is_some();
        let is_appended = self.state.parts & (1 << self.me().upload) != 0;
        self.then(if is_appended { Step::FinishOnce } else { Step::UploadAppend });
    }

    /// Makes the bytes durable; they are no object yet.
    pub(crate) fn upload_append(&mut self) {
        self.state.parts |= 1 << self.me().upload;
        self.then(Step::FinishOnce);
    }

    /// The client sends the bytes to the object store, and goes on with its manifest.
    pub(crate) fn direct_put(&mut self) {
        let (upload, blob) = (usize::from(self.me().upload), self.me().blob);
        self.state.arrived[upload] = blob;
        self.next_blob();
        self.me_mut().upload = small(upload);
    }

    /// Makes an object of the bytes, if the registry had none with the same.
    pub(crate) fn finish_once(&mut self) {
        if self.me().saw {
            return self.then(Step::UploadCommit);
        }
        let (upload, object, blob) = (self.me().upload, self.me().object, self.me().blob);
        if self.state.parts & (1 << upload) == 0 {
            return self.retry();
        }
        self.state.parts &= !(1 << upload);
        self.state.objects[usize::from(object)] = blob;
        self.me_mut().is_finished = true;
        self.then(Step::UploadCommit);
    }

    /// One transaction: the session ends, and its repository has the blob.
    pub(crate) fn upload_commit(&mut self) {
        let (upload, own, blob) =
            (usize::from(self.me().upload), self.me().object, usize::from(self.me().blob));
        if !self.knows(Key::Upload(upload)) {
            return self.upload_over(upload, blob);
        }
        let object = match self.usable_object() {
            Some(object) => object,
            None if self.me().is_finished => own,
            None => return self.then(Step::UploadSeen),
        };
        self.commit_writes(upload, blob, object);
        if object == own { self.uploaded() } else { self.then(Step::DiscardDuplicate) }
    }

    fn commit_writes(&mut self, upload: usize, blob: usize, object: u8) {
        let repository = usize::from(self.state.uploads[upload].repository);
        if self.state.blobs[blob] != (Blob { state: BlobState::Live, object }) {
            self.state.blobs[blob] = Blob { state: BlobState::Live, object };
            self.wrote(Key::Blob(blob));
        }
        let own = self.me().object;
        let session = &mut self.state.uploads[upload];
        *session = Upload { state: UploadState::Committed, blob: small(blob), object: own, ..*session };
        self.wrote(Key::Upload(upload));
        self.state.blob_edges[blob] |= 1 << repository;
        let is_held = self.plan.has_leases;
        self.state.links[repository][blob] = Link { state: LinkState::Live, object, is_held };
        self.wrote(Key::Link(repository, blob));
        self.state.granted[repository] |= 1 << blob;
        self.suspect(Suspect::Link(repository, blob));
        if object == own && usize::from(own) >= UPLOADS {
            self.clear(Suspect::Copy(usize::from(own) - UPLOADS));
        }
    }

    /// Forgets bytes that the registry had already.
    pub(crate) fn discard_duplicate(&mut self) {
        if self.me().is_finished {
            let object = usize::from(self.me().object);
            self.state.objects[object] = NONE;
        } else {
            self.state.parts &= !(1 << self.me().upload);
        }
        self.uploaded();
    }

    /// Takes up a session whose bytes have arrived, and notes the copy that is to be made.
    pub(crate) fn upload_adopt(&mut self) {
        let upload = if self.push().is_some() { usize::from(self.me().upload) } else { self.choice };
        if !self.is_adoptable(upload) {
            return self.adopted();
        }
        let copy =
            if self.is_broken_by(Mutant::AdoptionToSessionKey) { Some(0) } else { self.state.fresh_copy() };
        let Some(copy) = copy else {
            return self.adopted();
        };
        let object = match self.is_broken_by(Mutant::AdoptionToSessionKey) {
            true => self.state.uploads[upload].object,
            false => small(UPLOADS + copy),
        };
        self.learn(Key::Upload(upload));
        self.suspect(Suspect::Copy(copy));
        self.learn(Key::Suspect(Suspect::Copy(copy)));
        self.state.copies[copy] = small(upload);
        let me = self.me_mut();
        (me.upload, me.object) = (small(upload), object);
        self.then(Step::CopyUpload);
    }

    /// The store copies what has arrived and says what it is.
    pub(crate) fn copy_upload(&mut self) {
        let (upload, object) = (usize::from(self.me().upload), usize::from(self.me().object));
        let blob = self.state.arrived[upload];
        if blob == NONE {
            return self.adopted();
        }
        self.state.objects[object] = blob;
        let me = self.me_mut();
        (me.blob, me.is_finished) = (blob, true);
        self.then(Step::UploadCommit);
    }

    /// Returns whether an event, or a manifest that misses its blob, finds something to adopt.
    pub(crate) fn is_adoptable(&self, upload: usize) -> bool {
        self.state.uploads.get(upload).is_some_and(|session| session.state == UploadState::Open)
            && self.state.arrived[upload] != NONE
    }

    /// Somebody else has ended the session, or this actor has and did not hear of it.
    fn upload_over(&mut self, upload: usize, blob: usize) {
        if self.is_adoption() {
            return self.adopted();
        }
        let Upload { state, repository, blob: became, .. } = self.state.uploads[upload];
        let is_committed = state == UploadState::Committed && usize::from(became) == blob;
        if is_committed && self.state.links[usize::from(repository)][blob].is_readable() {
            return self.next_blob();
        }
        self.retry();
    }

    /// Returns where the bytes are, if the registry has them: what is dying can be revived, what is dead cannot.
    fn usable_object(&self) -> Option<u8> {
        let Blob { state, object } = self.state.blobs[usize::from(self.me().blob)];
        let is_usable = match state {
            BlobState::Live => true,
            BlobState::Dying => !self.is_broken_by(Mutant::DyingReplaced),
            BlobState::Absent | BlobState::Dead => false,
        };
        is_usable.then_some(object)
    }

    fn is_adoption(&self) -> bool {
        self.program() == Program::Adopt || self.push().is_some_and(|push| push.is_direct)
    }

    fn uploaded(&mut self) {
        if self.is_adoption() { self.adopted() } else { self.next_blob() }
    }

    /// Whoever missed a blob looks again.
    fn adopted(&mut self) {
        if self.push().is_none() {
            return self.end();
        }
        let me = self.me_mut();
        (me.at, me.object, me.blob, me.is_finished, me.misses) = (0, NONE, NONE, false, false);
        self.then(Step::ManifestLook);
    }
}
