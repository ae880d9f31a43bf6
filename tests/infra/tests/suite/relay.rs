//! The relay: reached by the edge only, and with no more rights than appending to uploads needs.

use serde_json::json;

use crate::{named, path, template};

/// `rights` has the policy line by line.
#[test]
fn the_relay_may_do_what_its_policy_says_and_nothing_else() {
    let template = template();
    assert_eq!(template.properties("Relay")["Parameters"]["PolicyArn"], json!({"Ref": "RelayPolicy"}));
    assert_eq!(template.resource("RelayPolicy").unwrap()["Condition"], "HasRelay");
    let relay = named("relay.yaml");
    let role = relay.properties("TaskRole");
    assert_eq!(role["ManagedPolicyArns"], json!([{"Ref": "PolicyArn"}]));
    assert!(role["Policies"].is_null());
}

#[test]
fn the_relay_has_the_secret_of_the_functions() {
    let secret = json!({"Ref": "RegistrySecret"});
    assert_eq!(template().properties("Relay")["Parameters"]["Secret"], secret);
    let relay = named("relay.yaml");
    let environment = &relay.properties("Task")["ContainerDefinitions"][0]["Environment"];
    let given = json!({"Name": "SLIPWAY_SECRET", "Value": {"Ref": "Secret"}});
    assert!(environment.as_array().unwrap().contains(&given));
}

/// The load balancer asks without a credential; a registry on AWS is never open.
#[test]
fn the_relay_is_well_when_it_asks_for_a_login() {
    let relay = named("relay.yaml");
    let group = relay.properties("TargetGroup");
    assert_eq!(group["HealthCheckPath"], "/v2/");
    assert_eq!(group["Matcher"], json!({"HttpCode": "401"}));
}

#[test]
fn there_are_no_other_roles() {
    assert_eq!(named("relay.yaml").resources_of_type("AWS::IAM::Role"), ["ExecutionRole", "TaskRole"]);
}

#[test]
fn the_container_is_as_small_as_fargate_has_them() {
    let relay = named("relay.yaml");
    let task = relay.properties("Task");
    assert_eq!((&task["Cpu"], &task["Memory"]), (&json!("256"), &json!("512")));
    assert_eq!(task["ContainerDefinitions"][0]["ReadonlyRootFilesystem"], true);
    assert_eq!(task["RuntimePlatform"]["CpuArchitecture"], json!({"Fn::If": ["IsArm", "ARM64", "X86_64"]}));
}

#[test]
fn the_relay_gets_variables_that_the_functions_have_too() {
    let relay = named("relay.yaml");
    let environment = relay.properties("Task")["ContainerDefinitions"][0]["Environment"].as_array().unwrap();
    let names: Vec<_> = environment.iter().map(|variable| variable["Name"].as_str().unwrap()).collect();
    let functions = template().environment("ApiWriteFunction", &|name| Some(name.to_owned())).unwrap();
    for name in names.iter().filter(|name| name.starts_with("SLIPWAY_")) {
        assert!(functions.contains_key(*name), "{name}");
    }
    for name in ["SLIPWAY_SECRET", "SLIPWAY_TABLE", "SLIPWAY_BUCKET", "PORT", "AWS_REGION"] {
        assert!(names.contains(&name), "{name}");
    }
}

#[test]
fn only_cloudfront_reaches_the_load_balancer_and_only_that_reaches_the_relay() {
    let relay = named("relay.yaml");
    assert_eq!(relay.properties("LoadBalancer")["Scheme"], "internal");
    let outer = relay.properties("LoadBalancerSecurityGroup")["SecurityGroupIngress"].as_array().unwrap();
    assert_eq!(outer.len(), 1);
    assert_eq!(outer[0]["SourcePrefixListId"], json!({"Ref": "PrefixList"}));
    let inner = relay.properties("TaskSecurityGroup")["SecurityGroupIngress"].as_array().unwrap();
    assert_eq!(inner.len(), 1);
    let balancer = json!({"Fn::GetAtt": ["LoadBalancerSecurityGroup", "GroupId"]});
    assert_eq!(inner[0]["SourceSecurityGroupId"], balancer);
    let origin = &relay.properties("VpcOrigin")["VpcOriginEndpointConfig"];
    assert_eq!(origin["Arn"], json!({"Ref": "LoadBalancer"}));
    assert_eq!(origin["OriginProtocolPolicy"], "http-only");
}

#[test]
fn a_slow_upload_is_not_cut_off() {
    let relay = named("relay.yaml");
    let value = |id: &str, list: &str, key: &str| {
        let attributes = relay.properties(id)[list].as_array().unwrap();
        let attribute = attributes.iter().find(|attribute| attribute["Key"] == key).unwrap();
        attribute["Value"].as_str().unwrap().parse::<u64>().unwrap()
    };
    assert!(value("LoadBalancer", "LoadBalancerAttributes", "idle_timeout.timeout_seconds") >= 600);
    assert!(value("TargetGroup", "TargetGroupAttributes", "deregistration_delay.timeout_seconds") >= 900);
}

/// What the last stage of the Dockerfile says of the image, beside what is in it.
fn image_settings() -> Vec<String> {
    let dockerfile = std::fs::read_to_string(path("../functions/relay/Dockerfile")).unwrap();
    let (_, last) = dockerfile.rsplit_once("\nFROM ").unwrap();
    let lines = last.lines().skip(1).filter(|line| !line.starts_with('#') && !line.starts_with("COPY "));
    lines.map(str::to_owned).collect()
}

/// The image that the tests run is not built from the Dockerfile: no machine of theirs has its base.
#[test]
fn the_image_of_the_tests_has_the_settings_of_the_dockerfile() {
    let script = std::fs::read_to_string(path("../tests/aws/relay-image.sh")).unwrap();
    let changes: Vec<_> =
        script.split("--change '").skip(1).map(|rest| rest.split('\'').next().unwrap()).collect();
    assert_eq!(changes, image_settings());
}

#[test]
fn the_task_runs_the_image_as_the_dockerfile_makes_it() {
    let settings = image_settings();
    let relay = named("relay.yaml");
    let container = &relay.properties("Task")["ContainerDefinitions"][0];
    for overriding in ["User", "EntryPoint", "Command"] {
        assert!(container[overriding].is_null(), "{overriding}");
    }
    let port = settings.iter().find_map(|line| line.strip_prefix("EXPOSE ")).unwrap();
    let as_text = |value: &serde_json::Value| value.to_string().replace('"', "");
    assert_eq!(as_text(&container["PortMappings"][0]["ContainerPort"]), port);
    assert_eq!(as_text(&relay.properties("TargetGroup")["Port"]), port);
    assert_eq!(as_text(&relay.properties("Service")["LoadBalancers"][0]["ContainerPort"]), port);
    assert!(container["Environment"].as_array().unwrap().contains(&json!({"Name": "PORT", "Value": port})));
    let script = std::fs::read_to_string(path("../tests/aws/sam/relay.sh")).unwrap();
    let user = settings.iter().find_map(|line| line.strip_prefix("USER ")?.split(':').next()).unwrap();
    assert!(script.contains(&format!("RELAY_USER={user} RELAY_PORT={port}\n")), "what the tests run");
    let health = relay.properties("TargetGroup")["HealthCheckPath"].as_str().unwrap();
    assert!(script.contains(&format!("http://$relay_address{health}\")")), "what the tests ask");
}
