//! Why an invocation fails.

use std::fmt;

use serde_json::Value;

use crate::MAX_PAYLOAD_BYTES;

/// Why an invocation gave no answer.
#[derive(Clone, Debug, PartialEq)]
pub enum InvokeError {
    /// The event is over 6 MB; the function has not seen it.
    EventTooLarge,
    /// The answer is over 6 MB.
    AnswerTooLarge,
    /// The function reported an error, which is here.
    Function(Value),
    /// No function answered; the text says why.
    Broken(String),
}

impl fmt::Display for InvokeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EventTooLarge => write!(formatter, "the event is over {MAX_PAYLOAD_BYTES} bytes"),
            Self::AnswerTooLarge => write!(formatter, "the answer is over {MAX_PAYLOAD_BYTES} bytes"),
            Self::Function(error) => write!(formatter, "the function failed: {error}"),
            Self::Broken(reason) => formatter.write_str(reason),
        }
    }
}

impl std::error::Error for InvokeError {}
