//! Large layers in one PUT: past the functions, straight to S3.

use anyhow::{Context, Result, ensure};
use http::{HeaderValue, header};
use oci::Digest;

use super::ask::Ask;
use super::check::{Case, Finding};
use super::content::digest_of;
use super::location::Location;
use super::payload::{Noise, Payload};
use super::reply::Reply;
use super::target::{Target, put};

const MEBIBYTE: usize = 1024 * 1024;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "a direct PUT is taken",
        essential: true,
        advice: "no client can push a layer above 4 MiB. If S3 has refused the signature, it does not bear the \
                 header that CloudFront adds: deploy with Uploads=capability",
        run: |target| Box::pin(direct_put_is_taken(target)),
    },
    Case {
        name: "a direct PUT with an Authorization header is taken",
        essential: true,
        advice: "clients that are logged in cannot push: the edge's function has to remove Authorization before S3",
        run: |target| Box::pin(authorization_is_removed(target)),
    },
    Case {
        name: "a direct PUT of 8 MiB is taken",
        essential: true,
        advice: "the PUT has not gone past API Gateway: look at the edge's choice of origin",
        run: |target| Box::pin(eight_mebibytes_are_taken(target)),
    },
    Case {
        name: "a direct PUT without a length is refused with 411",
        essential: false,
        advice: "the edge's function does not see that the body is chunked; S3 refuses it, with a worse message",
        run: |target| Box::pin(length_is_demanded(target)),
    },
    Case {
        name: "an upload URL is good for its own upload only",
        essential: true,
        advice: "anybody may overwrite the uploads of others: close the registry, and look at the signature or the \
                 capability",
        run: |target| Box::pin(other_upload_is_refused(target)),
    },
    Case {
        name: "a changed upload URL is refused",
        essential: true,
        advice: "anybody may upload, and for ever: close the registry, and look at the signature or the capability",
        run: |target| Box::pin(changed_url_is_refused(target)),
    },
];

async fn direct_put_is_taken(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(1024)?);
    let digest = digest_of(&bytes);
    let reply = target.put_whole(&location, &digest, &bytes).await?;
    let elapsed = reply.elapsed.as_millis();
    let created = ensure_created(target, reply, &digest)?;
    Ok(Finding::Holds(format!("201 after {elapsed} ms, Location {}", created.text)))
}

async fn authorization_is_removed(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(1025)?);
    let digest = digest_of(&bytes);
    let token = HeaderValue::from_str(&format!("Bearer {}", "x".repeat(700)))?;
    let ask = put(&location, &digest, Payload::Whole(bytes))?.header(header::AUTHORIZATION, token);
    ensure_created(target, target.send(ask).await?, &digest)?;
    Ok(Finding::Holds("201".to_owned()))
}

async fn eight_mebibytes_are_taken(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(8 * MEBIBYTE)?);
    let digest = digest_of(&bytes);
    let reply = target.put_whole(&location, &digest, &bytes).await?;
    let seconds = reply.elapsed.as_secs_f64();
    ensure_created(target, reply, &digest)?;
    Ok(Finding::Holds(format!("201 after {seconds:.1} s")))
}

async fn length_is_demanded(target: &Target) -> Result<Finding> {
    let (location, bytes) = (target.begin().await?, Noise::bytes(1026)?);
    let ask = put(&location, &digest_of(&bytes), Payload::Chunked(bytes))?;
    let reply = target.send(ask).await?.expect(411)?;
    ensure!(reply.is_understood(), "{}", reply.fact());
    Ok(Finding::Holds(reply.fact()))
}

async fn other_upload_is_refused(target: &Target) -> Result<Finding> {
    let (own, other) = (target.begin().await?, target.begin().await?);
    let status = ensure_refused(target, &other.with_query_of(&own)?, "for another upload").await?;
    Ok(Finding::Holds(format!("{status}")))
}

async fn changed_url_is_refused(target: &Target) -> Result<Finding> {
    let location = target.begin().await?;
    let mut facts = Vec::new();
    for parameter in ["X-Amz-Signature", "X-Amz-Expires", "cap", "exp"] {
        if let Some(altered) = location.with_altered(parameter) {
            let status = ensure_refused(target, &altered?, &format!("with another {parameter}")).await?;
            facts.push(format!("another {parameter}: {status}"));
        }
    }
    Ok(Finding::Holds(facts.join(", ")))
}

async fn ensure_refused(target: &Target, location: &Location, what: &str) -> Result<u16> {
    let bytes = Noise::bytes(1027)?;
    let reply: Reply = target.send(put(location, &digest_of(&bytes), Payload::Whole(bytes))?).await?;
    ensure!(matches!(reply.status, 400..=499), "{what}, {}", reply.fact());
    Ok(reply.status)
}

/// Checks the whole answer to a blob's PUT and returns the blob's URL.
pub(crate) fn ensure_created(target: &Target, reply: Reply, digest: &Digest) -> Result<Location> {
    let reply = reply.expect(201)?;
    let told = reply.header("docker-content-digest").unwrap_or("nothing");
    ensure!(told == digest.as_str(), "Docker-Content-Digest says {told} and not {digest}");
    let location = Location::new(&target.base, reply.location()?)?;
    let path = target.path(&format!("blobs/{digest}"));
    ensure!(location.url.path() == path, "the Location is {} and not {path}", location.text);
    Ok(location)
}

/// Puts a layer directly, for a check that goes on from there.
pub(crate) async fn put_direct(target: &Target, ask: Ask, digest: &Digest) -> Result<Reply> {
    let reply = target.send(ask).await?.expect(201);
    reply.with_context(|| format!("the direct PUT of {digest}"))
}
