//! What is measured: the functions of the cloud, and the one that does nothing.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cloud::{Cloud, Programs};
use gateway_standin::{Function, FunctionOptions, Report};
use reqwest::blocking::Client;
use serde_json::{Value, json};
use slipway_bench::Result;
use test_support::content::{noise, sha256};
use tokio::runtime::Runtime;

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const REPOSITORY: &str = "bench/app";
const LAYERS: usize = 8;

/// The function that does nothing.
pub(crate) struct Noop {
    pub(crate) function: Function,
    runtime: Runtime,
}

impl Noop {
    /// Starts it as the cloud starts the others.
    pub(crate) fn start(programs: &Programs) -> Result<Self> {
        let runtime = Runtime::new()?;
        let environment = [("AWS_REGION".to_owned(), "eu-west-1".to_owned())].into();
        let _entered = runtime.enter();
        let function = Function::start(FunctionOptions {
            name: "noop".to_owned(),
            emulator: programs.emulator.clone(),
            binary: programs.functions.join("noop"),
            environment,
            memory_mb: 512,
            timeout: Duration::from_secs(30),
            instances: 1,
        })?;
        drop(_entered);
        Ok(Self { function, runtime })
    }

    /// Sends it an event.
    pub(crate) fn invoke(&self, event: &Value) -> Result<Value> {
        let answer = self.runtime.block_on(self.function.invoke(event));
        answer.map_err(|error| format!("noop: {error:?}").into())
    }
}

/// Pushes an image of eight small layers and returns the digest of its manifest; its tag is `1`.
pub(crate) fn push_image(cloud: &Cloud) -> Result<String> {
    let client = Client::builder().no_proxy().build()?;
    let base = format!("http://{}/v2/{REPOSITORY}", cloud.api_address());
    let mut layers = Vec::new();
    for seed in 0..=LAYERS as u64 {
        let blob = noise(seed, 1000);
        let digest = sha256(&blob);
        let size = blob.len();
        let posted = client.post(format!("{base}/blobs/uploads/?digest={digest}")).body(blob).send()?;
        posted.error_for_status()?;
        layers.push(
            json!({ "mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest, "size": size }),
        );
    }
    let config = layers.pop();
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": layers });
    let manifest = manifest.to_string();
    let digest = sha256(manifest.as_bytes());
    let put = client.put(format!("{base}/manifests/1")).header("content-type", MANIFEST_TYPE).body(manifest);
    put.send()?.error_for_status()?;
    Ok(digest)
}

/// Returns the event of a GET for a manifest.
pub(crate) fn get_manifest(reference: &str) -> Result<Value> {
    let mut event: Value =
        serde_json::from_str(include_str!("../../../standins/gateway/events/http-api-get.json"))?;
    let path = format!("/v2/{REPOSITORY}/manifests/{reference}");
    event["rawPath"] = json!(path);
    event["rawQueryString"] = json!("");
    event["requestContext"]["http"]["path"] = json!(path);
    if let Some(event) = event.as_object_mut() {
        event.remove("queryStringParameters");
    }
    Ok(event)
}

/// Returns the event with an access token, as clients have one that have logged in. It is good for five minutes.
pub(crate) fn logged_in(cloud: &Cloud, event: &Value, actions: &str) -> Result<Value> {
    let url = format!("http://{}/token?scope=repository:{REPOSITORY}:{actions}", cloud.api_address());
    let answer = Client::builder().no_proxy().build()?.get(url).send()?.error_for_status()?.text()?;
    let answer: Value = serde_json::from_str(&answer)?;
    let token = answer["token"].as_str().ok_or("no token")?;
    let mut event = event.clone();
    event["headers"]["authorization"] = json!(format!("Bearer {token}"));
    Ok(event)
}

/// Returns the event of a login with a password.
pub(crate) fn login(cloud: &Cloud) -> Result<Value> {
    let mut event = get_manifest("1")?;
    let path = json!("/token");
    event["rawPath"] = path.clone();
    event["requestContext"]["http"]["path"] = path;
    let shown = STANDARD.encode(format!("admin:{}", cloud.first_password()));
    event["headers"]["authorization"] = json!(format!("Basic {shown}"));
    Ok(event)
}

/// Returns what the emulator has reported since there were `before` reports.
pub(crate) fn reports_since(function: &Function, before: usize) -> Vec<Report> {
    function.reports().split_off(before)
}
