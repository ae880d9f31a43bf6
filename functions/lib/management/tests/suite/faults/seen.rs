//! What is there, as the API tells it: every list and every thing, but for what is made by chance or by the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use http::Method;
use regex_lite::Regex;
use registry::ports::Item;
use serde_json::Value;

use super::cases;
use crate::probe::Fault;
use crate::world::{Scene, World};

/// Returns what is stored, but for versions and times; of the log what its entries say.
pub(super) async fn stored(world: &World) -> BTreeSet<String> {
    let items = world.stored().await.into_iter().filter(|item| item.record.as_bucket().is_none());
    let told = items.map(|Item { key, record, .. }| match record.as_audit() {
        Some(entry) => format!("{entry:?}"),
        None => format!("{key:?} {record:?}"),
    });
    told.map(|text| STORED_TIME.replace_all(&text, "a time").into_owned()).collect()
}

static STORED_TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"Timestamp\(\d+\)").unwrap());

/// What each path of the API is answered, and by whom.
pub(super) struct Seen(BTreeMap<String, String>);

impl Seen {
    pub(super) async fn of(world: &World, scene: &Scene) -> Self {
        let mut seen = BTreeMap::new();
        let reads = cases::all(scene).into_iter().filter(|case| case.method == Method::GET);
        // The document is made before any item is.
        let paths: Vec<String> = reads.map(|case| case.path).filter(|path| path != "/openapi.json").collect();
        for (who, show) in [("root", &scene.root), ("bob", &scene.bob), ("robot", &scene.robot)] {
            let client = world.client(show);
            for path in &paths {
                let reply = client.get(path).await;
                let told = serde_json::from_str(&reply.text).map_or(reply.text.clone(), told);
                seen.insert(format!("{who}: {path}"), format!("{} {told}", reply.status));
            }
        }
        Self(seen)
    }

    /// Returns the first answer that is another one. A collector that ended what was delayed says so in its own log.
    pub(super) fn difference(&self, expected: &Self, fault: Fault) -> Option<String> {
        let is_asked = |path: &str| fault != Fault::Delayed || !path.contains("/audit");
        let differs =
            |(path, told): &(&String, &String)| is_asked(path) && expected.0.get(*path) != Some(told);
        let (path, told) = self.0.iter().find(differs)?;
        Some(format!("{path} tells\n{told}\nand not\n{}", expected.0.get(path).map_or("", String::as_str)))
    }
}

/// Returns the answer with a word for whatever is another in every run: times, and the ids of tokens and trusts.
///
/// A request that is sent again may have happened twice: there may be two tokens, trusts or entries of the log which are alike.
fn told(mut json: Value) -> String {
    mask(&mut json);
    json.to_string()
}

fn mask(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for made in ["id", "next", "request_id"] {
                fields.entry(made).and_modify(|value| *value = "made".into());
            }
            fields.values_mut().for_each(mask);
        }
        Value::Array(entries) => {
            entries.iter_mut().for_each(mask);
            entries.sort_by_key(Value::to_string);
            entries.dedup();
        }
        Value::String(text) if TIME.is_match(text) => "a time".clone_into(text),
        Value::String(text) => *text = ID.replace_all(text, "an id").into_owned(),
        _ => {}
    }
}

static ID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b[0-9a-f]{16}\b").unwrap());

static TIME: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$").unwrap());
