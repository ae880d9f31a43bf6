//! A function for the tests of the emulator: it tells what it sees, and fails when asked to.

use std::collections::BTreeMap;

use reqwest::blocking::Client;
use serde_json::{Value, json};

fn main() {
    let api = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap_or_default();
    let invocation = format!("http://{api}/2018-06-01/runtime/invocation");
    let client = Client::builder().timeout(None).build().expect("a client");
    let mut served = 0;
    loop {
        let next = client.get(format!("{invocation}/next")).send().expect("the next event");
        let id = next.headers()["lambda-runtime-aws-request-id"].to_str().expect("an id").to_owned();
        let event: Value = serde_json::from_slice(&next.bytes().expect("an event")).expect("JSON");
        served += 1;
        let (verdict, answer) = answer(&event, served);
        println!("served {served}");
        let url = format!("{invocation}/{id}/{verdict}");
        client.post(url).body(answer.to_string()).send().expect("the answer is taken");
    }
}

fn answer(event: &Value, served: u32) -> (&'static str, Value) {
    match event["rawPath"].as_str() {
        Some("/error") => ("error", json!({ "errorType": "Broken", "errorMessage": "as asked" })),
        Some("/exit") => std::process::exit(3),
        Some("/echo") => {
            let fields = ["body", "isBase64Encoded"].map(|name| (name.to_owned(), event[name].clone()));
            let mut reply = serde_json::Map::from_iter(fields);
            reply.insert("statusCode".to_owned(), json!(200));
            ("response", Value::Object(reply))
        }
        _ => {
            let environment: BTreeMap<String, String> = std::env::vars().collect();
            (
                "response",
                json!({ "process": std::process::id(), "served": served, "environment": environment }),
            )
        }
    }
}
