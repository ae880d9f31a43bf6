//! Answers, and refusals in the form that DynamoDB gives them.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};

/// A whole answer.
pub(crate) type Answer = Response<Bytes>;

/// Returns an error of the service itself, such as `TransactionConflictException`.
pub(crate) fn service_error(status: StatusCode, name: &str, message: &str) -> Answer {
    let body = json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{name}"), "message": message });
    with_json(status, &body)
}

/// Returns an error of the layer before the service, which authenticates and throttles.
pub(crate) fn common_error(status: StatusCode, name: &str, message: &str) -> Answer {
    let body = json!({ "__type": format!("com.amazon.coral.service#{name}"), "message": message });
    with_json(status, &body)
}

/// Returns `TransactionCanceledException` with one reason per action, the last of them `code`.
///
/// The last, so that a client that looks at the first reason only is found out.
pub(crate) fn transaction_canceled(actions: usize, code: &str, message: &str) -> Answer {
    let mut reasons = vec![json!({ "Code": "None" }); actions.saturating_sub(1)];
    reasons.push(json!({ "Code": code, "Message": message }));
    let codes: Vec<_> = reasons.iter().filter_map(|reason| reason["Code"].as_str()).collect();
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": format!(
            "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
            codes.join(", ")
        ),
        "CancellationReasons": reasons,
    });
    with_json(StatusCode::BAD_REQUEST, &body)
}

/// Returns `answer` with its JSON changed by `edit`.
pub(crate) fn edited(answer: Answer, edit: impl FnOnce(&mut Value)) -> Answer {
    let (mut head, body) = answer.into_parts();
    let mut value = json_of(&body);
    edit(&mut value);
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove("x-amz-crc32");
    Answer::from_parts(head, value.to_string().into())
}

/// Returns the JSON of a body, null for what is none.
pub(crate) fn json_of(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

fn with_json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Answer::new(body.to_string().into());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-amz-json-1.0"));
    answer.headers_mut().insert("x-amzn-requestid", HeaderValue::from_static("STANDIN"));
    answer
}
