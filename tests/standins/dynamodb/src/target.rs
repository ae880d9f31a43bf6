//! The items that a request writes.

use dynoxide::Database;
use dynoxide::types::KeySchemaElement;
use serde_json::{Map, Value, json};

/// An item that a request writes, if its conditions hold.
pub(crate) struct Target {
    pub(crate) table: String,
    /// As DynamoDB JSON.
    pub(crate) keys: Value,
}

impl Target {
    /// Returns the targets of a request; none when it only reads, or names a table that is not there.
    pub(crate) fn all(operation: &str, request: &Value, database: &Database) -> Vec<Self> {
        let writes = match operation {
            "PutItem" | "UpdateItem" | "DeleteItem" => vec![(table_of(request), request)],
            "TransactWriteItems" => transaction_writes(request),
            "BatchWriteItem" => batch_writes(request),
            _ => Vec::new(),
        };
        writes.into_iter().filter_map(|(table, write)| Self::of(table, write, database)).collect()
    }

    /// Takes the keys out of a write's `Key` or `Item`.
    fn of(table: &str, write: &Value, database: &Database) -> Option<Self> {
        let attributes = write.get("Key").or_else(|| write.get("Item"))?;
        let schema = database.get_table_metadata(table).ok()??.key_schema;
        let schema: Vec<KeySchemaElement> = serde_json::from_str(&schema).ok()?;
        let names = schema.into_iter().map(|element| element.attribute_name);
        let keys: Map<_, _> = names.map(|name| (name.clone(), attributes[name].clone())).collect();
        Some(Self { table: table.to_owned(), keys: keys.into() })
    }

    /// Returns the item as it is now, as DynamoDB JSON.
    pub(crate) fn image(&self, database: &Database) -> Option<Value> {
        let request = json!({ "TableName": self.table, "Key": self.keys });
        let answer = database.get_item(serde_json::from_value(request).ok()?).ok()?;
        answer.item.map(|item| serde_json::to_value(item).expect("an item is JSON"))
    }
}

fn transaction_writes(request: &Value) -> Vec<(&str, &Value)> {
    let actions = request["TransactItems"].as_array().into_iter().flatten();
    let writes =
        actions.filter_map(|action| ["Put", "Update", "Delete"].iter().find_map(|kind| action.get(kind)));
    writes.map(|write| (table_of(write), write)).collect()
}

fn batch_writes(request: &Value) -> Vec<(&str, &Value)> {
    let mut writes = Vec::new();
    for (table, requests) in request["RequestItems"].as_object().into_iter().flatten() {
        for request in requests.as_array().into_iter().flatten() {
            let write = request.get("PutRequest").or_else(|| request.get("DeleteRequest"));
            writes.extend(write.map(|write| (table.as_str(), write)));
        }
    }
    writes
}

fn table_of(write: &Value) -> &str {
    write["TableName"].as_str().unwrap_or_default()
}
