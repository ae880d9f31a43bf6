//! Upload sessions of the corpus: a row that names one gets its own, and must leave it as it was.

use test_support::content::noise;

use crate::baseline::{LAYER_BYTES, call, open_upload, start_upload};
use crate::client::{Outcome, exchange};
use crate::request::Request;
use crate::row::{Expected, Row};
use crate::words::Words;

/// The session that a row plays with.
pub(crate) struct Session {
    path: String,
    range: Option<String>,
}

impl Session {
    /// Makes the session that `row` names, if it names one, and sets its word.
    ///
    /// `<upload>` is empty, `<started>` has ten bytes, `<finished>` became the layer, `<cancelled>` was given up.
    pub(crate) fn prepare(row: &Row, words: &mut Words) -> Option<Self> {
        let word = ["upload", "started", "finished", "cancelled"]
            .into_iter()
            .find(|word| row.request.mentions(word))?;
        let path = match word {
            "started" => open_upload(words, "<name>"),
            "finished" => finish(words, start_upload(words, "<name>")),
            "cancelled" => cancel(words, start_upload(words, "<name>")),
            _ => start_upload(words, "<name>"),
        };
        words.set(word, &path);
        words.set(&format!("{word}-id"), path.rsplit('/').next().unwrap());
        let range = position(words, &path);
        Some(Self { path, range })
    }

    /// Says what `row` did to the session that it had no right to do, and gives the session up.
    pub(crate) fn close(self, row: &Row, words: &Words) -> Result<(), String> {
        let range = position(words, &self.path);
        send(words, &format!("DELETE {}", self.path));
        let is_kept = match row.expected {
            Expected::Refused(..) | Expected::Unparsed => range == self.range,
            Expected::Dropped => range.is_some() == self.range.is_some(),
            Expected::Answered(_) => true,
        };
        if is_kept { Ok(()) } else { Err(format!("the session went from {:?} to {range:?}", self.range)) }
    }
}

/// Gives up the session that an answer opened; one of the baseline stays.
pub(crate) fn close_opened(outcome: &Outcome, words: &Words) {
    if let Outcome::Reply(reply) = outcome
        && let (202, Some(path)) = (reply.status, reply.header("Location"))
        && !["open-id", "foreign-id"].iter().any(|word| path.contains(words.get(word)))
    {
        send(words, &format!("DELETE {path}"));
    }
}

/// Returns how far the session at `path` is, or `None` if there is none.
pub(crate) fn position(words: &Words, path: &str) -> Option<String> {
    match send(words, &format!("GET {path}")) {
        Outcome::Reply(reply) if reply.status == 204 => reply.header("Range").map(str::to_owned),
        _ => None,
    }
}

fn finish(words: &Words, path: String) -> String {
    let put = Request::new(format!("PUT {path}?digest=<layer>")).with_body(noise(1, LAYER_BYTES));
    call(words, &put, 201);
    path
}

fn cancel(words: &Words, path: String) -> String {
    call(words, &Request::new(format!("DELETE {path}")), 204);
    path
}

fn send(words: &Words, line: &str) -> Outcome {
    exchange(words.get("host"), &Request::new(line).encode(words), false)
}
