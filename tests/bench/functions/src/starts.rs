//! How long the functions take to start, and how much memory they take.

use cloud::Cloud;
use gateway_standin::Function;
use serde_json::json;
use slipway_bench::Result;
use slipway_bench::report::{Table, number};
use slipway_bench::stats::median;

use crate::subject::{Noop, get_manifest, logged_in, login, reports_since};

/// Starts every function anew some times, in turn, with an event for each start.
pub(crate) fn measure(cloud: &Cloud, noop: &Noop, starts: usize) -> Result<Table> {
    let get = logged_in(cloud, &get_manifest("1")?, "pull,push")?;
    let mut post = get.clone();
    post["requestContext"]["http"]["method"] = json!("POST");
    post["rawPath"] = json!("/v2/bench/app/blobs/uploads/");
    let fsck = json!({ "job": "fsck", "deep": false });
    let functions = [
        ("api, read", "ApiReadFunction", get.clone()),
        ("api, write", "ApiWriteFunction", post),
        ("api, token: a password", "ApiTokenFunction", login(cloud)?),
        ("events", "EventsFunction", json!({})),
        ("scheduled", "ScheduledFunction", fsck),
    ];
    let mut before = Vec::new();
    for function in functions.iter().map(|(_, name, _)| cloud.function(name)).chain([&noop.function]) {
        function.restart_always(true);
        before.push(function.reports().len());
    }
    for _ in 0..starts {
        for (_, name, event) in &functions {
            cloud.invoke(name, event)?;
        }
        noop.invoke(&get)?;
    }
    let title = format!("{starts} starts each: median (lowest to highest)");
    let columns = ["starts", "init, ms", "first request, ms", "peak memory, MiB"];
    let mut table = Table::new(&title, &columns);
    for ((label, name, _), before) in functions.iter().zip(&before) {
        table.row(row(label, cloud.function(name), *before));
    }
    table.row(row("no-op", &noop.function, before[functions.len()]));
    Ok(table)
}

fn row(label: &str, function: &Function, before: usize) -> Vec<String> {
    let reports = reports_since(function, before);
    let inits: Vec<f64> = reports.iter().filter_map(|report| report.init_ms).collect();
    let durations: Vec<f64> = reports.iter().map(|report| report.duration_ms).collect();
    let memory = reports.iter().filter_map(|report| report.max_memory_mb).fold(0.0, f64::max);
    vec![label.to_owned(), spread(&inits), spread(&durations), number(memory)]
}

/// Returns the median and between which values it lies.
pub(crate) fn spread(values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    format!("{} ({} to {})", number(median(values)), number(low), number(high))
}
