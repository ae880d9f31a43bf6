//! The model: which steps there are in a state, and what each leads to.

use stateright::{Model, Property};

use crate::actor::{Actor, Program, Step};
use crate::keys::{Key, NONE, Suspect, UPLOADS};
use crate::plan::Plan;
use crate::promises;
use crate::state::{ACTORS, LinkState, State};
use crate::turn::Turn;

/// Something that happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// An actor does a step, in one of the ways there are.
    Step {
        /// Who.
        actor: usize,
        /// What.
        step: Step,
        /// Which way: of a collector, which suspect it takes.
        choice: usize,
    },
    /// The step happens, but the actor hears that it failed, and the store's client sends it again.
    Resent(usize, Step),
    /// The step happens, but the actor hears that it failed, and its client begins anew.
    Lost(usize, Step),
    /// The process dies before the step, and its client begins anew.
    Crash(usize, Step),
    /// A lease runs out: repository and blob.
    LeaseEnds(usize, usize),
    /// A client sends other bytes to the URL of a direct upload: which session, which blob's bytes.
    Replay(usize, usize),
}

impl Model for Plan {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for actor in 0..self.programs.len() {
            let step = state.actors[actor].next;
            if step == Step::Gone {
                continue;
            }
            let choices = self.choices(state, actor);
            actions.extend(choices.into_iter().map(|choice| Action::Step { actor, step, choice }));
            let is_at_work = step != self.program(actor).first_step();
            if state.faults_left > 0 && is_at_work {
                actions.extend([Action::Lost(actor, step), Action::Crash(actor, step)]);
                if !step.recognises_itself() {
                    actions.push(Action::Resent(actor, step));
                }
            }
        }
        self.happenings(state, actions);
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = *last;
        match action {
            Action::Step { actor, choice, .. } => {
                self.turn(&mut state, actor, self.program(actor), choice);
            }
            Action::Resent(actor, step) => self.resent(&mut state, actor, step)?,
            Action::Lost(actor, _) => self.lost(&mut state, actor)?,
            Action::Crash(actor, _) => self.crash(&mut state, actor),
            Action::LeaseEnds(repository, blob) => state.links[repository][blob].is_held = false,
            Action::Replay(upload, blob) => state.arrived[upload] = crate::keys::small(blob),
        }
        self.sort_collectors(&mut state);
        (state != *last).then_some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::properties()
    }
}

impl Plan {
    /// Returns the state in which the checker begins.
    pub fn begin(&self) -> State {
        let mut state = State::empty(self.faults);
        let sound = Self { mutant: None, ..self.clone() };
        for program in &self.before {
            sound.run_alone(&mut state, *program);
        }
        // Its sessions were over long ago.
        let sessions = Suspect::all().filter(|suspect| suspect.is_of_session());
        state.queue &= !sessions.fold(0, |bits, suspect| bits | suspect.bit());
        state.uploads = State::empty(0).uploads;
        state.actors = [Actor::gone(); ACTORS];
        for (actor, program) in self.programs.iter().enumerate() {
            state.actors[actor] = Actor::beginning(*program, self.tries);
        }
        state
    }

    /// Runs the program to its end while nobody else does anything.
    pub(crate) fn run_alone(&self, state: &mut State, program: Program) {
        state.actors = [Actor::gone(); ACTORS];
        state.actors[0] = Actor::beginning(program, 0);
        while state.actors[0].next != Step::Gone {
            self.turn(state, 0, program, 0);
        }
    }

    /// Does the actor's next step, and returns which items it wrote.
    pub(crate) fn turn(&self, state: &mut State, who: usize, program: Program, choice: usize) -> u64 {
        let mut turn = Turn { plan: self, state, who, program, choice, written: 0 };
        turn.run();
        turn.written
    }

    fn choices(&self, state: &State, actor: usize) -> Vec<usize> {
        match state.actors[actor].next {
            Step::Due => Suspect::all()
                .filter(|suspect| state.is_suspect(*suspect) || self.is_curious && state.is_there(*suspect))
                .filter(|suspect| self.sessions_expire || !suspect.is_of_session())
                .map(Suspect::index)
                .collect(),
            Step::UploadAdopt if self.program(actor) == Program::Adopt => (0..UPLOADS)
                .filter(|&upload| state.arrived[upload] != NONE && state.is_open(upload))
                .collect(),
            Step::LinkAtOnce | Step::LinksRevive | Step::BlobsRevive => vec![0, 1],
            _ => vec![0],
        }
    }

    /// Returns whether the registry can do nothing else than this.
    pub(crate) fn is_exact(&self, state: &State, action: Action) -> bool {
        let Action::Step { actor, step, choice } = action else {
            // It begins one session, however often it is sent.
            return !matches!(action, Action::Resent(_, Step::UploadBegin));
        };
        let at = if step == Step::Due { choice } else { usize::from(state.actors[actor].at) };
        let suspect = Suspect::all().nth(at).filter(|_| self.program(actor) == Program::Collect);
        match (step, suspect) {
            // The registry waits until requests must be over, and does not know whether they are.
            (Step::Due, Some(Suspect::Upload(upload))) => !state.is_ended_in_use(upload),
            (Step::AdoptionLook, Some(Suspect::Copy(copy))) => !state.is_copied(copy),
            (Step::LinksRevive | Step::BlobsRevive, suspect) => {
                let knows = state.actors[actor].knows;
                choice == 0 && suspect.is_none_or(|suspect| knows & Key::Suspect(suspect).bit() != 0)
            }
            _ => true,
        }
    }

    /// The step is done, but its actor believes that it was not, and does it again.
    fn resent(&self, state: &mut State, actor: usize, step: Step) -> Option<()> {
        let before = state.actors[actor];
        let written = self.turn(state, actor, self.program(actor), 0);
        if written == 0 {
            return None;
        }
        // A push recognises its own commit by the version.
        let own = match self.program(actor) {
            Program::Push(push) if step == Step::ManifestCommit && !before.is_finished => {
                Key::Manifest(push.manifest).bit()
            }
            _ => 0,
        };
        let knows = before.knows & !written | own & written;
        state.actors[actor] = Actor { knows, is_resent: own & written != 0, ..before };
        state.faults_left -= 1;
        Some(())
    }

    /// The step is done, but its client believes that the request failed.
    fn lost(&self, state: &mut State, actor: usize) -> Option<()> {
        let tries_left = state.actors[actor].tries_left;
        let written = self.turn(state, actor, self.program(actor), 0);
        (written != 0).then(|| {
            state.actors[actor].tries_left = tries_left;
            self.crash(state, actor);
        })
    }

    fn crash(&self, state: &mut State, actor: usize) {
        let program = self.program(actor);
        let tries_left = state.actors[actor].tries_left;
        state.actors[actor] = match tries_left {
            0 if !program.is_endless() => Actor::gone(),
            _ => Actor::beginning(program, tries_left.saturating_sub(1)),
        };
        state.faults_left -= 1;
    }

    /// What happens without anybody's doing.
    fn happenings(&self, state: &State, actions: &mut Vec<Action>) {
        if self.has_leases {
            for (repository, links) in state.links.iter().enumerate() {
                let held = links.iter().enumerate().filter(|(_, link)| link.is_held);
                actions.extend(held.map(|(blob, _)| Action::LeaseEnds(repository, blob)));
            }
        }
        if self.is_replayed {
            let arrived = state.arrived.iter().enumerate().filter(|(_, blob)| **blob != NONE);
            actions.extend(
                arrived.flat_map(|(upload, _)| [Action::Replay(upload, 0), Action::Replay(upload, 1)]),
            );
        }
    }

    /// Collectors are alike: which of them is where does not matter.
    fn sort_collectors(&self, state: &mut State) {
        for actor in 1..self.programs.len() {
            let are_alike =
                self.program(actor - 1) == Program::Collect && self.program(actor) == Program::Collect;
            if self.is_symmetric && are_alike && state.actors[actor - 1] > state.actors[actor] {
                state.actors.swap(actor - 1, actor);
            }
        }
    }
}

impl State {
    /// Returns whether there is such an item for a collector to look at.
    fn is_there(&self, suspect: Suspect) -> bool {
        match suspect {
            Suspect::Link(repository, blob) => self.links[repository][blob].state != LinkState::Absent,
            Suspect::Blob(blob) => self.blobs[blob].state != crate::state::BlobState::Absent,
            _ => false,
        }
    }

    fn is_open(&self, upload: usize) -> bool {
        self.uploads[upload].state == crate::state::UploadState::Open
    }
}
