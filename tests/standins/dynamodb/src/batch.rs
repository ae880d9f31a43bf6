//! What a request asks of how many items, and how a part of a batch is withheld.

use serde_json::{Map, Value};

/// Returns how many items a successful call has read or written.
pub(crate) fn items_of(operation: &str, request: &Value, answer: &Value) -> u64 {
    let items = match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" => 1,
        "Query" | "Scan" => return answer["ScannedCount"].as_u64().unwrap_or(0),
        "TransactWriteItems" | "TransactGetItems" => actions_of(request),
        "BatchGetItem" => entry_count(&request["RequestItems"]) - entry_count(&answer["UnprocessedKeys"]),
        "BatchWriteItem" => entry_count(&request["RequestItems"]) - entry_count(&answer["UnprocessedItems"]),
        _ => 0,
    };
    items as u64
}

/// Returns the number of actions in a transaction.
pub(crate) fn actions_of(request: &Value) -> usize {
    request["TransactItems"].as_array().map_or(0, Vec::len)
}

/// Returns the number of keys or writes in all tables of a batch.
pub(crate) fn entry_count(tables: &Value) -> usize {
    let parts = tables.as_object().into_iter().flat_map(Map::values);
    parts.filter_map(|part| part.get("Keys").unwrap_or(part).as_array()).map(Vec::len).sum()
}

/// Takes the last `count` keys or writes out of a batch and returns them, by table.
pub(crate) fn withhold(request: &mut Value, count: usize) -> Map<String, Value> {
    let mut withheld = Map::new();
    let Some(tables) = request["RequestItems"].as_object_mut() else { return withheld };
    let mut wanted = count;
    for (table, part) in tables.iter_mut() {
        let mut rest = part.clone();
        let kept = entries(part).len().saturating_sub(wanted);
        *entries(&mut rest) = entries(part).split_off(kept);
        wanted -= entries(&mut rest).len();
        if !entries(&mut rest).is_empty() {
            withheld.insert(table.clone(), rest);
        }
    }
    tables.retain(|_, part| !entries(part).is_empty());
    withheld
}

/// Adds what was withheld to the answer's `UnprocessedKeys` or `UnprocessedItems`.
pub(crate) fn add_unprocessed(operation: &str, answer: &mut Value, withheld: Map<String, Value>) {
    let field = if operation == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
    for (table, mut part) in withheld {
        match answer[field].get_mut(&table) {
            Some(present) => entries(present).append(entries(&mut part)),
            None => answer[field][&table] = part,
        }
    }
}

/// Returns the list in one table's part of a batch: `Keys` when getting, the part itself when writing.
fn entries(part: &mut Value) -> &mut Vec<Value> {
    let list = if part.is_object() { &mut part["Keys"] } else { part };
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    list.as_array_mut().expect("it is an array now")
}
