//! A real function under the runtime interface emulator, where `SLIPWAY_RIE` names the emulator.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use gateway_standin::{Function, FunctionOptions, Gateway, GatewayOptions, InvokeError, Route};
use serde_json::{Value, json};

use crate::wire::send;

fn echo(test: &str, instances: usize) -> Option<Function> {
    let Some(emulator) = std::env::var_os("SLIPWAY_RIE").map(PathBuf::from) else {
        test_support::require::skip(test, "rie", "SLIPWAY_RIE does not name the runtime interface emulator");
        return None;
    };
    let environment = [("AWS_REGION", "eu-west-1"), ("SLIPWAY_ROLE", "read"), ("EMPTY", "")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let options = FunctionOptions {
        name: "echo".to_owned(),
        emulator,
        binary: PathBuf::from(env!("CARGO_BIN_EXE_echo-function")),
        environment,
        memory_mb: 256,
        timeout: Duration::from_secs(30),
        instances,
    };
    Some(Function::start(options).unwrap())
}

async fn ask(function: &Function) -> Value {
    function.invoke(&json!({ "rawPath": "/" })).await.unwrap()
}

#[tokio::test]
async fn one_process_serves_many_events() {
    let Some(function) = echo("one_process_serves_many_events", 1) else { return };
    let (first, second) = (ask(&function).await, ask(&function).await);
    assert_eq!(first["process"], second["process"]);
    assert_eq!((&first["served"], &second["served"]), (&json!(1), &json!(2)));
    assert_eq!(function.processes_started(), 1);
    assert!(function.log().iter().any(|line| line.contains("served 2")), "{:?}", function.log());
}

#[tokio::test]
async fn every_event_may_have_its_own_process() {
    let Some(function) = echo("every_event_may_have_its_own_process", 1) else { return };
    ask(&function).await;
    function.restart_always(true);
    let (first, second) = (ask(&function).await, ask(&function).await);
    assert_ne!(first["process"], second["process"]);
    assert_eq!((&first["served"], &second["served"]), (&json!(1), &json!(1)));
    assert!(!is_running(&first["process"]) && !is_running(&second["process"]));
}

#[tokio::test]
async fn events_at_once_have_a_process_each() {
    let Some(function) = echo("events_at_once_have_a_process_each", 2) else { return };
    let (first, second) = tokio::join!(ask(&function), ask(&function));
    assert_ne!(first["process"], second["process"]);
    let third = ask(&function).await;
    assert!([&first["process"], &second["process"]].contains(&&third["process"]));
    assert_eq!(function.processes_started(), 2);
}

#[tokio::test]
async fn events_beyond_the_number_of_instances_wait() {
    let Some(function) = echo("events_beyond_the_number_of_instances_wait", 1) else { return };
    let (first, second) = tokio::join!(ask(&function), ask(&function));
    assert_eq!(first["process"], second["process"]);
}

#[tokio::test]
async fn the_environment_is_that_of_the_service_and_the_functions_own() {
    let Some(function) = echo("the_environment_is_that_of_the_service", 1) else { return };
    let answer = ask(&function).await;
    let environment = answer["environment"].as_object().unwrap();
    for (name, value) in [
        ("AWS_REGION", "eu-west-1"),
        ("SLIPWAY_ROLE", "read"),
        ("EMPTY", ""),
        ("AWS_LAMBDA_FUNCTION_NAME", "echo"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/echo"),
    ] {
        assert_eq!(environment.get(name), Some(&json!(value)), "{name}");
    }
    // What this test runs with stays out.
    assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None);
    assert_eq!(environment.get("HOME"), None);
}

#[tokio::test]
async fn invocations_are_reported() {
    let Some(function) = echo("invocations_are_reported", 1) else { return };
    ask(&function).await;
    ask(&function).await;
    let reports = function.reports();
    assert_eq!(reports.len(), 2, "{:?}", function.log());
    assert!(reports[0].init_ms.is_some() && reports[1].init_ms.is_none(), "{reports:?}");
    if Path::new("/proc/self/status").exists() {
        assert!(reports.iter().all(|report| report.max_memory_mb > Some(0.5)), "{reports:?}");
    }
}

#[tokio::test]
async fn function_errors_and_crashes_are_errors() {
    let Some(function) = echo("function_errors_and_crashes_are_errors", 1) else { return };
    let before = ask(&function).await;
    let error = function.invoke(&json!({ "rawPath": "/error" })).await.unwrap_err();
    assert_eq!(error, InvokeError::Function(json!({ "errorType": "Broken", "errorMessage": "as asked" })));
    assert_eq!(ask(&function).await["process"], before["process"]);
    function.invoke(&json!({ "rawPath": "/exit" })).await.unwrap_err();
    assert_eq!(function.errors(), 2);
    let after = ask(&function).await;
    assert_eq!(after["served"], 1);
}

#[tokio::test]
async fn bytes_go_through_the_gateway_and_the_function_unchanged() {
    let Some(function) = echo("bytes_go_through_unchanged", 1) else { return };
    let functions = HashMap::from([("echo".to_owned(), function)]);
    let options = GatewayOptions::new(vec![Route::new("ANY", "/{proxy+}", "echo")], functions);
    let gateway = Gateway::start(options).await.unwrap();
    let body: Vec<u8> = (0..4_u32 << 20).map(|index| (index % 251) as u8).collect();
    let head = format!("PUT /echo HTTP/1.1\r\nhost: h\r\ncontent-length: {}\r\n", body.len());
    let answer = send(gateway.address(), &head, &body).await;
    assert_eq!(answer.status, 200);
    assert!(answer.body == body);
}

#[tokio::test]
async fn processes_end_with_the_function() {
    let Some(function) = echo("processes_end_with_the_function", 1) else { return };
    let process = ask(&function).await["process"].clone();
    assert!(is_running(&process));
    drop(function);
    assert!(!is_running(&process));
}

/// A process that was killed and that nobody has collected yet is not running.
fn is_running(process: &Value) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, fields)| !fields.starts_with(['Z', 'X']))
}
