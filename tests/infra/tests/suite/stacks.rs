//! How template.yaml and its nested stacks fit together.

use infra_tests::{Reference, references};

use crate::{named, template};

const NESTED: [(&str, &str); 3] =
    [("Edge", "edge.yaml"), ("Monitoring", "monitoring.yaml"), ("Relay", "relay.yaml")];

#[test]
fn a_nested_stack_gets_the_parameters_that_it_knows_and_all_that_it_needs() {
    let template = template();
    assert_eq!(template.resources_of_type("AWS::CloudFormation::Stack"), NESTED.map(|(id, _)| id));
    for (id, file) in NESTED {
        let stack = template.properties(id);
        assert_eq!(stack["TemplateURL"], file);
        let nested = named(file);
        let known = nested.section("Parameters");
        let given = stack["Parameters"].as_object().unwrap();
        for name in given.keys() {
            assert!(known.contains_key(name), "{file} has no parameter {name}");
        }
        for (name, parameter) in known {
            let has_default = parameter.get("Default").is_some();
            assert!(has_default || given.contains_key(name), "{file} needs {name}");
        }
    }
}

#[test]
fn the_outputs_of_nested_stacks_are_there() {
    let template = template();
    let outputs = references(template.document()).into_iter().filter_map(|reference| match reference {
        Reference::Attribute { name, attribute } => {
            Some((name, attribute.strip_prefix("Outputs.")?.to_owned()))
        }
        _ => None,
    });
    let mut seen = 0;
    for (stack, output) in outputs {
        let (_, file) = NESTED.iter().find(|(id, _)| *id == stack).unwrap();
        assert!(named(file).section("Outputs").contains_key(&output), "{file} has no output {output}");
        seen += 1;
    }
    assert!(seen >= 5, "only {seen} outputs are used");
}

#[test]
fn edge_and_relay_are_made_when_they_are_asked_for() {
    let template = template();
    assert_eq!(template.resource("Edge").unwrap()["Condition"], "HasEdge");
    assert_eq!(template.resource("Relay").unwrap()["Condition"], "HasRelay");
    assert_eq!(template.resource("CapabilityKey").unwrap()["Condition"], "HasCapability");
}

#[test]
fn an_operator_is_told_where_the_registry_is() {
    let template = template();
    let outputs = template.section("Outputs");
    for name in
        ["Endpoint", "DockerLogin", "FirstPassword", "Smoke", "ApiEndpoint", "TableName", "BucketName"]
    {
        assert!(outputs.contains_key(name), "{name}");
    }
    let login = outputs["DockerLogin"]["Value"].to_string();
    assert!(login.contains("docker login --username admin ${Edge.Outputs.EdgeDomainName}"));
    let smoke = outputs["Smoke"]["Value"].to_string();
    assert!(
        smoke.contains("slipway smoke https://${Edge.Outputs.EdgeDomainName} --user admin --password-stdin")
    );
}

/// An output is shown to all who may look at the stack; the secret only to those who may read it.
#[test]
fn an_operator_is_told_how_to_read_the_first_password_and_not_the_password() {
    let template = template();
    let command = template.section("Outputs")["FirstPassword"]["Value"]["Fn::Sub"].as_str().unwrap();
    assert_eq!(
        command,
        "aws secretsmanager get-secret-value --region ${AWS::Region} --secret-id ${RegistrySecret} \
         --query SecretString --output text | cut -c1-24"
    );
    for output in template.section("Outputs").values() {
        assert!(!output.to_string().contains("resolve:"), "{output}");
    }
}

#[test]
fn each_function_is_watched() {
    let monitoring = named("monitoring.yaml");
    let alarm = monitoring.properties("FunctionErrorsAlarm")["Metrics"].to_string();
    let dashboard = monitoring.properties("Dashboard")["DashboardBody"].to_string();
    for function in template().functions() {
        assert!(alarm.contains(&format!("{{\"Ref\":\"{function}\"}}")), "no alarm for {function}");
        assert!(dashboard.contains(&format!("${{{function}}}")), "{function} is not on the dashboard");
    }
}

#[test]
fn each_alarm_tells_somebody_and_is_made_only_then() {
    let monitoring = named("monitoring.yaml");
    let alarms = monitoring.resources_of_type("AWS::CloudWatch::Alarm");
    let expected = [
        "ApiErrorsAlarm",
        "CollectionAlarm",
        "FailureQueueAlarm",
        "FunctionErrorsAlarm",
        "RelayAlarm",
        "StreamAgeAlarm",
        "TableThrottlesAlarm",
    ];
    assert_eq!(alarms, expected);
    let both = serde_json::json!({"Condition": "HasAlarms"});
    assert_eq!(monitoring.section("Conditions")["HasRelayAlarm"]["Fn::And"][0], both);
    for alarm in alarms {
        let condition = if alarm == "RelayAlarm" { "HasRelayAlarm" } else { "HasAlarms" };
        assert_eq!(monitoring.resource(alarm).unwrap()["Condition"], condition, "{alarm}");
        let actions = &monitoring.properties(alarm)["AlarmActions"];
        assert_eq!(*actions, serde_json::json!([{"Ref": "Topic"}]), "{alarm}");
    }
}

#[test]
fn the_dashboard_is_json() {
    let monitoring = named("monitoring.yaml");
    let body = monitoring.properties("Dashboard")["DashboardBody"]["Fn::Sub"].as_str().unwrap().to_owned();
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(body["widgets"].as_array().unwrap().len() >= 5);
}
