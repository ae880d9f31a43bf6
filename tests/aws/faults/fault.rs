//! What goes wrong with a call, in the words of the service that it happens to.

use bytes::Bytes;
use http::{HeaderValue, Response};
use serde_json::{Value, json};

use crate::rights::Right;

/// In every message of a fault: no client of the registry may ever read it.
pub(crate) const SECRET: &str = "a-word-of-aws";

/// Who is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    DynamoDb,
    S3,
    EventBridge,
}

/// One attempt of the SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    pub(crate) service: Service,
    /// Such as `TransactWriteItems`.
    pub(crate) operation: String,
    /// Whether it is a write of an object with a condition.
    pub(crate) is_conditional: bool,
    /// What AWS asks of the role that makes it.
    pub(crate) rights: Vec<Right>,
}

/// One thing that goes wrong. Unless it says otherwise, nothing is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// `ThrottlingException`, or `503 SlowDown`.
    Throttled,
    /// `ProvisionedThroughputExceededException`.
    ThroughputExceeded,
    /// A transaction is cancelled because another one holds an item, or a lone write is refused for that.
    TransactionConflict,
    /// A transaction is cancelled because an item is throttled.
    TransactionThrottled,
    /// `409 ConditionalRequestConflict`: another write of the object is under way.
    Conflict,
    /// `500 InternalServerError`, or `500 InternalError`.
    InternalError,
    /// No answer ever comes: the adapter's own timeout ends the call.
    Hung,
    /// Applied, and the connection closed without an answer.
    AppliedThenLost,
    /// The connection is closed in the middle of the object.
    BrokenOff,
}

impl Call {
    /// Returns what is the same of all calls that do the same step with other things.
    pub(crate) fn step(&self) -> String {
        let kinds: Vec<String> = self.rights.iter().map(Right::kind).collect();
        format!("{} {}", self.operation, kinds.join(", "))
    }
}

impl Fault {
    pub(crate) const ALL: [Self; 9] = [
        Self::Throttled,
        Self::ThroughputExceeded,
        Self::TransactionConflict,
        Self::TransactionThrottled,
        Self::Conflict,
        Self::InternalError,
        Self::Hung,
        Self::AppliedThenLost,
        Self::BrokenOff,
    ];

    /// Returns whether this can happen to the call.
    pub(crate) fn fits(self, call: &Call) -> bool {
        match self {
            Self::ThroughputExceeded => call.service == Service::DynamoDb,
            Self::TransactionConflict => ["TransactWriteItems", "PutItem"].contains(&call.operation.as_str()),
            Self::TransactionThrottled => call.operation == "TransactWriteItems",
            Self::Conflict => call.is_conditional,
            Self::BrokenOff => call.operation == "GetObject",
            _ => true,
        }
    }

    /// Returns the status that tells a client of it.
    pub(crate) fn told(self) -> u16 {
        match self {
            Self::Throttled
            | Self::ThroughputExceeded
            | Self::TransactionConflict
            | Self::TransactionThrottled => 429,
            Self::Conflict | Self::InternalError | Self::Hung | Self::AppliedThenLost | Self::BrokenOff => {
                503
            }
        }
    }

    /// Returns this, or the like of it if it cannot happen to the call.
    pub(crate) fn fitted(self, call: &Call) -> Self {
        match (self.fits(call), self) {
            (true, fault) => fault,
            (false, Self::BrokenOff | Self::Conflict) => Self::AppliedThenLost,
            (false, _) => Self::Throttled,
        }
    }

    /// Returns the answer instead of the service's own, if there is one.
    pub(crate) fn refusal(self, call: &Call, asked: &Bytes) -> Option<Response<Bytes>> {
        let dynamodb =
            |status, name: &str| json_refusal(status, &json!({ "__type": name, "message": SECRET }));
        Some(match (self, call.service) {
            (Self::Throttled, Service::S3) => s3_refusal(503, "SlowDown"),
            (Self::Throttled, _) => dynamodb(400, "com.amazon.coral.service#ThrottlingException"),
            (Self::InternalError, Service::S3) => s3_refusal(500, "InternalError"),
            (Self::InternalError, _) => dynamodb(500, "com.amazonaws.dynamodb.v20120810#InternalServerError"),
            (Self::ThroughputExceeded, _) => {
                dynamodb(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException")
            }
            (Self::TransactionConflict, _) if call.operation == "PutItem" => {
                dynamodb(400, "com.amazonaws.dynamodb.v20120810#TransactionConflictException")
            }
            (Self::TransactionConflict, _) => cancelled(asked, "TransactionConflict"),
            (Self::TransactionThrottled, _) => cancelled(asked, "ThrottlingError"),
            (Self::Conflict, _) => s3_refusal(409, "ConditionalRequestConflict"),
            _ => return None,
        })
    }
}

/// One reason for each action; the last one says it.
fn cancelled(asked: &Bytes, code: &str) -> Response<Bytes> {
    let asked: Value = serde_json::from_slice(asked).unwrap();
    let actions = asked["TransactItems"].as_array().unwrap().len();
    let mut reasons = vec![json!({ "Code": "None" }); actions - 1];
    reasons.push(json!({ "Code": code, "Message": SECRET }));
    let name = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    json_refusal(400, &json!({ "__type": name, "Message": SECRET, "CancellationReasons": reasons }))
}

fn json_refusal(status: u16, body: &Value) -> Response<Bytes> {
    refusal(status, "application/x-amz-json-1.0", body.to_string())
}

fn s3_refusal(status: u16, code: &str) -> Response<Bytes> {
    refusal(
        status,
        "application/xml",
        format!("<Error><Code>{code}</Code><Message>{SECRET}</Message></Error>"),
    )
}

fn refusal(status: u16, media_type: &'static str, body: String) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    response.headers_mut().insert("content-type", HeaderValue::from_static(media_type));
    response
}
