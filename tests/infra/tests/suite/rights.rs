//! Who may do what. A right more or less than in these tables is a decision.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{FILES, named, template};

/// Every role of template.yaml with all that it may do.
const ROLES: [(&str, &str); 6] = [
    (
        "ApiReadRole",
        r#"
        dynamodb:BatchGetItem ${Table.Arn}
        dynamodb:DeleteItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["TH#*"]}}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:PutItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*#B","TH#*","AU#*"]}}
        dynamodb:Query ${Table.Arn}
        logs:CreateLogStream ${ApiReadLog.Arn}
        logs:PutLogEvents ${ApiReadLog.Arn}
        s3:GetObject ${Bucket.Arn}/data/*
        secretsmanager:GetSecretValue ${RegistrySecret}
        "#,
    ),
    (
        "ApiTokenRole",
        r#"
        dynamodb:BatchGetItem ${Table.Arn}
        dynamodb:DeleteItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["A#*","AL#*","K#*","TH#*","J#*","AU#*"]}}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:PutItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["A#*","AL#*","K#*","TH#*","J#*","AU#*"]}}
        dynamodb:Query ${Table.Arn}
        logs:CreateLogStream ${ApiTokenLog.Arn}
        logs:PutLogEvents ${ApiTokenLog.Arn}
        secretsmanager:GetSecretValue ${RegistrySecret}
        "#,
    ),
    (
        "ApiWriteRole",
        "
        dynamodb:BatchGetItem ${Table.Arn}
        dynamodb:ConditionCheckItem ${Table.Arn}
        dynamodb:DeleteItem ${Table.Arn}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:PutItem ${Table.Arn}
        dynamodb:Query ${Table.Arn}
        logs:CreateLogStream ${ApiWriteLog.Arn}
        logs:PutLogEvents ${ApiWriteLog.Arn}
        s3:AbortMultipartUpload ${Bucket.Arn}/data/*
        s3:GetObject ${Bucket.Arn}/data/*
        s3:GetObject ${Bucket.Arn}/tails/*
        s3:GetObject ${Bucket.Arn}/uploads/*
        s3:ListBucket ${Bucket.Arn}
        s3:ListMultipartUploadParts ${Bucket.Arn}/data/*
        s3:PutObject ${Bucket.Arn}/data/*
        s3:PutObject ${Bucket.Arn}/tails/*
        s3:PutObject ${Bucket.Arn}/uploads/*
        secretsmanager:GetSecretValue ${RegistrySecret}
        ",
    ),
    (
        "EventsRole",
        r#"
        dynamodb:BatchGetItem ${Table.Arn}
        dynamodb:ConditionCheckItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*#B","R#*#U","B#*","U#*","Q#*","EV#*"]}}
        dynamodb:DeleteItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*#B","R#*#U","B#*","U#*","Q#*","EV#*"]}}
        dynamodb:DescribeStream ${Table.StreamArn}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:GetRecords ${Table.StreamArn}
        dynamodb:GetShardIterator ${Table.StreamArn}
        dynamodb:ListStreams ${Table.Arn}/stream/*
        dynamodb:PutItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*#B","R#*#U","B#*","U#*","Q#*","EV#*"]}}
        events:PutEvents arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default if {"StringEquals":{"events:source":"slipway"}}
        logs:CreateLogStream ${EventsLog.Arn}
        logs:PutLogEvents ${EventsLog.Arn}
        s3:GetObject arn:${AWS::Partition}:s3:::${BucketNameParameter.Value}/data/*
        s3:GetObject arn:${AWS::Partition}:s3:::${BucketNameParameter.Value}/uploads/*
        s3:ListBucket arn:${AWS::Partition}:s3:::${BucketNameParameter.Value}
        s3:PutObject arn:${AWS::Partition}:s3:::${BucketNameParameter.Value}/data/*
        sqs:SendMessage ${FailureQueue.Arn}
        "#,
    ),
    (
        "ScheduledRole",
        r#"
        dynamodb:BatchGetItem ${Table.Arn}
        dynamodb:ConditionCheckItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*","CAT#*","B#*","U#*","Q#*","EV#*"]}}
        dynamodb:DeleteItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*","CAT#*","B#*","U#*","Q#*","EV#*"]}}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:PutItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*","CAT#*","B#*","U#*","Q#*","EV#*"]}}
        dynamodb:Query ${Table.Arn}
        dynamodb:Scan ${Table.Arn}
        logs:CreateLogStream ${ScheduledLog.Arn}
        logs:PutLogEvents ${ScheduledLog.Arn}
        s3:AbortMultipartUpload ${Bucket.Arn}/data/*
        s3:DeleteObject ${Bucket.Arn}/data/*
        s3:GetObject ${Bucket.Arn}/data/*
        s3:GetObject ${Bucket.Arn}/uploads/*
        s3:ListBucket ${Bucket.Arn}
        s3:ListBucketMultipartUploads ${Bucket.Arn}
        s3:ListMultipartUploadParts ${Bucket.Arn}/data/*
        s3:PutObject ${Bucket.Arn}/data/*
        "#,
    ),
    (
        "ScheduleRole",
        "
        lambda:InvokeFunction ${ScheduledFunction.Arn}
        ",
    ),
];

/// The ends of resources that may hold a `*`, and why.
const RESOURCES: [(&str, &str); 6] = [
    ("}/data/*", "object keys are random; the prefix is what bounds them"),
    ("}/uploads/*", "likewise"),
    ("}/tails/*", "likewise"),
    ("}/stream/*", "a stream's name is the time it was made; only the table's own"),
    (
        "ecr:GetAuthorizationToken *",
        "the action knows no narrower resource; the token opens what the role may read",
    ),
    ("}:repository/*", "the image is a parameter, and may be in any repository of this account and region"),
];

/// The leading keys that may hold a `*`, and which partitions these are (`records/keys.rs`).
const LEADING_KEYS: [(&str, &str); 14] = [
    ("R#*#B", "the links of any repository, and nothing but links"),
    ("R#*#U", "the open uploads of any repository"),
    ("R#*", "repositories with all that is in them"),
    ("CAT#*", "the catalog"),
    ("B#*", "blobs"),
    ("U#*", "uploads"),
    ("Q#*", "the queue of the collector"),
    ("EV#*", "the outbox"),
    ("A#*", "accounts with what belongs to them, and nothing of the lists"),
    ("AL#*", "the list of accounts"),
    ("K#*", "stored credentials"),
    ("TH#*", "attempts left"),
    ("J#*", "used identity tokens"),
    ("AU#*", "the audit"),
];

/// What the relay may do.
const RELAY: &str = r#"
    dynamodb:BatchGetItem ${Table.Arn}
    dynamodb:DeleteItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["TH#*"]}}
    dynamodb:GetItem ${Table.Arn}
    dynamodb:PutItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["U#*","TH#*","AU#*"]}}
    dynamodb:Query ${Table.Arn}
    s3:GetObject ${Bucket.Arn}/tails/*
    s3:PutObject ${Bucket.Arn}/data/*
    s3:PutObject ${Bucket.Arn}/tails/*
    secretsmanager:GetSecretValue ${RegistrySecret}
"#;

/// What Fargate may do to start the relay.
const RELAY_START: &str = "
    ecr:BatchCheckLayerAvailability arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*
    ecr:BatchGetImage arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*
    ecr:GetAuthorizationToken *
    ecr:GetDownloadUrlForLayer arn:${AWS::Partition}:ecr:${AWS::Region}:${AWS::AccountId}:repository/*
    logs:CreateLogStream ${Log.Arn}
    logs:PutLogEvents ${Log.Arn}
";

/// Every table of rights, and whose it is.
fn tables() -> impl Iterator<Item = (&'static str, &'static str)> {
    ROLES.into_iter().chain([("RelayPolicy", RELAY), ("ExecutionRole", RELAY_START)])
}

fn lines(table: &str) -> Vec<&str> {
    table.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn each_role_may_do_exactly_this() {
    for (role, table) in ROLES {
        assert_eq!(template().rights(role).unwrap(), lines(table), "{role}");
    }
    assert_eq!(template().policy_rights("RelayPolicy").unwrap(), lines(RELAY));
    assert_eq!(named("relay.yaml").rights("ExecutionRole").unwrap(), lines(RELAY_START));
}

/// A role without one might have wildcards that nobody looks at.
#[test]
fn every_role_of_every_template_has_a_table() {
    let known: BTreeSet<_> = tables().map(|(role, _)| role).collect();
    for file in FILES {
        for role in named(file).resources_of_type("AWS::IAM::Role") {
            // It has the relay's policy, and none of its own (`relay`).
            assert!(known.contains(role) || role == "TaskRole", "{file}: {role}");
        }
    }
}

#[test]
fn there_are_no_other_roles() {
    let known: BTreeSet<_> = ROLES.iter().map(|(role, _)| *role).collect();
    let template = template();
    let found: BTreeSet<_> = template.resources_of_type("AWS::IAM::Role").into_iter().collect();
    assert_eq!(found, known);
    for kind in ["AWS::IAM::Policy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::User"] {
        assert!(template.resources_of_type(kind).is_empty(), "{kind}");
    }
    for function in template.functions() {
        assert!(
            template.properties(function)["Policies"].is_null(),
            "{function} gets rights beside its role"
        );
    }
}

#[test]
fn every_wildcard_has_a_reason() {
    for (role, table) in tables() {
        for line in lines(table) {
            let (right, condition) = line.split_once(" if ").unwrap_or((line, "{}"));
            let known = RESOURCES.iter().find(|(end, _)| right.ends_with(end)).map_or("", |(end, _)| end);
            assert!(!right.trim_end_matches(known).contains('*'), "{role}: {line}");
            for key in texts(&serde_json::from_str(condition).unwrap()) {
                let is_known = LEADING_KEYS.iter().any(|(known, _)| *known == key);
                assert!(is_known || !key.contains('*'), "{role}: {line}");
            }
        }
    }
}

/// Every text in a value, names of fields aside.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// A transaction may be judged by all its keys at once: of two conditions for one action, neither would let it through.
#[test]
fn an_action_on_the_table_has_one_condition_at_most() {
    for (role, table) in tables() {
        let actions: Vec<_> = lines(table)
            .iter()
            .filter(|line| line.contains("${Table.Arn}"))
            .map(|line| action(line))
            .collect();
        let distinct: BTreeSet<_> = actions.iter().collect();
        assert_eq!(actions.len(), distinct.len(), "{role}");
    }
}

fn action(line: &str) -> &str {
    line.split_once(' ').unwrap().0
}

#[test]
fn who_answers_clients_reads_the_secret_and_nobody_else_does() {
    let template = template();
    for role in template.resources_of_type("AWS::IAM::Role") {
        let rights = template.rights(role).unwrap();
        let secrets: Vec<_> = rights.iter().filter(|line| line.starts_with("secretsmanager:")).collect();
        let expected = if role.starts_with("Api") { 1 } else { 0 };
        assert_eq!(secrets.len(), expected, "{role}: {secrets:?}");
    }
}

#[test]
fn who_signs_tokens_touches_no_object_and_changes_no_content() {
    let rights = template().rights("ApiTokenRole").unwrap();
    assert!(!rights.iter().any(|line| line.starts_with("s3:")));
    for line in rights.iter().filter(|line| line.starts_with("dynamodb:") && line.contains(" if ")) {
        for partition in ["\"R#", "\"B#", "\"CAT#", "\"U#", "\"Q#", "\"EV#", "\"*"] {
            assert!(!line.contains(partition), "{line}");
        }
    }
    for line in rights.iter().filter(|line| !line.contains(" if ")) {
        let is_write =
            ["Put", "Update", "Delete", "PartiQL", "BatchWrite"].iter().any(|word| line.contains(word));
        assert!(!is_write || line.starts_with("logs:"), "{line}");
    }
}

#[test]
fn only_the_scheduled_function_deletes_objects() {
    let template = template();
    for role in template.resources_of_type("AWS::IAM::Role") {
        let rights = template.rights(role).unwrap();
        let deletes = rights.iter().any(|line| line.starts_with("s3:Delete"));
        assert_eq!(deletes, role == "ScheduledRole", "{role}");
    }
}

/// Whoever deletes a version deletes for good, and whoever changes the bucket's rules may have it done.
#[test]
fn nobody_can_undo_that_deleted_bytes_are_kept() {
    for (role, table) in tables() {
        for right in ["Version", "PutBucket", "PutLifecycle", "s3:Put*", "s3:*"] {
            assert!(!table.contains(right), "{role}: {right}");
        }
    }
}

/// Accounts, what belongs to them, stored credentials, and trusts in issuers (`records/keys.rs`).
#[test]
fn only_who_manages_accounts_and_who_logs_in_can_write_them() {
    let account = ["A#admin", "AL#0", "K#token", "I#issuer"];
    for (role, table) in tables() {
        let writes = lines(table).into_iter().filter(|line| {
            line.contains("${Table.Arn}")
                && ["Put", "Delete", "Update"].iter().any(|word| line.contains(word))
        });
        let can_write = writes.into_iter().any(|line| match line.split_once(" if ") {
            None => true,
            Some((_, condition)) => {
                let patterns: Value = serde_json::from_str(condition).unwrap();
                let starts =
                    texts(&patterns).into_iter().map(|like| like.split('*').next().unwrap().to_owned());
                starts.into_iter().any(|start| account.iter().any(|key| key.starts_with(&start)))
            }
        });
        assert_eq!(can_write, ["ApiWriteRole", "ApiTokenRole"].contains(&role), "{role}");
    }
}

#[test]
fn a_role_is_for_one_service() {
    let template = template();
    for role in template.resources_of_type("AWS::IAM::Role") {
        let trust = &template.properties(role)["AssumeRolePolicyDocument"]["Statement"];
        assert_eq!(trust.as_array().unwrap().len(), 1, "{role}");
        let service = if role == "ScheduleRole" { "scheduler.amazonaws.com" } else { "lambda.amazonaws.com" };
        assert_eq!(trust[0]["Principal"], serde_json::json!({ "Service": service }), "{role}");
    }
}
