//! What becomes of bytes that no function has seen.

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use http::Method;

use super::check::{Case, Finding};
use super::content::{digest_of, manifest_of};
use super::direct::put_direct;
use super::payload::{Noise, Payload};
use super::target::{Adoption, Target, put};

/// How often containerd sends a manifest that is answered 429.
const CLIENT_TRIES: u32 = 5;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "a direct PUT is adopted by its manifest",
        essential: true,
        advice: "large layers are pushed, but their manifests refused: look at the log of EventsFunction, and at \
                 the event of the bucket",
        run: |target| Box::pin(layer_is_adopted(target)),
    },
    Case {
        name: "a direct PUT is adopted for two manifests at once",
        essential: true,
        advice: "images that share a layer and are pushed at once fail: of two copies at once S3 answers one in a way \
                 that the functions do not know; look at the log of EventsFunction and ApiWriteFunction",
        run: |target| Box::pin(layer_is_adopted_twice(target)),
    },
    Case {
        name: "a direct PUT that is repeated with other bytes changes nothing",
        essential: true,
        advice: "do not use this registry: who has an upload URL can exchange what others pull",
        run: |target| Box::pin(replay_changes_nothing(target)),
    },
    Case {
        name: "a direct PUT with a wrong digest is never adopted",
        essential: true,
        advice: "do not use this registry: what it serves is not what was pushed",
        run: |target| Box::pin(lie_is_found_out(target)),
    },
];

async fn layer_is_adopted(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(3001)?);
    let digest = digest_of(&bytes);
    put_direct(target, put(&location, &digest, Payload::Whole(bytes.clone()))?, &digest).await?;
    let manifest = manifest_of(&digest, bytes.len() as u64);
    let (reply, adoption) = target.adopt("smoke-adopted", &manifest).await?;
    reply.expect(201)?;
    ensure!(target.blob(&digest).await? == bytes, "the layer has other bytes");
    Ok(Finding::Holds(time_of(&adoption)?))
}

async fn layer_is_adopted_twice(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(3004)?);
    let digest = digest_of(&bytes);
    put_direct(target, put(&location, &digest, Payload::Whole(bytes.clone()))?, &digest).await?;
    let manifest = manifest_of(&digest, bytes.len() as u64);
    // White space makes it another manifest.
    let other = Bytes::from([manifest.as_ref(), b"\n"].concat());
    let ((one, first), (two, second)) =
        tokio::try_join!(target.adopt("smoke-raced-1", &manifest), target.adopt("smoke-raced-2", &other))?;
    one.expect(201)?;
    two.expect(201)?;
    ensure!(target.blob(&digest).await? == bytes, "the layer has other bytes");
    Ok(Finding::Holds(format!("{}; of the other: {}", time_of(&first)?, time_of(&second)?)))
}

async fn replay_changes_nothing(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(3002)?);
    let digest = digest_of(&bytes);
    put_direct(target, put(&location, &digest, Payload::Whole(bytes.clone()))?, &digest).await?;
    let manifest = manifest_of(&digest, bytes.len() as u64);
    target.put_manifest_patiently("smoke-replayed", &manifest).await?.expect(201)?;
    let replay = put(&location, &digest, Payload::Whole(Noise::bytes(3002)?))?;
    let replay = target.send(replay).await?;
    ensure!(target.blob(&digest).await? == bytes, "the layer has other bytes now");
    target.put_manifest_patiently("smoke-replayed", &manifest).await?.expect(201)?;
    ensure!(
        target.blob(&digest).await? == bytes,
        "the layer has other bytes after its manifest was put again"
    );
    Ok(Finding::Holds(format!("the second PUT was answered {}, the blob is as it was", replay.status)))
}

async fn lie_is_found_out(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(3003)?);
    let digest = digest_of(&bytes);
    let lie = put(&location, &digest, Payload::Whole(Noise::bytes(3003)?))?;
    let answer = target.send(lie).await?;
    let manifest = manifest_of(&digest, bytes.len() as u64);
    let reply = target.put_manifest_patiently("smoke-lie", &manifest).await?;
    let code = reply.error_code().unwrap_or_default();
    if code != "MANIFEST_BLOB_UNKNOWN" {
        bail!("the PUT was answered {}, and then {}", answer.status, reply.fact());
    }
    let path = target.path(&format!("blobs/{digest}"));
    target.send(target.ask(Method::HEAD, &path)?).await?.expect(404)?;
    Ok(Finding::Holds(format!(
        "the PUT was answered {}, the manifest {} {code}",
        answer.status, reply.status
    )))
}

/// Says how long an adoption took; that is an error if clients would not have waited.
pub(crate) fn time_of(adoption: &Adoption) -> Result<String> {
    let (seconds, throttled) = (adoption.elapsed.as_secs_f64(), adoption.throttled);
    let fact = match throttled {
        0 => format!("the manifest was taken after {seconds:.1} s"),
        count => format!("the manifest was taken after {seconds:.1} s and {count} answers 429"),
    };
    ensure!(throttled < CLIENT_TRIES, "{fact}; containerd gives up after {CLIENT_TRIES}");
    Ok(fact)
}
