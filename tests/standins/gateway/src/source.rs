//! Events of S3, DynamoDB streams and `EventBridge` Scheduler.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

/// What S3 leaves as it is in the key of an event; a space becomes a plus.
const KEY: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'*').remove(b' ');

/// Returns what S3 sends when an object was put: `ObjectCreated:Put`.
pub fn s3_event(bucket: &str, key: &str, size_bytes: u64, etag: &str, sequencer: &str) -> Value {
    let key = utf8_percent_encode(key, KEY).to_string().replace(' ', "+");
    json!({ "Records": [{
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "us-east-1",
        "eventTime": "2026-11-21T12:00:00.000Z",
        "eventName": "ObjectCreated:Put",
        "userIdentity": { "principalId": "AWS:AROAEXAMPLE:slipway" },
        "requestParameters": { "sourceIPAddress": "203.0.113.7" },
        "responseElements": { "x-amz-request-id": "C3D13FE58DE4C810", "x-amz-id-2": "FMyUVURIY8/IgAtTv8xRjskZQpcIZ9KG" },
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": "uploads",
            "bucket": {
                "name": bucket,
                "ownerIdentity": { "principalId": "A3NL1KOZZKExample" },
                "arn": format!("arn:aws:s3:::{bucket}"),
            },
            "object": { "key": key, "size": size_bytes, "eTag": etag, "sequencer": sequencer },
        },
    }] })
}

/// Returns what a stream sends after items were put: one INSERT for each image, in DynamoDB's JSON.
///
/// An image holds the attributes of the key, `pk` and `sk`.
pub fn stream_event(images: &[Value]) -> Value {
    let records: Vec<Value> = images.iter().enumerate().map(|(index, image)| insert(index, image)).collect();
    json!({ "Records": records })
}

fn insert(index: usize, image: &Value) -> Value {
    json!({
        "eventID": format!("{index:032x}"),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_795_262_400,
            "Keys": { "pk": image["pk"], "sk": image["sk"] },
            "NewImage": image,
            "SequenceNumber": format!("{:021}", index + 1),
            "SizeBytes": image.to_string().len(),
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": "arn:aws:dynamodb:us-east-1:123456789012:table/slipway/stream/2026-11-21T00:00:00.000",
    })
}

/// Returns what `EventBridge` Scheduler sends for a schedule without an input of its own.
pub fn schedule_event(schedule: &str) -> Value {
    json!({
        "version": "0",
        "id": "37666ae6-48cf-4285-b4c6-a3320b38824a",
        "detail-type": "Scheduled Event",
        "source": "aws.scheduler",
        "account": "123456789012",
        "time": "2026-11-21T12:00:00Z",
        "region": "us-east-1",
        "resources": [format!("arn:aws:scheduler:us-east-1:123456789012:schedule/default/{schedule}")],
        "detail": "{}",
    })
}
