//! Runs of the model as lists of steps, for people to read and for the registry to replay.

use std::fmt;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::keys::Suspect;
use crate::protocol::Action;
use crate::{Plan, State, Step};

/// One action of a run, and what it led to.
#[derive(Clone, Debug)]
pub struct Move {
    /// What was done.
    pub action: Action,
    /// Whether a store was changed, be it a version alone.
    pub is_write: bool,
    /// What the state is afterwards.
    pub after: State,
}

impl Move {
    fn of(plan: &Plan, before: &State, action: Action, after: State) -> Self {
        let mut changed = *before;
        let is_write = match action {
            Action::Step { actor, choice, .. } => {
                plan.turn(&mut changed, actor, plan.programs[actor], choice) != 0
            }
            Action::Resent(..) | Action::Lost(..) => true,
            Action::Crash(..) | Action::LeaseEnds(..) | Action::Replay(..) => false,
        };
        let is_write = is_write || changed.objects != before.objects || changed.parts != before.parts;
        Self { action, is_write, after }
    }

    /// Returns who does which step, unless something happens by itself.
    pub fn step(&self) -> Option<(usize, Step)> {
        match self.action {
            Action::Step { actor, step, .. }
            | Action::Resent(actor, step)
            | Action::Lost(actor, step)
            | Action::Crash(actor, step) => Some((actor, step)),
            Action::LeaseEnds(..) | Action::Replay(..) => None,
        }
    }
}

/// A run that broke a promise.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which promise.
    pub promise: &'static str,
    /// How; no shorter run breaks it.
    pub moves: Vec<Move>,
}

/// What a complete search found.
#[derive(Clone, Debug)]
pub struct Findings {
    /// Different states.
    pub distinct_states: usize,
    /// States, counted each time that they were reached.
    pub states: usize,
    /// Steps of the longest of the shortest ways to a state.
    pub depth: usize,
    /// What broke.
    pub violation: Option<Violation>,
}

/// Tries everything, breadth first, and stops at the first broken promise.
pub fn search(plan: &Plan) -> Findings {
    let mut findings = search_to(plan, None);
    // The checker works in blocks, so a shorter way may have come up first and been forgotten.
    while let Some(violation) = findings.violation.as_ref().filter(|found| !found.moves.is_empty()) {
        // Depth counts states, the first among them, and those at the depth itself are not looked at any more.
        let shorter = search_to(plan, Some(violation.moves.len() + 1));
        if shorter.violation.is_none() {
            break;
        }
        findings = shorter;
    }
    findings
}

fn search_to(plan: &Plan, depth_max: Option<usize>) -> Findings {
    let checker = plan.clone().checker().finish_when(HasDiscoveries::AnyFailures);
    let checker = match depth_max {
        Some(depth) => checker.target_max_depth(depth),
        None => checker,
    };
    let checker = checker.spawn_bfs().join();
    let promises =
        plan.properties().into_iter().filter(|property| property.expectation == Expectation::Always);
    let broken = promises.filter_map(|property| Some((property.name, checker.discovery(property.name)?)));
    let violation = broken.min_by_key(|(_, path)| path.clone().into_actions().len());
    Findings {
        distinct_states: checker.unique_state_count(),
        states: checker.state_count(),
        depth: checker.max_depth(),
        violation: violation
            .map(|(promise, path)| Violation { promise, moves: moves(plan, &path.into_vec()) }),
    }
}

fn moves(plan: &Plan, path: &[(State, Option<Action>)]) -> Vec<Move> {
    let steps = path.iter().zip(path.iter().skip(1));
    let steps =
        steps.filter_map(|((before, action), (after, _))| Some(Move::of(plan, before, (*action)?, *after)));
    steps.collect()
}

/// Returns one run for each seed: actors take turns as the seed says, until nobody has anything to do.
///
/// Everybody keeps their number, and where the model leaves open what the registry does, nobody goes on.
pub fn walk(plan: &Plan, seed: u64, steps_max: usize) -> Vec<Move> {
    let plan = Plan { is_symmetric: false, ..plan.clone() };
    let mut state = plan.begin();
    let mut moves = Vec::new();
    let mut random = seed;
    while moves.len() < steps_max {
        let mut actions = Vec::new();
        plan.actions(&state, &mut actions);
        actions.retain(|action| plan.is_exact(&state, *action));
        let next = actions.into_iter().filter_map(|action| Some((action, plan.next_state(&state, action)?)));
        let mut next: Vec<(Action, State)> = next.collect();
        if next.is_empty() {
            break;
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (action, after) = next.swap_remove((random >> 33) as usize % next.len());
        moves.push(Move::of(&plan, &state, action, after));
        state = after;
    }
    moves
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in self.moves.iter().enumerate() {
            writeln!(f, "{:>4}  {}", number + 1, step.action)?;
        }
        write!(f, "      broken: {}", self.promise)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Step { actor, step: Step::Due, choice } => {
                let suspect = Suspect::all().nth(choice);
                write!(f, "{actor} Due {}", suspect.map(|suspect| format!("{suspect:?}")).unwrap_or_default())
            }
            Self::Step { actor, step, choice: 0 } => write!(f, "{actor} {step:?}"),
            Self::Step { actor, step, choice } => write!(f, "{actor} {step:?} {choice}"),
            Self::Resent(actor, step) => write!(f, "{actor} {step:?}, reply lost, sent again"),
            Self::Lost(actor, step) => write!(f, "{actor} {step:?}, reply lost, begins anew"),
            Self::Crash(actor, step) => write!(f, "{actor} dies before {step:?}"),
            Self::LeaseEnds(repository, blob) => write!(f, "the lease of {repository}/{blob} runs out"),
            Self::Replay(upload, blob) => write!(f, "other bytes are sent to upload {upload}: {blob}"),
        }
    }
}
