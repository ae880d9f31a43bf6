//! Many small requests at once: `wrk` where it is installed, threads of our own otherwise.

use std::process::Command;
use std::time::{Duration, Instant};

use slipway_bench::stats::Latencies;
use slipway_bench::{Result, process};

use crate::content::MANIFEST_TYPE;
use crate::peer::Peer;
use crate::session::in_parallel;

const CONNECTIONS: usize = 32;
const WARM_UP_SECONDS: u64 = 1;

/// What a server did under load.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) cpu_us: f64,
}

/// Asks `peer` for `path` over 32 kept connections for some seconds, after a warm-up.
pub(crate) fn generate(peer: &Peer, path: &str, seconds: u64) -> Result<Load> {
    run(&peer.address, path, WARM_UP_SECONDS)?;
    let cpu_before = process::cpu_seconds(peer.pid())?;
    let counted = run(&peer.address, path, seconds)?;
    let cpu_seconds = process::cpu_seconds(peer.pid())? - cpu_before;
    Ok(Load {
        per_second: counted.requests / counted.seconds,
        p50_ms: counted.p50_ms,
        p99_ms: counted.p99_ms,
        cpu_us: cpu_seconds / counted.requests * 1e6,
    })
}

struct Counted {
    requests: f64,
    seconds: f64,
    p50_ms: f64,
    p99_ms: f64,
}

fn run(address: &str, path: &str, seconds: u64) -> Result<Counted> {
    let accept = format!("Accept: {MANIFEST_TYPE}");
    let wrk = Command::new("wrk")
        .args(["--latency", "-t2", &format!("-c{CONNECTIONS}"), &format!("-d{seconds}s")])
        .args(["-H", &accept, &format!("http://{address}{path}")])
        .output();
    match wrk {
        Ok(output) => parse_wrk(&String::from_utf8_lossy(&output.stdout)),
        Err(_) => run_own(address, path, &accept, seconds),
    }
}

fn parse_wrk(text: &str) -> Result<Counted> {
    if text.contains("Non-2xx") || text.contains("Socket errors") {
        return Err(format!("the server failed under load: {text}").into());
    }
    let words = |line_has: &str| -> Option<Vec<&str>> {
        Some(text.lines().find(|line| line.contains(line_has))?.split_whitespace().collect())
    };
    // "  52063 requests in 5.00s, 13.50MB read"
    let total = words(" requests in ").ok_or("no total in what wrk printed")?;
    let percentile =
        |name: &str| words(name).and_then(|line| milliseconds(line[1])).ok_or("no latency from wrk");
    Ok(Counted {
        requests: total[0].parse()?,
        seconds: milliseconds(total[3].trim_end_matches(',')).ok_or("no duration from wrk")? / 1e3,
        p50_ms: percentile(" 50% ")?,
        p99_ms: percentile(" 99% ")?,
    })
}

/// Reads `640.00us`, `1.83ms`, `5.00s` or `1.00m`.
fn milliseconds(text: &str) -> Option<f64> {
    let unit = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let factor = match &text[unit..] {
        "us" => 1e-3,
        "ms" => 1.0,
        "s" => 1e3,
        "m" => 60e3,
        _ => return None,
    };
    Some(text[..unit].parse::<f64>().ok()? * factor)
}

fn run_own(address: &str, path: &str, accept: &str, seconds: u64) -> Result<Counted> {
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let headers = format!("{accept}\r\n");
    let threads = in_parallel(CONNECTIONS, 0, |_| {
        let mut client = crate::client::Client::connect(address)?;
        let mut latencies = Latencies::default();
        while Instant::now() < end {
            let sent = Instant::now();
            client.call("GET", path, &headers, b"")?.expect(200)?;
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    })?;
    let mut latencies = Latencies::default();
    threads.into_iter().for_each(|more| latencies.append(more));
    Ok(Counted {
        requests: latencies.count() as f64,
        seconds: begin.elapsed().as_secs_f64(),
        p50_ms: latencies.percentile_ms(50.0),
        p99_ms: latencies.percentile_ms(99.0),
    })
}
