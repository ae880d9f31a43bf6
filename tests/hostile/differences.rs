//! Rows that a deployment is known to answer otherwise, each with the reason and with what it answers.
//!
//! `SLIPWAY_HOSTILE_DIFFERENCES` names the list, or several with colons between them, of which the later ones have the
//! last word. A line that is not indented is a reason; the rows below it are
//! `<status> <table>: <row>`, or `closed <table>: <row>` where the connection just ends. What is `unsent`, a row or a
//! whole table by its name, is left out. A row of the list that passes, or is answered otherwise than listed, is a
//! failure too: the list tells the truth.

use std::collections::BTreeMap;

use crate::client::Outcome;

/// In place of an answer: the row is not sent.
const UNSENT: &str = "unsent";

/// What a row is answered instead.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    answer: String,
    reason: String,
}

/// The list.
#[derive(Default)]
pub(crate) struct Differences {
    rows: BTreeMap<String, Difference>,
    /// Reasons, by row or table.
    unsent: BTreeMap<String, String>,
}

impl Differences {
    /// Reads the list, if there is one.
    pub(crate) fn read() -> Self {
        let paths = std::env::var("SLIPWAY_HOSTILE_DIFFERENCES").unwrap_or_default();
        let mut differences = Self::default();
        for path in paths.split(':').filter(|path| !path.is_empty()) {
            let list = Self::parse(&std::fs::read_to_string(path).unwrap());
            differences.rows.extend(list.rows);
            differences.unsent.extend(list.unsent);
        }
        differences
    }

    fn parse(text: &str) -> Self {
        let (mut differences, mut reason) = (Self::default(), "");
        for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            match line.strip_prefix("  ") {
                None => reason = line,
                Some(_) if reason.is_empty() => panic!("no reason stands above {line:?}"),
                Some(row) => differences.add(row, reason),
            }
        }
        differences
    }

    fn add(&mut self, line: &str, reason: &str) {
        let (answer, row) = line.split_once(' ').unwrap_or_else(|| panic!("no answer in {line:?}"));
        let (answer, reason) = (answer.to_owned(), reason.to_owned());
        assert!(!answer.starts_with('5'), "a 5xx is never to be expected: {line:?}");
        let earlier = match answer.as_str() {
            UNSENT => self.unsent.insert(row.trim_end().to_owned(), reason).is_some(),
            _ => self.rows.insert(row.trim_end().to_owned(), Difference { answer, reason }).is_some(),
        };
        assert!(!earlier, "{row:?} is listed twice");
    }

    /// Returns whether `row`, which is `<table>: <row>`, is left out.
    pub(crate) fn leave_out(&self, table: &str, row: &str) -> bool {
        [table, row.trim_end()].iter().any(|name| self.unsent.contains_key(*name))
    }

    /// Returns what is known of `row`, which is `<table>: <row>`.
    pub(crate) fn of(&self, row: &str) -> Option<&Difference> {
        self.rows.get(row.trim_end())
    }

    /// Fails when the list names what there is not, or a row by a name that is not its alone.
    pub(crate) fn check(&self, tables: &[&str], rows: &[String]) {
        for listed in self.rows.keys().chain(self.unsent.keys()) {
            let is_table = self.unsent.contains_key(listed) && tables.contains(&listed.as_str());
            let count = rows.iter().filter(|row| row.trim_end() == listed).count();
            assert!(is_table || count == 1, "the list of differences names {listed:?}: {count} rows");
        }
    }
}

impl Difference {
    /// Judges the outcome of a row of the list, which was `judged` without it; a refusal has to have `kept` its session.
    pub(crate) fn judge(
        &self,
        judged: Result<(), String>,
        outcome: &Outcome,
        kept: Result<(), String>,
    ) -> Result<(), String> {
        let Err(failure) = judged else {
            return Err(format!("passes, although the list says: {}", self.reason));
        };
        let answer = match outcome {
            Outcome::Reply(reply) => reply.status.to_string(),
            Outcome::Closed => "closed".to_owned(),
            Outcome::Silence => "silence".to_owned(),
        };
        let is_refusal = !answer.starts_with('2');
        match answer == self.answer {
            false => Err(format!("{failure}; the list says {}", self.answer)),
            true if is_refusal => kept,
            true => Ok(()),
        }
    }
}
