//! Faults of Lambda and of the functions' settings.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cloud::{Changes, Cloud, Function};
use serde_json::{Value, json};

use super::Row;
use crate::checks::{AT_ONCE, BLOB_HEAD, BURST, HEAD_ELSEWHERE, LETS_IN, TOKEN};

pub(crate) const ROWS: &[Row] = &[
    Row::essential("the functions have no table", &[LETS_IN, TOKEN], |cloud| {
        redeployed(cloud, &["ApiReadFunction", "ApiTokenFunction"], ("Table", "not-there"))
    }),
    Row {
        arguments: &[],
        ..Row::essential("the function of logins cannot read the secret", &[TOKEN], |cloud| {
            redeployed(cloud, &["ApiTokenFunction"], ("RegistrySecret", "not-there"))
        })
    },
    Row::essential(
        "a HEAD of a blob is sent where only GET is signed",
        &[BLOB_HEAD, HEAD_ELSEWHERE, AT_ONCE],
        |cloud| Changes {
            functions: [("ApiReadFunction", signing_for_get(cloud.function("ApiReadFunction")))].into(),
            ..Changes::default()
        },
    ),
    Row::tolerable("the account has no concurrency", &[BURST], |cloud| Changes {
        functions: [("ApiReadFunction", one_at_a_time(cloud.function("ApiReadFunction")))].into(),
        ..Changes::default()
    }),
];

fn redeployed(cloud: &Cloud, names: &[&'static str], value: (&'static str, &str)) -> Changes {
    let functions = names.iter().map(|name| (*name, cloud.redeployed(name, &[value]).unwrap()));
    Changes { functions: functions.collect(), ..Changes::default() }
}

/// A signature is for one method, so that S3 refuses the HEAD.
fn signing_for_get(function: &Function) -> Function {
    let function = function.clone();
    Function::in_process(move |mut event: Value| {
        let function = function.clone();
        async move {
            let http = &mut event["requestContext"]["http"];
            if http["method"] == "HEAD" && http["path"].as_str().is_some_and(|path| path.contains("/blobs/"))
            {
                http["method"] = json!("GET");
            }
            let answer = function.invoke(&event).await;
            answer.unwrap_or_else(|error| json!({ "errorType": error.to_string() }))
        }
    })
}

/// Lambda throttles what comes while the function is busy.
fn one_at_a_time(function: &Function) -> Function {
    let (function, is_busy) = (function.clone(), Arc::new(AtomicBool::new(false)));
    Function::in_process(move |event: Value| {
        let (function, is_busy) = (function.clone(), is_busy.clone());
        async move {
            if is_busy.swap(true, Ordering::AcqRel) {
                return json!({ "errorType": "TooManyRequestsException" });
            }
            let answer = function.invoke(&event).await;
            is_busy.store(false, Ordering::Release);
            answer.unwrap_or_else(|error| json!({ "errorType": error.to_string() }))
        }
    })
}
