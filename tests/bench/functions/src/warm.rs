//! What a request costs a function that has started.

use std::path::Path;
use std::time::Instant;

use cloud::Cloud;
use gateway_standin::Function;
use serde_json::Value;
use slipway_bench::Result;
use slipway_bench::process::cpu_seconds;
use slipway_bench::report::{Table, number};
use slipway_bench::stats::median;

use crate::process::pid_of;
use crate::starts::spread;
use crate::subject::{Noop, get_manifest, logged_in, reports_since};

const READ: &str = "ApiReadFunction";

/// What a function did in the rounds.
#[derive(Default)]
struct Turns {
    per_second: Vec<f64>,
    duration_ms: Vec<f64>,
    cpu_seconds: f64,
    requests: usize,
}

impl Turns {
    /// Sends the same event again and again, one at a time.
    fn add(
        &mut self,
        function: &Function,
        pid: u32,
        requests: usize,
        ask: impl Fn() -> Result<Value>,
    ) -> Result<()> {
        let (before, cpu_before, begin) = (function.reports().len(), cpu_seconds(pid)?, Instant::now());
        for _ in 0..requests {
            let status = ask()?["statusCode"].clone();
            if status != 200 {
                return Err(format!("a function answers {status}").into());
            }
        }
        self.per_second.push(requests as f64 / begin.elapsed().as_secs_f64());
        self.cpu_seconds += cpu_seconds(pid)? - cpu_before;
        self.requests += requests;
        let durations: Vec<f64> =
            reports_since(function, before).iter().map(|report| report.duration_ms).collect();
        self.duration_ms.push(median(&durations));
        Ok(())
    }

    fn row(&self, name: &str, beside: &Self) -> Vec<String> {
        let slower = median(&beside.per_second) / median(&self.per_second);
        let longer = median(&self.duration_ms) / median(&beside.duration_ms);
        let cpu_us = self.cpu_seconds / self.requests as f64 * 1e6;
        vec![
            name.to_owned(),
            spread(&self.per_second),
            format!("{} ×", number(slower)),
            spread(&self.duration_ms),
            format!("{} ×", number(longer)),
            number(cpu_us),
        ]
    }
}

/// Asks all in turn: nothing, a manifest by its digest, which a warm function has in memory, and one by its tag, which
/// it looks up in the table.
pub(crate) fn measure(
    cloud: &Cloud,
    noop: &Noop,
    functions: &Path,
    manifest: &str,
    rounds: usize,
    requests: usize,
) -> Result<Table> {
    // An access token is good for five minutes: each round has its own.
    let events = |cloud| -> Result<[Value; 2]> {
        let pull = |reference| logged_in(cloud, &get_manifest(reference)?, "pull");
        Ok([pull(manifest)?, pull("1")?])
    };
    let [by_digest, by_tag] = events(cloud)?;
    let ask = |event: &Value| Ok(cloud.invoke(READ, event)?);
    for _ in 0..20 {
        noop.invoke(&by_tag)?;
        ask(&by_digest)?;
        ask(&by_tag)?;
    }
    let noop_pid = pid_of(&functions.join("noop"), "noop")?;
    let read_pid = pid_of(&functions.join("api"), READ)?;
    let [mut nothing, mut digest, mut tag] = <[Turns; 3]>::default();
    for _ in 0..rounds {
        let [by_digest, by_tag] = events(cloud)?;
        nothing.add(&noop.function, noop_pid, requests, || noop.invoke(&by_tag))?;
        digest.add(cloud.function(READ), read_pid, requests, || ask(&by_digest))?;
        tag.add(cloud.function(READ), read_pid, requests, || ask(&by_tag))?;
    }
    let columns = [
        "warm, one request at a time",
        "requests/s by the emulator",
        "time of a request",
        "duration in the function, ms",
        "duration",
        "CPU of the function, µs",
    ];
    let mut table = Table::new(
        &format!("{rounds} rounds of {requests} requests: median (lowest to highest round)"),
        &columns,
    );
    table.row(nothing.row("no-op function", &nothing));
    table.row(digest.row("manifest by digest", &nothing));
    table.row(tag.row("manifest by tag, one call of the table", &nothing));
    Ok(table)
}
