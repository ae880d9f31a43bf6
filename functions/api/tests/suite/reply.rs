//! What a function answers, in the shapes of all sources.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// An answer as a client gets it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u64,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
    /// Whether the body travelled as base64.
    pub(crate) is_base64: bool,
}

impl Reply {
    /// Reads an answer; a header that says two things in one answer fails.
    pub(crate) fn of(answer: &Value) -> Self {
        let mut headers = BTreeMap::new();
        for (name, value) in answer["headers"].as_object().into_iter().flatten() {
            headers.insert(name.clone(), text(value));
        }
        for (name, values) in answer["multiValueHeaders"].as_object().into_iter().flatten() {
            let [value] = values.as_array().unwrap().as_slice() else {
                panic!("{name} is repeated: {values}")
            };
            let before = headers.insert(name.clone(), text(value));
            assert!(before.is_none_or(|before| before == text(value)), "{name} says two things: {answer}");
        }
        let is_base64 = answer["isBase64Encoded"].as_bool().unwrap();
        let body = answer["body"].as_str().unwrap_or_default();
        let body = if is_base64 { STANDARD.decode(body).unwrap() } else { body.as_bytes().to_vec() };
        Self { status: answer["statusCode"].as_u64().unwrap(), headers, body, is_base64 }
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u64) -> Self {
        assert_eq!(self.status, status, "{:?}\n{}", self.headers, String::from_utf8_lossy(&self.body));
        self
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("{name} is missing: {self:?}"))
    }

    /// Returns code and message of an error, as the specification writes them.
    pub(crate) fn error(&self) -> (String, String) {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let error = &body["errors"][0];
        (text(&error["code"]), text(&error["message"]))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
