//! Many at once, which makes functions start.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use http::Method;

use super::check::{Case, Finding};
use super::login::ping;
use super::target::Target;

/// How many requests come at once.
const REQUESTS: usize = 20;

pub(crate) const CASES: &[Case] = &[Case {
    name: "requests that come all at once are answered",
    essential: false,
    advice: "a push or pull begins with several requests: look at the account's limit of concurrent functions, and \
             for a slow start at MemorySize",
    run: |target| Box::pin(burst_is_answered(target)),
}];

async fn burst_is_answered(target: &Target) -> Result<Finding> {
    let usual = ping(target).await?;
    let asks = (0..REQUESTS).map(|_| target.ask(Method::GET, "/v2/?burst")).collect::<Result<Vec<_>>>()?;
    let replies = try_join_all(asks.into_iter().map(|ask| target.send_anonymously(ask))).await?;
    if let Some(other) = replies.iter().find(|reply| reply.status != usual.status) {
        ensure!(other.status == usual.status, "one of {REQUESTS}: {}", other.fact());
    }
    let mut times: Vec<u128> = replies.iter().map(|reply| reply.elapsed.as_millis()).collect();
    times.sort_unstable();
    let (median, slowest) = (times[REQUESTS / 2], times[REQUESTS - 1]);
    let usual = usual.elapsed.as_millis();
    Ok(Finding::Holds(format!(
        "{REQUESTS} after {median} ms, the slowest after {slowest} ms; one alone {usual} ms"
    )))
}
