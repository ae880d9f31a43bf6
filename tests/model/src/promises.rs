//! What has to be so in every state.

use stateright::Property;

use crate::actor::{Actor, Program, Step};
use crate::keys::{BLOBS, MANIFESTS, NONE, REPOSITORIES, Suspect, TAGS};
use crate::plan::{Plan, Target};
use crate::state::{ACTORS, BlobState, LinkState, ManifestState, State, UploadState};

/// As many suspects are looked at in one clean-up at most.
const SUSPECTS_MAX: usize = 200;

/// Returns what has to be so in every state, and what has to come up in some.
pub(crate) fn properties() -> Vec<Property<Plan>> {
    vec![
        Property::always("P1 acknowledged manifests stay", |_, state: &State| state.keeps_acknowledged()),
        Property::always("P2 visible manifests are whole", |plan, state: &State| state.is_closed(plan)),
        Property::always("P3 links lead to their bytes", |_, state: &State| state.has_bytes()),
        Property::always(
            "P4 if all stop here, collectors leave what is needed and nothing else",
            |plan, state: &State| state.cleans_up(plan),
        ),
        Property::always("P6 readable only where it was uploaded or mounted", |_, state: &State| {
            state.is_rightful()
        }),
        Property::always("405 a deletion that is refused has taken no tag away", |_, state: &State| {
            !state.is_refusal_broken
        }),
        Property::always("R4 what is decided is not taken back", |_, state: &State| {
            !state.is_decision_broken
        }),
        Property::always("P9 a lease holds", |_, state: &State| !state.is_lease_broken),
        Property::sometimes("a push is acknowledged", |_, state: &State| state.acknowledged != 0),
    ]
}

impl State {
    /// P1: what was acknowledged, and not deleted by a client, can be pulled.
    pub fn keeps_acknowledged(&self) -> bool {
        (0..MANIFESTS)
            .all(|manifest| self.acknowledged & (1 << manifest) == 0 || self.manifests[manifest].is_visible())
    }

    /// P2: what a visible manifest refers to can be pulled from its repository, and a tag leads to something.
    pub fn is_closed(&self, plan: &Plan) -> bool {
        let is_whole = |manifest: usize| {
            let repository = plan.manifests[manifest].repository;
            plan.manifests[manifest].references.iter().all(|target| match *target {
                Target::Blob(blob) => self.links[repository][blob].is_readable(),
                Target::Manifest(child) => self.manifests[child].is_visible(),
            })
        };
        let visible = (0..MANIFESTS).filter(|&manifest| self.manifests[manifest].is_visible());
        let tagged = self.tags.iter().filter(|tag| **tag != NONE);
        visible.into_iter().all(is_whole)
            && tagged.into_iter().all(|tag| self.manifests[usize::from(*tag)].is_visible())
    }

    /// P3 and P5: a readable link, and a blob that can be revived, lead to an object with the right bytes.
    pub fn has_bytes(&self) -> bool {
        let is_kept = |object: u8, blob: usize| self.objects[usize::from(object)] == crate::keys::small(blob);
        (0..BLOBS).all(|blob| {
            let Self { blobs, links, .. } = self;
            let is_usable = matches!(blobs[blob].state, BlobState::Live | BlobState::Dying);
            (!is_usable || is_kept(blobs[blob].object, blob))
                && (0..REPOSITORIES).all(|repository| {
                    let link = links[repository][blob];
                    !link.is_readable()
                        || is_kept(link.object, blob) && is_usable && link.object == blobs[blob].object
                })
        })
    }

    /// P6: whatever a repository lets read was uploaded to it or mounted into it.
    pub fn is_rightful(&self) -> bool {
        (0..REPOSITORIES).all(|repository| {
            let readable = (0..BLOBS).filter(|&blob| self.links[repository][blob].is_readable());
            readable.into_iter().all(|blob| self.granted[repository] & (1 << blob) != 0)
        })
    }

    /// P4: if everybody stopped here, collectors would leave what is needed and nothing else; and if clients then
    /// deleted all manifests, nothing at all.
    pub fn cleans_up(&self, plan: &Plan) -> bool {
        let Some(cleaned) = self.collected(plan) else { return false };
        let is_clean = cleaned.is_clean(plan)
            && cleaned.keeps_acknowledged()
            && cleaned.is_closed(plan)
            && cleaned.has_bytes();
        is_clean && cleaned.is_deletable(plan)
    }

    /// Returns what is left when everybody has died and one collector works through the queue.
    pub fn collected(&self, plan: &Plan) -> Option<Self> {
        let mut state = *self;
        state.actors = [Actor::gone(); ACTORS];
        state.actors[0] = Actor::at_step(Step::Due, 0);
        // Leases end, and the store's own rules remove what was never taken over.
        state.links.iter_mut().flatten().for_each(|link| link.is_held = false);
        state.arrived = [NONE; crate::keys::UPLOADS];
        for _ in 0..SUSPECTS_MAX {
            let Some(suspect) = Suspect::all().find(|suspect| state.is_suspect(*suspect)) else {
                return Some(state);
            };
            plan.turn(&mut state, 0, Program::Collect, suspect.index());
            while state.actors[0].next != Step::Due {
                plan.turn(&mut state, 0, Program::Collect, 0);
            }
            state.links.iter_mut().flatten().for_each(|link| link.is_held = false);
        }
        None
    }

    /// Returns whether all that is stored is needed by a visible manifest.
    fn is_clean(&self, plan: &Plan) -> bool {
        let are_manifests_clean = (0..MANIFESTS).all(|manifest| match self.manifests[manifest] {
            ManifestState::Live | ManifestState::Dying => true,
            ManifestState::Absent => self.edges[manifest] == 0,
            ManifestState::Pending | ManifestState::Doomed | ManifestState::Deleting => false,
        });
        let are_uploads_clean = self.uploads.iter().all(|upload| upload.state == UploadState::Absent);
        are_manifests_clean && are_uploads_clean && self.are_blobs_clean(plan) && self.are_objects_clean()
    }

    fn are_blobs_clean(&self, plan: &Plan) -> bool {
        let is_needed = |repository: usize, blob: usize| {
            (0..MANIFESTS).any(|manifest| {
                plan.manifests[manifest].repository == repository
                    && self.manifests[manifest].is_visible()
                    && plan.manifests[manifest].references.contains(&Target::Blob(blob))
            })
        };
        (0..BLOBS).all(|blob| {
            let linked = (0..REPOSITORIES)
                .filter(|&repository| self.links[repository][blob].state != LinkState::Absent);
            let edges = linked.clone().fold(0, |edges, repository| edges | 1 << repository);
            let is_linked = edges != 0;
            linked.into_iter().all(|repository| is_needed(repository, blob))
                && edges == self.blob_edges[blob]
                && is_linked == (self.blobs[blob].state != BlobState::Absent)
        })
    }

    fn are_objects_clean(&self) -> bool {
        self.objects.iter().enumerate().all(|(object, content)| {
            *content == NONE || self.blobs.iter().any(|blob| usize::from(blob.object) == object)
        })
    }

    /// Returns whether nothing is left when clients delete all manifests.
    fn is_deletable(&self, plan: &Plan) -> bool {
        let mut state = *self;
        for _ in 0..MANIFESTS {
            for manifest in 0..MANIFESTS {
                plan.run_alone(&mut state, Program::DeleteManifest(manifest));
            }
        }
        let Some(state) = state.collected(plan) else { return false };
        let is_empty = state.manifests == [ManifestState::Absent; MANIFESTS]
            && state.tags == [NONE; TAGS]
            && state.blobs.iter().all(|blob| blob.state == BlobState::Absent);
        is_empty && state.is_clean(plan)
    }
}
