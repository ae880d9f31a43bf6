//! Whether what clients saw of a register can be put into one order (Wing and Gong, with a memory of dead ends).

use std::collections::HashSet;

/// What a client did with the register, and what it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It found this, or nothing.
    Read(Option<usize>),
    /// It put this there.
    Write(usize),
    /// It emptied the register; or was told that it was empty.
    Clear {
        /// Whether there was something.
        was_there: bool,
    },
}

/// An act, from the request to the answer.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// When it was asked for.
    pub begin: u64,
    /// When it was answered.
    pub end: u64,
    /// What it was.
    pub act: Act,
}

impl Act {
    /// Returns what the register holds afterwards; `None` if this cannot have happened to it.
    fn on(self, value: Option<usize>) -> Option<Option<usize>> {
        match self {
            Self::Read(found) => (found == value).then_some(value),
            Self::Write(next) => Some(Some(next)),
            Self::Clear { was_there } => (was_there == value.is_some()).then_some(None),
        }
    }
}

/// Returns whether there is an order of all events that explains each of them, and in which none comes before another
/// that was answered before it was asked for.
///
/// Each client's events are in the order in which it did them, one after the other. The register is empty at first.
pub fn is_linearizable(clients: &[Vec<Event>]) -> bool {
    let begin = (vec![0; clients.len()], None);
    let (mut seen, mut open) = (HashSet::from([begin.clone()]), vec![begin]);
    while let Some((done, value)) = open.pop() {
        let next = clients.iter().zip(&done).map(|(events, &done)| events.get(done));
        let next: Vec<Option<&Event>> = next.collect();
        let Some(first_end) = next.iter().flatten().map(|event| event.end).min() else { return true };
        for (client, event) in next.iter().enumerate() {
            let Some(event) = event.filter(|event| event.begin <= first_end) else { continue };
            let Some(value) = event.act.on(value) else { continue };
            let mut done = done.clone();
            done[client] += 1;
            if seen.insert((done.clone(), value)) {
                open.push((done, value));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(begin: u64, end: u64, act: Act) -> Event {
        Event { begin, end, act }
    }

    #[test]
    fn what_was_written_before_has_to_be_read() {
        let writer = vec![event(1, 2, Act::Write(1)), event(3, 4, Act::Write(2))];
        let reads = |found| vec![event(5, 6, Act::Read(found))];
        assert!(is_linearizable(&[writer.clone(), reads(Some(2))]));
        assert!(!is_linearizable(&[writer.clone(), reads(Some(1))]));
        assert!(!is_linearizable(&[writer, reads(None)]));
    }

    #[test]
    fn what_is_being_written_may_be_read_but_not_taken_back() {
        let writer = vec![event(1, 10, Act::Write(1))];
        let reads = |first, second| vec![event(2, 3, Act::Read(first)), event(4, 5, Act::Read(second))];
        assert!(is_linearizable(&[writer.clone(), reads(None, None)]));
        assert!(is_linearizable(&[writer.clone(), reads(None, Some(1))]));
        assert!(!is_linearizable(&[writer, reads(Some(1), None)]));
    }

    #[test]
    fn of_two_deletions_one_finds_something() {
        let writer = vec![event(1, 2, Act::Write(1))];
        let clears = |was_there| vec![event(3, 5, Act::Clear { was_there })];
        assert!(is_linearizable(&[writer.clone(), clears(true), clears(false)]));
        assert!(!is_linearizable(&[writer.clone(), clears(true), clears(true)]));
        assert!(!is_linearizable(&[writer, clears(false), clears(false)]));
    }
}
