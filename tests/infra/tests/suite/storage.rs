//! The table and the bucket.

use serde_json::{Value, json};

use crate::template;

fn bucket_rule(id: &str) -> Value {
    let template = template();
    let rules = template.properties("Bucket")["LifecycleConfiguration"]["Rules"].as_array().unwrap().clone();
    let rule = rules.into_iter().find(|rule| rule["Id"] == id).unwrap();
    assert_eq!(rule["Status"], "Enabled");
    rule
}

fn policy_statement(sid: &str) -> Value {
    let template = template();
    let statements =
        template.properties("BucketPolicy")["PolicyDocument"]["Statement"].as_array().unwrap().clone();
    // The statement for the edge is behind a condition.
    let inner = |statement: Value| statement.pointer("/Fn::If/1").cloned().unwrap_or(statement);
    statements.into_iter().map(inner).find(|statement| statement["Sid"] == sid).unwrap()
}

#[test]
fn the_table_has_the_keys_the_stream_and_the_expiry_that_the_registry_uses() {
    let template = template();
    let table = template.properties("Table");
    let keys = json!([
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]);
    assert_eq!(table["KeySchema"], keys);
    for attribute in table["AttributeDefinitions"].as_array().unwrap() {
        assert_eq!(attribute["AttributeType"], "S");
    }
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["StreamSpecification"], json!({"StreamViewType": "NEW_IMAGE"}));
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "ttl", "Enabled": true}));
    assert!(table["GlobalSecondaryIndexes"].is_null());
}

#[test]
fn the_table_is_protected_and_can_be_restored() {
    let template = template();
    let table = template.properties("Table");
    assert_eq!(table["PointInTimeRecoverySpecification"], json!({"PointInTimeRecoveryEnabled": true}));
    assert_eq!(table["SSESpecification"], json!({"SSEEnabled": true}));
    assert_eq!(table["DeletionProtectionEnabled"], true);
}

#[test]
fn what_users_pushed_survives_the_stack() {
    let template = template();
    // A first deployment that fails leaves no bucket behind; a table that is protected cannot be taken away.
    let policies =
        [("Table", "Retain"), ("Bucket", "RetainExceptOnCreate"), ("BucketPolicy", "RetainExceptOnCreate")];
    for (id, policy) in policies {
        let resource = template.resource(id).unwrap();
        assert_eq!(resource["DeletionPolicy"], policy, "{id}");
        assert_eq!(resource["UpdateReplacePolicy"], "Retain", "{id}");
    }
}

/// 24 characters are the first password, 43 of the rest are 256 bits.
#[test]
fn the_secret_is_random_letters_and_digits_and_goes_with_the_stack() {
    let template = template();
    let secret = template.resource("RegistrySecret").unwrap();
    assert_eq!(secret["Type"], "AWS::SecretsManager::Secret");
    let generated = json!({"PasswordLength": 88, "ExcludePunctuation": true});
    assert_eq!(secret["Properties"]["GenerateSecretString"], generated);
    assert!(secret["Properties"]["Name"].is_null(), "a second stack would collide with it");
    assert_eq!(secret["DeletionPolicy"], "Delete");
    assert!(secret["Condition"].is_null());
}

#[test]
fn the_bucket_is_private_encrypted_and_versioned() {
    let template = template();
    let bucket = template.properties("Bucket");
    let blocked = bucket["PublicAccessBlockConfiguration"].as_object().unwrap();
    assert_eq!(blocked.len(), 4);
    assert!(blocked.values().all(|value| value == true));
    assert_eq!(bucket["OwnershipControls"]["Rules"], json!([{"ObjectOwnership": "BucketOwnerEnforced"}]));
    let encryption = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    assert_eq!(encryption["ServerSideEncryptionByDefault"], json!({"SSEAlgorithm": "AES256"}));
    assert_eq!(bucket["VersioningConfiguration"], json!({"Status": "Enabled"}));
}

#[test]
fn uploads_that_nobody_adopted_go_after_two_days() {
    let rule = bucket_rule("uploads");
    assert_eq!(rule["Prefix"], "uploads/");
    assert_eq!(rule["ExpirationInDays"], 2);
    assert_eq!(rule["NoncurrentVersionExpiration"], json!({"NoncurrentDays": 1}));
}

#[test]
fn deleted_bytes_can_be_brought_back_for_undelete_days() {
    let rule = bucket_rule("undelete");
    assert_eq!(rule["Prefix"], "data/");
    assert_eq!(rule["NoncurrentVersionExpiration"], json!({"NoncurrentDays": {"Ref": "UndeleteDays"}}));
    assert!(rule["ExpirationInDays"].is_null());
    assert_eq!(rule["ExpiredObjectDeleteMarker"], true);
    assert_eq!(template().section("Parameters")["UndeleteDays"]["Default"], 7);
}

#[test]
fn unfinished_uploads_outlive_their_session_of_seven_days() {
    let rule = bucket_rule("unfinished");
    assert!(rule["Prefix"].is_null());
    assert_eq!(rule["AbortIncompleteMultipartUpload"], json!({"DaysAfterInitiation": 8}));
}

#[test]
fn tails_outlive_the_session_of_their_upload() {
    let rule = bucket_rule("tails");
    assert_eq!(rule["Prefix"], "tails/");
    assert_eq!(rule["ExpirationInDays"], 8);
    assert_eq!(rule["NoncurrentVersionExpiration"], json!({"NoncurrentDays": 1}));
}

#[test]
fn there_are_no_other_rules_for_objects() {
    let template = template();
    let rules = template.properties("Bucket")["LifecycleConfiguration"]["Rules"].as_array().unwrap().len();
    let statements =
        template.properties("BucketPolicy")["PolicyDocument"]["Statement"].as_array().unwrap().len();
    assert_eq!((rules, statements), (4, 3));
}

#[test]
fn the_bucket_answers_over_tls_only() {
    let statement = policy_statement("OnlyTls");
    assert_denied_to_everybody(&statement);
    assert_eq!(statement["Condition"], json!({"Bool": {"aws:SecureTransport": "false"}}));
}

#[test]
fn a_presigned_url_is_worth_nothing_after_an_hour_and_a_minute() {
    let statement = policy_statement("OnlyFreshSignatures");
    assert_denied_to_everybody(&statement);
    assert_eq!(statement["Condition"], json!({"NumericGreaterThan": {"s3:signatureAge": "3660000"}}));
}

fn assert_denied_to_everybody(statement: &Value) {
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(statement["Principal"], "*");
    assert_eq!(statement["Action"], "s3:*");
    let everything = json!([{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]);
    assert_eq!(statement["Resource"], everything);
}

#[test]
fn only_this_distribution_may_write_and_only_uploads_and_only_with_capabilities() {
    let template = template();
    let statements = template.properties("BucketPolicy")["PolicyDocument"]["Statement"].as_array().unwrap();
    let conditional = statements.iter().find_map(|statement| statement.get("Fn::If")).unwrap();
    assert_eq!(conditional[0], "HasCapability");
    assert_eq!(conditional[2], json!({"Ref": "AWS::NoValue"}));
    let statement = policy_statement("UploadsByTheEdge");
    assert_eq!(statement["Principal"], json!({"Service": "cloudfront.amazonaws.com"}));
    assert_eq!(statement["Action"], "s3:PutObject");
    assert_eq!(statement["Resource"], json!({"Fn::Sub": "${Bucket.Arn}/uploads/*"}));
    let source = statement["Condition"]["StringEquals"]["aws:SourceArn"]["Fn::Sub"].as_str().unwrap();
    assert!(source.ends_with(":distribution/${Edge.Outputs.DistributionId}"));
}

/// The bucket needs the permission, the permission the function: none of these may name the bucket.
#[test]
fn an_upload_starts_the_events_function_without_a_circular_reference() {
    let template = template();
    let notified = &template.properties("Bucket")["NotificationConfiguration"]["LambdaConfigurations"];
    let expected = json!([{
        "Event": "s3:ObjectCreated:*",
        "Function": {"Fn::GetAtt": ["EventsFunction", "Arn"]},
        "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "uploads/"}]}},
    }]);
    assert_eq!(*notified, expected);
    assert_eq!(template.resource("Bucket").unwrap()["DependsOn"], "EventsBucketPermission");
    let permission = template.properties("EventsBucketPermission");
    assert_eq!(permission["SourceAccount"], json!({"Ref": "AWS::AccountId"}));
    let name = &template.properties("Bucket")["BucketName"];
    assert_eq!(*name, json!({"Fn::GetAtt": ["BucketNameParameter", "Value"]}));
    let source = "arn:${AWS::Partition}:s3:::${BucketNameParameter.Value}";
    assert_eq!(permission["SourceArn"], json!({ "Fn::Sub": source }));
}
