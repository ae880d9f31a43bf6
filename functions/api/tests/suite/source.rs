//! Events in the shape of a recorded one, for any request.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// Returns a recorded event.
pub(crate) fn recorded(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/standins/gateway/events");
    serde_json::from_slice(&std::fs::read(folder.join(format!("{name}.json"))).unwrap()).unwrap()
}

/// The sources that are told apart here by the shape of their events.
pub(crate) const SOURCES: [&str; 5] =
    ["http-api-get", "function-url", "rest-api", "load-balancer", "sam-local-get"];

/// A request of a client.
#[derive(Clone, Copy)]
pub(crate) struct Sent<'s> {
    pub(crate) method: &'s str,
    /// As the source passes it on: some decode it, some do not.
    pub(crate) path: &'s str,
    /// As the client wrote it, `name=value&…`.
    pub(crate) query: &'s str,
    pub(crate) headers: &'s [(&'s str, &'s str)],
    pub(crate) body: &'s [u8],
    /// Whether the source takes the body for text.
    pub(crate) is_text: bool,
}

impl<'s> Sent<'s> {
    pub(crate) fn new(method: &'s str, path: &'s str) -> Self {
        Self { method, path, query: "", headers: &[], body: b"", is_text: false }
    }

    /// Returns this request to a location that may have a query.
    pub(crate) fn to(method: &'s str, location: &'s str) -> Self {
        let (path, query) = location.split_once('?').unwrap_or((location, ""));
        Self { query, ..Self::new(method, path) }
    }

    /// Returns the event that `source` would make of the request: the recorded one with other contents.
    pub(crate) fn event(&self, source: &str) -> Value {
        let mut event = recorded(source);
        match source {
            "rest-api" => self.set_version_1(&mut event, decoded),
            "load-balancer" => self.set_version_1(&mut event, str::to_owned),
            _ => self.set_version_2(&mut event),
        }
        event["body"] = match (self.is_text, self.body.is_empty()) {
            (_, true) if source == "sam-local-get" => json!(""),
            (_, true) => Value::Null,
            (true, false) => json!(std::str::from_utf8(self.body).unwrap()),
            (false, false) => json!(STANDARD.encode(self.body)),
        };
        event["isBase64Encoded"] = json!(!self.is_text);
        event
    }

    fn set_version_2(&self, event: &mut Value) {
        event["rawPath"] = json!(self.path);
        event["rawQueryString"] = json!(self.query);
        event["requestContext"]["http"]["method"] = json!(self.method);
        event["requestContext"]["http"]["path"] = json!(decoded(self.path));
        let headers = event["headers"].as_object_mut().unwrap();
        headers.retain(|name, _| !name.eq_ignore_ascii_case("content-type"));
        headers.insert("content-length".to_owned(), json!(self.body.len().to_string()));
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    }

    fn set_version_1(&self, event: &mut Value, parameter: impl Fn(&str) -> String) {
        event["path"] = json!(self.path);
        event["httpMethod"] = json!(self.method);
        let mut lists: Map<String, Value> = Map::new();
        for (name, value) in self.query.split('&').filter_map(|pair| pair.split_once('=')) {
            let list = lists.entry(parameter(name)).or_insert_with(|| json!([]));
            list.as_array_mut().unwrap().push(json!(parameter(value)));
        }
        if event["queryStringParameters"].is_object() {
            event["queryStringParameters"] = last_of_each(&lists);
        }
        event["multiValueQueryStringParameters"] = Value::Object(lists);
        let lists = event["multiValueHeaders"].as_object_mut().unwrap();
        lists.retain(|name, _| !name.eq_ignore_ascii_case("content-type"));
        lists.retain(|name, _| !name.eq_ignore_ascii_case("content-length"));
        lists.insert("content-length".to_owned(), json!([self.body.len().to_string()]));
        lists.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))));
        if event["headers"].is_object() {
            event["headers"] = last_of_each(event["multiValueHeaders"].as_object().unwrap());
        }
    }
}

fn last_of_each(lists: &Map<String, Value>) -> Value {
    lists
        .iter()
        .map(|(name, list)| (name.clone(), list.as_array().unwrap().last().unwrap().clone()))
        .collect()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}
