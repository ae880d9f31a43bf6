//! Steps of collectors that look at upload sessions and at the copies of adoptions
//! (`registry::jobs::garbage_collection::uploads`).

use crate::Mutant;
use crate::actor::Step;
use crate::keys::{Key, NONE, Suspect, UPLOADS, small};
use crate::state::{Upload, UploadState};
use crate::turn::Turn;

impl Turn<'_> {
    /// Ends a session that is still open. What its requests under way still make is deleted when they are over.
    pub(crate) fn upload_suspected(&mut self, upload: usize) {
        let Upload { state, blob, object, .. } = self.state.uploads[upload];
        self.learn(Key::Upload(upload));
        let me = self.me_mut();
        (me.object, me.blob) = (object, blob);
        match state {
            UploadState::Absent => self.then(Step::SuspectsDrop),
            UploadState::Open if self.is_broken_by(Mutant::UnboundExpiry) => self.then(Step::ObjectDiscard),
            UploadState::Open => {
                self.upload_end(upload);
                match self.is_broken_by(Mutant::HastyExpiry) {
                    true => self.then(Step::ObjectDiscard),
                    false => self.end(),
                }
            }
            UploadState::Dead if self.state.is_ended_in_use(upload) => self.end(),
            UploadState::Dead => self.then(Step::ObjectDiscard),
            UploadState::Committed => self.then(Step::UploadsLook),
        }
    }

    fn upload_end(&mut self, upload: usize) {
        self.state.uploads[upload].state = UploadState::Dead;
        self.wrote_own(Key::Upload(upload));
    }

    /// Looks whether the blob that the session became has its object.
    pub(crate) fn uploads_look(&mut self) {
        let (blob, object) = (usize::from(self.me().blob), self.me().object);
        let is_used = self.state.blobs[blob].object == object;
        self.then(if is_used { Step::UploadsForget } else { Step::ObjectDiscard });
    }

    /// The session goes.
    pub(crate) fn uploads_forget(&mut self) {
        let Some(Suspect::Upload(upload)) = self.suspected() else { return self.end() };
        if !self.knows(Key::Upload(upload)) {
            return self.end();
        }
        let nothing = Upload { state: UploadState::Absent, repository: NONE, blob: NONE, object: NONE };
        self.state.uploads[upload] = nothing;
        self.wrote(Key::Upload(upload));
        self.settle();
    }

    /// Looks whether the session can still be committed with the copy, and ends it if so.
    pub(crate) fn adoption_look(&mut self) {
        let Some(Suspect::Copy(copy)) = self.suspected() else { return self.end() };
        let upload = usize::from(self.state.copies[copy]);
        self.me_mut().object = small(UPLOADS + copy);
        match self.state.uploads[upload].state {
            UploadState::Open => {
                self.upload_end(upload);
                self.end();
            }
            _ if self.is_broken_by(Mutant::SingleLook) => self.then(Step::ObjectDiscard),
            _ if self.state.is_copied(copy) => self.end(),
            _ => self.then(Step::AdoptionLookAgain),
        }
    }

    /// Looks again whether the copy is suspected: the commit that uses it has taken it from the queue.
    pub(crate) fn adoption_look_again(&mut self) {
        let Some(suspect) = self.suspected() else { return self.end() };
        self.then(if self.knows(Key::Suspect(suspect)) { Step::ObjectDiscard } else { Step::SuspectsDrop });
    }
}
