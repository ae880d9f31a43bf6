//! Functions that run in this process.

use std::path::PathBuf;
use std::time::Duration;

use gateway_standin::{Function, FunctionOptions, InvokeError};
use serde_json::{Value, json};

#[tokio::test]
async fn a_function_is_invoked_with_any_event() {
    let function = Function::in_process(|event| async move { json!({ "records": event["Records"] }) });
    let answer = function.invoke(&json!({ "Records": [1, 2] })).await;
    assert_eq!(answer, Ok(json!({ "records": [1, 2] })));
    assert_eq!((function.invocations(), function.errors()), (1, 0));
    assert!(function.reports().is_empty());
}

#[tokio::test]
async fn a_function_error_is_an_error() {
    let error = json!({ "errorType": "Error", "errorMessage": "broken" });
    let answered = error.clone();
    let function = Function::in_process(move |_| std::future::ready(answered.clone()));
    assert_eq!(function.invoke(&Value::Null).await, Err(InvokeError::Function(error)));
    assert_eq!(function.errors(), 1);
}

#[tokio::test]
async fn clones_count_together() {
    let function = Function::in_process(|_| async { Value::Null });
    function.clone().invoke(&Value::Null).await.unwrap();
    assert_eq!(function.invocations(), 1);
}

#[test]
fn a_function_without_a_binary_does_not_start() {
    let options = FunctionOptions {
        name: "none".to_owned(),
        emulator: PathBuf::from("/nowhere/emulator"),
        binary: PathBuf::from("/nowhere/bootstrap"),
        environment: [].into(),
        memory_mb: 128,
        timeout: Duration::from_secs(3),
        instances: 1,
    };
    let error = Function::start(options).err().unwrap();
    assert_eq!(error.to_string(), "/nowhere/emulator is not a file");
}
