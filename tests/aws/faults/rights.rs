//! What AWS asks of a role before it does a call, and whether the template's roles have it.
//!
//! Who is asked about a transaction is not documented to the letter; here every action in it needs a right that covers
//! all its keys.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;
use http::request::Parts;
use infra_tests::Template;
use serde_json::{Value, json};

use crate::fault::{Call, Service};
use crate::operations::Operation;

/// One right that a call needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Right {
    /// Such as `s3:GetObject`.
    action: String,
    /// The object's key; empty for the bucket, the table and the bus.
    object: String,
    /// The partitions of the table that are concerned.
    leading_keys: Vec<String>,
}

impl Right {
    fn of(action: &str, object: &str) -> Self {
        Self { action: action.to_owned(), object: object.to_owned(), leading_keys: Vec::new() }
    }

    /// Returns what is the same whichever repository, blob or shard it is about.
    pub(crate) fn kind(&self) -> String {
        let kind_of = |key: &String| {
            let words: Vec<&str> = key.split('#').collect();
            [words[0], if words[0] == "R" { words.get(2).copied().unwrap_or("META") } else { "" }].concat()
        };
        let kinds: BTreeSet<String> = self.leading_keys.iter().map(kind_of).collect();
        format!("{} {} {kinds:?}", self.action, self.object.split('/').next().unwrap_or_default())
    }
}

/// Returns what a call of the SDK needs.
pub(crate) fn needed(service: Service, operation: &str, head: &Parts, asked: &Bytes) -> Vec<Right> {
    match service {
        Service::S3 => of_s3(operation, head),
        Service::EventBridge => vec![Right::of("events:PutEvents", "")],
        Service::DynamoDb => of_dynamodb(operation, &serde_json::from_slice(asked).unwrap_or_default()),
    }
}

fn of_s3(operation: &str, head: &Parts) -> Vec<Right> {
    let key_of = |path: &str| {
        path.trim_start_matches('/').split_once('/').map(|(_, key)| key.to_owned()).unwrap_or_default()
    };
    let key = key_of(head.uri.path());
    let action = match operation {
        "HeadObject" => "s3:GetObject",
        "CopyObject"
        | "UploadPart"
        | "UploadPartCopy"
        | "CreateMultipartUpload"
        | "CompleteMultipartUpload" => "s3:PutObject",
        "ListObjectsV2" => "s3:ListBucket",
        "ListMultipartUploads" => "s3:ListBucketMultipartUploads",
        "ListParts" => "s3:ListMultipartUploadParts",
        name => &format!("s3:{name}"),
    };
    let source = head.headers.get("x-amz-copy-source").and_then(|source| source.to_str().ok());
    let source = source.map(|source| Right::of("s3:GetObject", &key_of(source)));
    [Right::of(action, &key)].into_iter().chain(source).collect()
}

fn of_dynamodb(operation: &str, asked: &Value) -> Vec<Right> {
    let (mut actions, mut leading_keys) = (BTreeSet::new(), Vec::new());
    let mut key = |holder: &Value| {
        let key = holder["pk"]["S"].as_str().expect("a key");
        leading_keys.push(key.to_owned());
    };
    match operation {
        "TransactWriteItems" => {
            for action in asked["TransactItems"].as_array().into_iter().flatten() {
                let (kind, what) = action.as_object().and_then(|it| it.iter().next()).expect("an action");
                key(if kind == "Put" { &what["Item"] } else { &what["Key"] });
                actions.insert(format!("dynamodb:{}Item", kind.trim_end_matches("Item")));
            }
        }
        "BatchGetItem" => {
            let tables = asked["RequestItems"].as_object().into_iter().flatten();
            tables.flat_map(|(_, table)| table["Keys"].as_array()).flatten().for_each(&mut key);
        }
        "PutItem" => key(&asked["Item"]),
        "GetItem" => key(&asked["Key"]),
        "Query" => key(&json!({ "pk": asked["ExpressionAttributeValues"][":pk"] })),
        _ => {}
    }
    if actions.is_empty() {
        actions.insert(format!("dynamodb:{operation}"));
    }
    let right = |action| Right { action, object: String::new(), leading_keys: leading_keys.clone() };
    actions.into_iter().map(right).collect()
}

/// The rights of each role, and which of them were needed.
pub(crate) struct Roles {
    lines: BTreeMap<&'static str, Vec<String>>,
    used: BTreeSet<(&'static str, String)>,
}

impl Roles {
    pub(crate) fn of_the_template() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../infra/template.yaml");
        let template = Template::load(path).unwrap();
        let roles = ["ApiReadRole", "ApiWriteRole", "ApiTokenRole", "EventsRole", "ScheduledRole"];
        let of_roles = roles.map(|role| (role, template.rights(role).unwrap()));
        let of_relay = ("RelayPolicy", template.policy_rights("RelayPolicy").unwrap());
        Self { lines: of_roles.into_iter().chain([of_relay]).collect(), used: BTreeSet::new() }
    }

    /// Fails unless whoever does the operation on AWS may make these calls.
    pub(crate) fn assert_allow(&mut self, operation: Operation, calls: &[Call]) {
        for role in operation.roles() {
            self.assert_allow_job(role, &format!("{operation:?}"), calls);
        }
    }

    /// Fails unless the role may make these calls.
    pub(crate) fn assert_allow_job(&mut self, role: &'static str, job: &str, calls: &[Call]) {
        for right in calls.iter().flat_map(|call| &call.rights) {
            let line = self.lines[role].iter().find(|line| covers(line, right));
            let line = line.unwrap_or_else(|| panic!("{job}: {role} has no right to {right:?}"));
            self.used.insert((role, line.clone()));
        }
    }

    /// Returns what a role may do and has not done, but for its log.
    pub(crate) fn unused(&self, role: &str) -> Vec<&str> {
        let is_used = |line: &String| self.used.iter().any(|(of, used)| *of == role && used == line);
        let lines = self.lines[role].iter().filter(|line| !line.starts_with("logs:") && !is_used(line));
        lines.map(String::as_str).collect()
    }
}

fn covers(line: &str, right: &Right) -> bool {
    let (line, condition) = line.split_once(" if ").unwrap_or((line, "{}"));
    let (action, resource) = line.split_once(' ').unwrap();
    let objects = resource.rsplit_once("}/").map(|(_, objects)| objects.trim_end_matches('*'));
    let is_of_resource = match objects {
        Some(prefix) => right.object.starts_with(prefix),
        None => right.object.is_empty(),
    };
    let condition: Value = serde_json::from_str(condition).unwrap();
    let allowed = condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"].as_array();
    let is_allowed = |key: &String| {
        allowed.is_none_or(|allowed| allowed.iter().any(|like| is_like(key, like.as_str().unwrap())))
    };
    action == right.action && is_of_resource && right.leading_keys.iter().all(is_allowed)
}

/// Returns whether the text is like the pattern; a `*` in it stands for anything.
fn is_like(text: &str, pattern: &str) -> bool {
    match pattern.split_once('*') {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| is_like(&text[at..], rest))
        }),
    }
}

#[test]
fn a_right_is_bound_to_its_objects_and_partitions() {
    let line = r#"dynamodb:PutItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*#B","TH#*"]}}"#;
    let put = |keys: &[&str]| Right {
        leading_keys: keys.iter().map(|key| (*key).to_owned()).collect(),
        ..Right::of("dynamodb:PutItem", "")
    };
    for (right, is_covered) in [
        (put(&["R#app#B"]), true),
        (put(&["R#app#B", "TH#address#::1"]), true),
        (put(&["R#app#B", "R#app"]), false),
        (put(&["A#admin"]), false),
        (Right::of("dynamodb:DeleteItem", ""), false),
    ] {
        assert_eq!(covers(line, &right), is_covered, "{right:?}");
    }
    let line = "s3:GetObject arn:${AWS::Partition}:s3:::${BucketNameParameter.Value}/data/*";
    for (object, is_covered) in [("data/00/1", true), ("uploads/1", false), ("", false)] {
        assert_eq!(covers(line, &Right::of("s3:GetObject", object)), is_covered, "{object}");
    }
}
