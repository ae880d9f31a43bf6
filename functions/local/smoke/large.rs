//! The layers whose size or time the operator chooses.

use std::time::Duration;

use anyhow::Result;
use oci::{Algorithm, Digest, Hasher};

use super::adoption::time_of;
use super::check::{Case, Finding};
use super::content::manifest_of;
use super::direct::put_direct;
use super::payload::{Noise, Payload};
use super::target::{Target, put};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "a layer of the size given by --large is taken in one PUT",
        essential: true,
        advice: "layers of this size cannot be pushed in one PUT: the answer says who has refused it; silence after \
                 30 s means that CloudFront did not wait for S3",
        run: |target| Box::pin(large_layer_is_taken(target)),
    },
    Case {
        name: "a PUT that takes as long as --slow says is taken",
        essential: true,
        advice: "whoever has a slow line cannot push: somebody in between ends requests that take so long, and the \
                 answer says who; CloudFront's timeouts are meant for the time between two packets",
        run: |target| Box::pin(slow_layer_is_taken(target)),
    },
];

/// How fast the slow one is: as a line that is not fast.
const SLOW_BYTES_PER_SECOND: u64 = 1024 * 1024;

/// The slowest line that is waited for.
const BYTES_PER_SECOND_MIN: u64 = 256 * 1024;

async fn large_layer_is_taken(target: &Target) -> Result<Finding> {
    let Some(size_bytes) = target.large_bytes else {
        return Ok(Finding::NotChecked("ask for it with --large 5GiB".to_owned()));
    };
    let noise = Noise::new(size_bytes)?;
    let digest = digest_of(&noise);
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

async fn slow_layer_is_taken(target: &Target) -> Result<Finding> {
    let Some(time) = target.slow else {
        return Ok(Finding::NotChecked("ask for it with --slow 40s".to_owned()));
    };
    // The last byte makes it a size that no other check has.
    let size_bytes = time.as_secs() * SLOW_BYTES_PER_SECOND + 1;
    let noise = Noise::new(size_bytes)?;
    let digest = digest_of(&noise);
    let payload = Payload::Slow(noise, SLOW_BYTES_PER_SECOND);
    let mut ask = put(&target.begin().await?, &digest, payload)?;
    ask.timeout += time * 2;
    let reply = put_direct(target, ask, &digest).await?;
    Ok(Finding::Holds(format!("{size_bytes} bytes in {:.1} s", reply.elapsed.as_secs_f64())))
}

fn digest_of(noise: &Noise) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha256);
    noise.clone().for_each(|block| hasher.update(&block));
    hasher.finish()
}
