//! Who may do what. A right more or less than in these tables is a decision.

use std::collections::BTreeSet;

use crate::template;

/// Every role of template.yaml with all that it may do.
const ROLES: [(&str, &str); 5] = [
    (
        "ApiReadRole",
        r#"
        dynamodb:BatchGetItem ${Table.Arn}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:PutItem ${Table.Arn} if {"ForAllValues:StringLike":{"dynamodb:LeadingKeys":["R#*#B"]}}
        dynamodb:Query ${Table.Arn}
        logs:CreateLogStream ${ApiReadLog.Arn}
        logs:PutLogEvents ${ApiReadLog.Arn}
        s3:GetObject ${Bucket.Arn}/data/*
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
        dynamodb:UpdateItem ${Table.Arn}
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
        ",
    ),
    (
        "EventsRole",
        r#"
        dynamodb:BatchGetItem ${Table.Arn}
        dynamodb:ConditionCheckItem ${Table.Arn}
        dynamodb:DeleteItem ${Table.Arn}
        dynamodb:DescribeStream ${Table.StreamArn}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:GetRecords ${Table.StreamArn}
        dynamodb:GetShardIterator ${Table.StreamArn}
        dynamodb:ListStreams ${Table.Arn}/stream/*
        dynamodb:PutItem ${Table.Arn}
        dynamodb:Query ${Table.Arn}
        dynamodb:UpdateItem ${Table.Arn}
        events:PutEvents arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default if {"StringEquals":{"events:source":"slipway"}}
        logs:CreateLogStream ${EventsLog.Arn}
        logs:PutLogEvents ${EventsLog.Arn}
        s3:AbortMultipartUpload arn:${AWS::Partition}:s3:::${BucketNameParameter.Value}/data/*
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
        dynamodb:ConditionCheckItem ${Table.Arn}
        dynamodb:DeleteItem ${Table.Arn}
        dynamodb:GetItem ${Table.Arn}
        dynamodb:PutItem ${Table.Arn}
        dynamodb:Query ${Table.Arn}
        dynamodb:Scan ${Table.Arn}
        dynamodb:UpdateItem ${Table.Arn}
        logs:CreateLogStream ${ScheduledLog.Arn}
        logs:PutLogEvents ${ScheduledLog.Arn}
        s3:AbortMultipartUpload ${Bucket.Arn}/data/*
        s3:DeleteObject ${Bucket.Arn}/data/*
        s3:DeleteObject ${Bucket.Arn}/uploads/*
        s3:GetObject ${Bucket.Arn}/data/*
        s3:GetObject ${Bucket.Arn}/uploads/*
        s3:ListBucket ${Bucket.Arn}
        s3:ListBucketMultipartUploads ${Bucket.Arn}
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

/// The ends of rights that may hold a `*`, and why.
const WILDCARDS: [(&str, &str); 5] = [
    ("/data/*", "object keys are random; the prefix is what bounds them"),
    ("/uploads/*", "likewise"),
    ("/tails/*", "likewise"),
    ("/stream/*", "a stream's name is the time it was made; only the table's own"),
    (r#"["R#*#B"]}}"#, "the links of any repository, and nothing but links"),
];

fn lines(table: &str) -> Vec<&str> {
    table.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn each_role_may_do_exactly_this() {
    for (role, table) in ROLES {
        assert_eq!(template().rights(role).unwrap(), lines(table), "{role}");
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
    for (role, table) in ROLES {
        for line in lines(table).into_iter().filter(|line| line.contains('*')) {
            assert!(WILDCARDS.iter().any(|(end, _)| line.ends_with(end)), "{role}: {line}");
            assert_eq!(line.matches('*').count(), 1, "{role}: {line}");
        }
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
