//! One row of the corpus: what is sent, and what must come back.

use serde_json::Value;

use crate::client::{Outcome, Reply};
use crate::request::Request;

/// A request and what must come back.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) request: Request,
    pub(crate) is_cut_off: bool,
    pub(crate) expected: Expected,
}

/// What must come back.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Expected {
    /// The registry refuses: this status, and this code in an error body of the specification.
    Refused(u16, &'static str),
    /// The registry takes no harm and answers with this status.
    Answered(u16),
    /// No registry ever sees it: the HTTP parser answers with a client error or doubts the HTTP version.
    Unparsed,
    /// The client broke off: a client error, or the connection just ends.
    Dropped,
}

/// A row that lacks what must come back.
pub(crate) struct Draft {
    name: String,
    request: Request,
    is_cut_off: bool,
}

/// Starts a row from `<method> <target>`.
pub(crate) fn row(name: impl Into<String>, line: impl Into<Vec<u8>>) -> Draft {
    Draft { name: name.into(), request: Request::new(line), is_cut_off: false }
}

/// Starts a row that sends bytes which may not be HTTP.
pub(crate) fn raw(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Draft {
    Draft { name: name.into(), request: Request::Raw(bytes.into()), is_cut_off: false }
}

impl Draft {
    /// Adds a header, `<name>: <value>`.
    pub(crate) fn header(self, field: impl Into<Vec<u8>>) -> Self {
        Self { request: self.request.with_header(field), ..self }
    }

    /// Sets the body, announced by its length unless a header says otherwise.
    pub(crate) fn body(self, bytes: impl Into<Vec<u8>>) -> Self {
        Self { request: self.request.with_body(bytes), ..self }
    }

    /// Ends the row: the registry refuses.
    pub(crate) fn refused(self, status: u16, code: &'static str) -> Row {
        self.expect(Expected::Refused(status, code))
    }

    /// Ends the row: the registry takes no harm.
    pub(crate) fn answered(self, status: u16) -> Row {
        self.expect(Expected::Answered(status))
    }

    /// Ends the row: the HTTP parser refuses.
    pub(crate) fn unparsed(self) -> Row {
        self.expect(Expected::Unparsed)
    }

    /// Ends the row: the client breaks off after the last byte.
    pub(crate) fn cut_off(self) -> Row {
        Self { is_cut_off: true, ..self }.expect(Expected::Dropped)
    }

    fn expect(self, expected: Expected) -> Row {
        Row { name: self.name, request: self.request, is_cut_off: self.is_cut_off, expected }
    }
}

impl Row {
    /// Says what is wrong with `outcome`.
    pub(crate) fn judge(&self, outcome: &Outcome) -> Result<(), String> {
        match (self.expected, outcome) {
            (_, Outcome::Silence) => Err("no answer in time".to_owned()),
            (Expected::Dropped, Outcome::Closed) => Ok(()),
            (_, Outcome::Closed) => Err("closed without an answer".to_owned()),
            (_, Outcome::Reply(reply)) if reply.header("X-Injected").is_some() => {
                Err("a header of the request's making".to_owned())
            }
            (_, Outcome::Reply(reply)) if reply.header("Access-Control-Allow-Origin").is_some() => {
                Err("pages of other sites may read it".to_owned())
            }
            (_, Outcome::Reply(reply)) => self.judge_reply(reply),
        }
    }

    fn judge_reply(&self, reply: &Reply) -> Result<(), String> {
        let is_right = match self.expected {
            Expected::Refused(status, _) | Expected::Answered(status) => reply.status == status,
            Expected::Unparsed | Expected::Dropped => matches!(reply.status, 400..=499 | 501 | 505),
        };
        match self.expected {
            _ if !is_right => Err(format!("answered {}", summary(reply))),
            Expected::Refused(..) if self.request.is_head() => Ok(()),
            Expected::Refused(_, code) => check_error_body(reply, code),
            _ => Ok(()),
        }
    }
}

fn check_error_body(reply: &Reply, code: &str) -> Result<(), String> {
    let body: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_sound = |error: &Value| error["code"] == code && error["message"].is_string();
    if errors.is_empty() || !errors.iter().all(is_sound) {
        return Err(format!("answered {}", summary(reply)));
    }
    for (header, value) in
        [("Content-Type", "application/json"), ("Docker-Distribution-API-Version", "registry/2.0")]
    {
        if reply.header(header) != Some(value) {
            return Err(format!("answered with {header} {:?}", reply.header(header)));
        }
    }
    Ok(())
}

fn summary(reply: &Reply) -> String {
    let body = String::from_utf8_lossy(&reply.body);
    format!("{} {}", reply.status, body.chars().take(200).collect::<String>())
}
