//! The functions: what they run on, what starts them, what they are told.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{named, template};

#[test]
fn all_functions_are_small_native_programs() {
    let template = template();
    let shared = &template.document()["Globals"]["Function"];
    assert_eq!(shared["Runtime"], "provided.al2023");
    assert_eq!(shared["Handler"], "bootstrap");
    assert_eq!(shared["Architectures"], json!([{"Ref": "Architecture"}]));
    assert_eq!(shared["MemorySize"], 512);
    assert_eq!(template.section("Parameters")["Architecture"]["Default"], "arm64");
    for function in template.functions() {
        let own = template.properties(function);
        for setting in ["Runtime", "Handler", "Architectures"] {
            assert!(own[setting].is_null(), "{function} has a {setting} of its own");
        }
        // Memory brings processor, which a login needs and nothing else does.
        let memory = if function == "ApiTokenFunction" { json!(1024) } else { json!(null) };
        assert_eq!(own["MemorySize"], memory, "{function}");
    }
}

/// Function, package, program, seconds.
const FUNCTIONS: [(&str, &str, &str, u64); 5] = [
    ("ApiReadFunction", "../functions/api", "api", 29),
    ("ApiTokenFunction", "../functions/api", "api", 29),
    ("ApiWriteFunction", "../functions/api", "api", 29),
    ("EventsFunction", "../functions/events", "events", 900),
    ("ScheduledFunction", "../functions/scheduled", "scheduled", 900),
];

#[test]
fn each_function_is_built_from_its_package() {
    let template = template();
    assert_eq!(template.functions(), FUNCTIONS.map(|(function, ..)| function));
    for (function, folder, binary, seconds) in FUNCTIONS {
        let resource = template.resource(function).unwrap();
        let metadata = json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": binary}});
        assert_eq!(resource["Metadata"], metadata, "{function}");
        assert_eq!(resource["Properties"]["CodeUri"], folder, "{function}");
        assert_eq!(resource["Properties"]["Timeout"], seconds, "{function}");
    }
}

#[test]
fn each_function_has_a_role_and_a_log_of_its_own() {
    let template = template();
    let of_each = |path: &str| {
        let value = |id: &str| template.properties(id).pointer(path).unwrap().as_str().unwrap().to_owned();
        template.functions().into_iter().map(value).collect::<BTreeSet<_>>()
    };
    let logs = of_each("/LoggingConfig/LogGroup/Ref");
    assert_eq!(logs.len(), FUNCTIONS.len());
    assert_eq!(of_each("/Role/Fn::GetAtt/0").len(), FUNCTIONS.len());
    for log in template.resources_of_type("AWS::Logs::LogGroup") {
        assert_eq!(template.properties(log)["RetentionInDays"], json!({"Ref": "LogRetentionDays"}), "{log}");
    }
}

const EVERY: [&str; 6] = [
    "SLIPWAY_BUCKET",
    "SLIPWAY_DYNAMODB_ENDPOINT",
    "SLIPWAY_LOG",
    "SLIPWAY_S3_ENDPOINT",
    "SLIPWAY_S3_PATH_STYLE",
    "SLIPWAY_TABLE",
];
const API: [&str; 4] = ["SLIPWAY_EDGE_KEY", "SLIPWAY_ROLE", "SLIPWAY_SECRET", "SLIPWAY_SECRETS_ENDPOINT"];
const CONTENT: [&str; 2] = ["SLIPWAY_EDGE_HOST", "SLIPWAY_UPLOADS"];

fn values(name: &str) -> Option<String> {
    let known = ["Table", "AWS::AccountId", "CapabilityKey", "EdgeKey", "RegistrySecret"].contains(&name);
    let id = (name == "AWS::StackId").then(|| "arn:aws:cloudformation:r:1:stack/s/1-2-3-4-5f".to_owned());
    id.or_else(|| known.then(|| format!("a-{name}")))
}

#[test]
fn the_variables_are_exactly_those_that_the_programs_read() {
    let template = template();
    for (function, own) in [
        ("ApiReadFunction", [&API[..], &CONTENT, &["SLIPWAY_HEAD_LENGTH"]].concat()),
        ("ApiTokenFunction", API.to_vec()),
        ("ApiWriteFunction", [&API[..], &CONTENT, &["SLIPWAY_CAPABILITY_KEY"]].concat()),
        ("EventsFunction", vec![]),
        ("ScheduledFunction", vec![]),
    ] {
        let found: BTreeSet<_> = template.environment(function, &values).unwrap().into_keys().collect();
        let expected: BTreeSet<_> = EVERY.iter().chain(&own).map(|name| (*name).to_owned()).collect();
        assert_eq!(found, expected, "{function}");
    }
}

#[test]
fn by_default_large_layers_go_to_s3() {
    let environment = template().environment("ApiWriteFunction", &values).unwrap();
    for (name, value) in [
        ("SLIPWAY_ROLE", "write"),
        ("SLIPWAY_UPLOADS", "presigned"),
        ("SLIPWAY_EDGE_HOST", ""),
        ("SLIPWAY_CAPABILITY_KEY", ""),
        ("SLIPWAY_TABLE", "a-Table"),
        ("SLIPWAY_BUCKET", "slipway-a-AWS::AccountId-5f"),
        ("SLIPWAY_S3_ENDPOINT", ""),
        ("SLIPWAY_LOG", "info"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
}

#[test]
fn each_function_of_the_api_knows_its_role_and_the_one_secret() {
    let template = template();
    for (function, role) in
        [("ApiReadFunction", "read"), ("ApiTokenFunction", "token"), ("ApiWriteFunction", "write")]
    {
        let environment = template.environment(function, &values).unwrap();
        assert_eq!(environment["SLIPWAY_ROLE"], role, "{function}");
        // Its ARN: the secret itself, in a variable, would be shown to all who may look at the function.
        assert_eq!(environment["SLIPWAY_SECRET"], "a-RegistrySecret", "{function}");
        assert_eq!(environment["SLIPWAY_SECRETS_ENDPOINT"], "", "{function}");
    }
}

/// Without an edge there is nobody to believe.
#[test]
fn the_edge_shows_the_api_what_the_api_knows_it_by() {
    let template = template();
    let without = |name: &str| (name == "WithEdge").then(|| "no".to_owned()).or_else(|| values(name));
    for function in ["ApiReadFunction", "ApiTokenFunction", "ApiWriteFunction"] {
        let known = &template.environment(function, &values).unwrap()["SLIPWAY_EDGE_KEY"];
        assert_eq!(known, "{{resolve:secretsmanager:a-EdgeKey}}", "{function}");
        assert_eq!(template.environment(function, &without).unwrap()["SLIPWAY_EDGE_KEY"], "", "{function}");
    }
    let secret = template.resource("EdgeKey").unwrap();
    assert_eq!(
        secret["Properties"]["GenerateSecretString"],
        json!({"PasswordLength": 64, "ExcludePunctuation": true})
    );
    assert_eq!(template.properties("Edge")["Parameters"]["EdgeKeySecretArn"], json!({"Ref": "EdgeKey"}));
    let edge = named("edge.yaml");
    let origins =
        edge.properties("Distribution")["DistributionConfig"]["Origins"].as_array().unwrap().clone();
    let shown = json!([{
        "HeaderName": "x-slipway-edge",
        "HeaderValue": {"Fn::Sub": "{{resolve:secretsmanager:${EdgeKeySecretArn}}}"},
    }]);
    for origin in origins {
        let expected = if origin["Id"] == "api" { shown.clone() } else { json!(null) };
        assert_eq!(origin["OriginCustomHeaders"], expected, "{origin}");
    }
}

#[test]
fn without_an_edge_every_upload_is_inline() {
    let without = |name: &str| (name == "WithEdge").then(|| "no".to_owned()).or_else(|| values(name));
    let environment = template().environment("ApiWriteFunction", &without).unwrap();
    assert_eq!(environment["SLIPWAY_UPLOADS"], "inline");
}

#[test]
fn only_the_writing_function_has_the_capability_key() {
    let capability =
        |name: &str| (name == "Uploads").then(|| "capability".to_owned()).or_else(|| values(name));
    let environment = template().environment("ApiWriteFunction", &capability).unwrap();
    assert_eq!(environment["SLIPWAY_UPLOADS"], "capability");
    assert_eq!(environment["SLIPWAY_CAPABILITY_KEY"], "{{resolve:secretsmanager:a-CapabilityKey}}");
    // A function without the key must not be told to use it: it would not start.
    let reading = template().environment("ApiReadFunction", &capability).unwrap();
    assert_eq!(reading["SLIPWAY_UPLOADS"], "inline");
    assert_eq!(reading.get("SLIPWAY_CAPABILITY_KEY"), None);
}

/// Only the function that reads answers a HEAD of content. S3 asks for the right to read the object, which it has.
#[test]
fn a_head_tells_its_length_by_a_header_unless_the_parameter_says_otherwise() {
    let content = |name: &str| (name == "HeadLength").then(|| "content".to_owned()).or_else(|| values(name));
    let template = template();
    let allowed = &template.section("Parameters")["HeadLength"]["AllowedValues"];
    assert_eq!(*allowed, json!(["header", "content"]));
    for (resolver, expected) in
        [(&values as &dyn Fn(&str) -> Option<String>, "header"), (&content, "content")]
    {
        let environment = template.environment("ApiReadFunction", resolver).unwrap();
        assert_eq!(environment["SLIPWAY_HEAD_LENGTH"], expected);
    }
}

#[test]
fn the_stream_brings_new_outbox_items_and_loses_none_silently() {
    let template = template();
    let outbox = &template.properties("EventsFunction")["Events"]["Outbox"];
    assert_eq!(outbox["Type"], "DynamoDB");
    let stream = &outbox["Properties"];
    assert_eq!(stream["Stream"], json!({"Fn::GetAtt": ["Table", "StreamArn"]}));
    assert_eq!(stream["StartingPosition"], "TRIM_HORIZON");
    let pattern = stream["FilterCriteria"]["Filters"][0]["Pattern"].as_str().unwrap();
    let expected = json!({"eventName": ["INSERT"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "EV#"}]}}}});
    assert_eq!(serde_json::from_str::<serde_json::Value>(pattern).unwrap(), expected);
    assert_eq!(stream["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]));
    // Otherwise one that cannot be told keeps its shard for as long as the stream has it.
    assert_eq!(stream["BisectBatchOnFunctionError"], true);
    assert_eq!(stream["MaximumRetryAttempts"], 100);
    let queue = json!({"Type": "SQS", "Destination": {"Fn::GetAtt": ["FailureQueue", "Arn"]}});
    assert_eq!(stream["DestinationConfig"]["OnFailure"], queue);
    let uploaded = &template.properties("EventsFunction")["EventInvokeConfig"];
    assert_eq!(uploaded["DestinationConfig"]["OnFailure"], queue);
}

#[test]
fn the_clock_starts_the_scheduled_function_every_15_minutes() {
    let template = template();
    let schedule = template.properties("Schedule");
    assert_eq!(schedule["ScheduleExpression"], "rate(15 minutes)");
    assert_eq!(schedule["Target"]["Arn"], json!({"Fn::GetAtt": ["ScheduledFunction", "Arn"]}));
    assert_eq!(schedule["Target"]["Input"], r#"{"job": "adopt"}"#);
}

/// What a run leaves the next one finds, so it has to come soon. That the jobs are there is tested beside them.
#[test]
fn garbage_is_collected_every_hour_and_untagged_manifests_only_if_somebody_asks_for_it() {
    let template = template();
    assert_eq!(template.resources_of_type("AWS::Scheduler::Schedule"), ["CollectionSchedule", "Schedule"]);
    let schedule = template.properties("CollectionSchedule");
    assert_eq!(schedule["ScheduleExpression"], "rate(1 hour)");
    let target = &schedule["Target"];
    assert_eq!(target["Arn"], json!({"Fn::GetAtt": ["ScheduledFunction", "Arn"]}));
    assert_eq!(target["RoleArn"], json!({"Fn::GetAtt": ["ScheduleRole", "Arn"]}));
    let input = &target["Input"]["Fn::If"];
    assert_eq!(input[0], "HasUntaggedDays");
    let with = r#"{"job": "collect", "history_days": ${HistoryDays}, "untagged_days": ${UntaggedDays}}"#;
    assert_eq!(input[1], json!({"Fn::Sub": with}));
    assert_eq!(input[2], json!({"Fn::Sub": r#"{"job": "collect", "history_days": ${HistoryDays}}"#}));
    for (parameter, default) in [("HistoryDays", json!(7)), ("UntaggedDays", json!(""))] {
        assert_eq!(template.section("Parameters")[parameter]["Default"], default, "{parameter}");
    }
    let never = json!([{"Fn::Equals": [{"Ref": "UntaggedDays"}, ""]}]);
    assert_eq!(template.section("Conditions")["HasUntaggedDays"], json!({"Fn::Not": never}));
}

#[test]
fn a_collection_that_fails_is_counted_and_somebody_is_told() {
    let template = template();
    let filter = template.properties("CollectionFailures");
    assert_eq!(filter["LogGroupName"], json!({"Ref": "ScheduledLog"}));
    assert_eq!(filter["FilterPattern"], r#"{ $.fields.message = "a collection failed" }"#);
    let metric = &filter["MetricTransformations"][0];
    assert_eq!(metric["MetricNamespace"], template.properties("Monitoring")["Parameters"]["Namespace"]);
    let monitoring = named("monitoring.yaml");
    let alarm = monitoring.properties("CollectionAlarm");
    assert_eq!(
        (&alarm["Namespace"], &alarm["MetricName"]),
        (&json!({"Ref": "Namespace"}), &metric["MetricName"])
    );
}
