//! The layer whose size the operator chooses.

use std::time::Duration;

use anyhow::Result;
use oci::{Algorithm, Hasher};

use super::adoption::time_of;
use super::check::{Case, Finding};
use super::content::manifest_of;
use super::direct::put_direct;
use super::payload::{Noise, Payload};
use super::target::{Target, put};

pub(crate) const CASES: &[Case] = &[Case {
    name: "a layer of the size given by --large is taken in one PUT",
    essential: true,
    advice: "layers of this size cannot be pushed in one PUT: the answer says who has refused it; silence after 30 s \
             means that CloudFront did not wait for S3",
    run: |target| Box::pin(large_layer_is_taken(target)),
}];

/// The slowest line that is waited for.
const BYTES_PER_SECOND_MIN: u64 = 256 * 1024;

async fn large_layer_is_taken(target: &Target) -> Result<Finding> {
    let Some(size_bytes) = target.large_bytes else {
        return Ok(Finding::NotChecked("ask for it with --large 5GiB".to_owned()));
    };
    let noise = Noise::new(size_bytes)?;
    let mut hasher = Hasher::new(Algorithm::Sha256);
    noise.clone().for_each(|block| hasher.update(&block));
    let digest = hasher.finish();
    let mut ask = put(&target.begin().await?, &digest, Payload::Noise(noise))?;
    ask.timeout += Duration::from_secs(size_bytes / BYTES_PER_SECOND_MIN);
    let reply = put_direct(target, ask, &digest).await?;
    let (manifest, adoption) = target.adopt("smoke-large", &manifest_of(&digest, size_bytes)).await?;
    manifest.expect(201)?;
    let seconds = reply.elapsed.as_secs_f64();
    let speed = size_bytes as f64 / 1e6 / seconds;
    let adopted = time_of(&adoption)?;
    Ok(Finding::Holds(format!("{size_bytes} bytes in {seconds:.1} s, {speed:.1} MB/s; {adopted}")))
}
