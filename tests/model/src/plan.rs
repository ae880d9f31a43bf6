//! What one run of the checker is about.

use crate::Mutant;
use crate::actor::Program;
use crate::keys::{MANIFESTS, TAGS};

/// What a manifest refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A blob.
    Blob(usize),
    /// A manifest of the same repository.
    Manifest(usize),
}

/// A manifest.
#[derive(Clone, Copy, Debug)]
pub struct ManifestPlan {
    /// Where it is pushed to.
    pub repository: usize,
    /// What it refers to.
    pub references: &'static [Target],
    /// Whether its edges do not fit into one transaction: the first goes with it, the others follow.
    pub is_wide: bool,
    /// Whether it has more tags than fit into the transaction that ends it: one goes before.
    pub has_many_tags: bool,
}

impl ManifestPlan {
    /// Returns a manifest whose edges fit into one transaction.
    pub const fn new(repository: usize, references: &'static [Target]) -> Self {
        Self { repository, references, is_wide: false, has_many_tags: false }
    }

    /// Returns the same, but its edges need two.
    pub const fn wide(self) -> Self {
        Self { is_wide: true, ..self }
    }

    /// Returns the same, but its tags need two.
    pub const fn with_many_tags(self) -> Self {
        Self { has_many_tags: true, ..self }
    }

    /// Returns which transaction writes the edge to a reference.
    pub(crate) fn group(&self, reference: usize) -> usize {
        usize::from(self.is_wide && reference > 0)
    }
}

/// What there is, who does what, and what may go wrong.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name on the command line.
    pub name: &'static str,
    /// The manifests.
    pub manifests: [ManifestPlan; MANIFESTS],
    /// The repository of each tag.
    pub tags: [usize; TAGS],
    /// What was done, one after the other, before the checker begins.
    pub before: Vec<Program>,
    /// Who is at work, all at once.
    pub programs: Vec<Program>,
    /// How many crashes and lost replies there may be.
    pub faults: u8,
    /// How often a client begins anew.
    pub tries: u8,
    /// Whether collectors also look at what nobody suspects.
    pub is_curious: bool,
    /// Whether leases hold what they say; otherwise every clock may say that they have run out.
    pub has_leases: bool,
    /// Whether collectors take upload sessions for over while clients use them.
    pub sessions_expire: bool,
    /// Whether clients send other bytes to a direct upload's URL when they have sent the right ones.
    pub is_replayed: bool,
    /// Whether manifests without a tag are garbage, if no index needs them.
    pub collects_untagged: bool,
    /// Whether it does not matter which of several collectors is at which step.
    pub is_symmetric: bool,
    /// What is wrong with the protocol.
    pub mutant: Option<Mutant>,
}

impl Plan {
    /// Returns a plan in which nothing goes wrong and nothing was there before.
    pub fn new(name: &'static str, manifests: [ManifestPlan; MANIFESTS], programs: &[Program]) -> Self {
        Self {
            name,
            manifests,
            tags: [0, 1],
            before: Vec::new(),
            programs: programs.to_vec(),
            faults: 0,
            tries: 1,
            is_curious: false,
            has_leases: false,
            sessions_expire: false,
            is_replayed: false,
            collects_untagged: false,
            is_symmetric: true,
            mutant: None,
        }
    }

    /// Returns the same with all tags in the first repository.
    pub fn with_tags_together(self) -> Self {
        Self { tags: [0; TAGS], ..self }
    }

    /// Returns the same after these programs.
    pub fn after(self, before: &[Program]) -> Self {
        Self { before: before.to_vec(), ..self }
    }

    /// Returns the same with so many faults.
    pub fn with_faults(self, faults: u8) -> Self {
        Self { faults, ..self }
    }

    /// Returns the same, in which clients begin anew so many times.
    pub fn with_tries(self, tries: u8) -> Self {
        Self { tries, ..self }
    }

    /// Returns the same with collectors that look at everything.
    pub fn curious(self) -> Self {
        Self { is_curious: true, ..self }
    }

    /// Returns the same with leases that hold.
    pub fn with_leases(self) -> Self {
        Self { has_leases: true, ..self }
    }

    /// Returns the same with sessions that end at any moment.
    pub fn expiring(self) -> Self {
        Self { sessions_expire: true, ..self }
    }

    /// Returns the same with clients that send other bytes later.
    pub fn replayed(self) -> Self {
        Self { is_replayed: true, ..self }
    }

    /// Returns the same, in which manifests without a tag are garbage.
    pub fn untagged_goes(self) -> Self {
        Self { collects_untagged: true, ..self }
    }

    /// Returns the same with a protocol that is wrong.
    pub fn broken_by(self, mutant: Mutant) -> Self {
        Self { mutant: Some(mutant), ..self }
    }

    /// Returns whether clients send blobs past the registry.
    pub fn is_direct(&self) -> bool {
        self.programs.iter().any(|program| matches!(program, Program::Push(push) if push.is_direct))
    }

    /// Returns the program of the actor.
    pub(crate) fn program(&self, actor: usize) -> Program {
        self.programs[actor]
    }
}
