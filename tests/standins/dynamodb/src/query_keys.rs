//! The lengths of keys in queries, which the engine does not look at.

use http::StatusCode;
use serde_json::Value;

use crate::answer::{Answer, service_error};

/// How many bytes a partition key and a sort key may have (DynamoDB, "Quotas").
const BYTES_MAX: [(&str, usize); 2] = [("pk", 2048), ("sk", 1024)];

/// Returns how DynamoDB refuses a query for a key that no item can have.
pub(crate) fn refusal(operation: &str, asked: &Value) -> Option<Answer> {
    if operation != "Query" {
        return None;
    }
    let (key, bytes_max) = BYTES_MAX.iter().find(|(key, bytes_max)| longest(asked, key) > *bytes_max)?;
    let message = format!(
        "One or more parameter values were invalid: Size of key {key} has exceeded the maximum of {bytes_max} bytes"
    );
    Some(service_error(StatusCode::BAD_REQUEST, "ValidationException", &message))
}

/// Returns how long the longest value is that the query compares with the key, or starts from.
fn longest(asked: &Value, key: &str) -> usize {
    let condition = asked["KeyConditionExpression"].as_str().unwrap_or_default();
    let of_key = condition.split(" AND ").filter(|part| part.contains(key));
    let names =
        of_key.flat_map(|part| part.split(|end: char| end != ':' && end != '_' && !end.is_alphanumeric()));
    let compared = names.map(|name| &asked["ExpressionAttributeValues"][name]);
    let values = compared.chain([&asked["ExclusiveStartKey"][key]]);
    values.filter_map(|value| value["S"].as_str()).map(str::len).max().unwrap_or_default()
}
