//! What goes wrong in a run, and how often.

use std::time::Duration;

use registry::jobs::garbage_collection::Policy;

use crate::dice::Dice;

/// What goes wrong, each once in so many times; 0 is never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    /// Calls that fail in one way or another.
    pub(crate) fault_one_in: usize,
    /// Steps at which a process dies.
    pub(crate) kill_one_in: usize,
    /// Calls and answers that take hours or days.
    pub(crate) sleep_one_in: usize,
    /// Answers that others overtake.
    pub(crate) slow_reply_one_in: usize,
    /// Steps at which time passes.
    pub(crate) leap_one_in: usize,
    /// Steps at which the storage is checked.
    pub(crate) check_one_in: usize,
    /// Requests whose client goes away.
    pub(crate) hang_up_one_in: usize,
    /// Whether clients delete.
    pub(crate) has_deletions: bool,
    /// What collectors go by.
    pub(crate) policy: Policy,
}

impl Weather {
    /// Returns the weather of a seed: fair, or with some of the things that can go wrong, or with all of them.
    pub(crate) fn new(dice: &Dice) -> Self {
        let at_times = |times: usize| if dice.one_in(2) { times } else { 0 };
        let is_fair = dice.one_in(4);
        let some = |times: usize| if is_fair { 0 } else { at_times(times) };
        Self {
            fault_one_in: some(25),
            kill_one_in: some(120),
            sleep_one_in: some(60),
            slow_reply_one_in: 4,
            leap_one_in: 60,
            check_one_in: 400,
            hang_up_one_in: some(15),
            has_deletions: !dice.one_in(8),
            policy: policy(dice),
        }
    }

    /// Returns weather in which nothing goes wrong and time stands still.
    pub(crate) fn fair() -> Self {
        Self {
            fault_one_in: 0,
            kill_one_in: 0,
            sleep_one_in: 0,
            slow_reply_one_in: 0,
            leap_one_in: 0,
            check_one_in: 0,
            hang_up_one_in: 0,
            has_deletions: true,
            policy: Policy::default(),
        }
    }

    /// Returns whether requests fail for no fault of their own.
    pub(crate) fn is_fair(&self) -> bool {
        self.fault_one_in + self.kill_one_in + self.sleep_one_in + self.hang_up_one_in == 0
    }

    /// Returns whether collectors take away manifests that were pushed and not deleted.
    pub(crate) fn takes_untagged(&self) -> bool {
        self.policy.untagged.is_some()
    }
}

fn policy(dice: &Dice) -> Policy {
    match dice.below(4) {
        0 => Policy { history: Duration::ZERO, untagged: Some(Duration::ZERO) },
        1 => Policy { history: Duration::ZERO, untagged: None },
        _ => Policy::default(),
    }
}
