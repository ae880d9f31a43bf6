//! Manifests: byte for byte, with their length, and new at once.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http::Method;

use super::check::{Case, Finding};
use super::content::{EMPTY, digest_of, manifest_of};
use super::payload::Noise;
use super::reply::Reply;
use super::report::PUSH;
use super::target::Target;

/// The first of them pushes what the manifests of all others name.
pub(crate) const CASES: &[Case] = &[
    Case {
        name: PUSH,
        essential: true,
        advice: "nothing works without it: the checks that follow say more",
        run: |target| Box::pin(small_image_travels(target)),
    },
    Case {
        name: "a manifest comes back byte for byte",
        essential: true,
        advice: "somebody on the way reads JSON and writes it anew: look at the HTTP API's integration",
        run: |target| Box::pin(manifest_is_unchanged(target)),
    },
    Case {
        name: "a HEAD of a manifest tells its length",
        essential: true,
        advice: "containerd and Docker take a length of 0 for an empty manifest and cannot pull: if API Gateway does \
                 not keep the function's Content-Length, deploy with HeadLength=content",
        run: |target| Box::pin(head_tells_length(target)),
    },
    Case {
        name: "a tag reads new right after it was moved",
        essential: true,
        advice: "somebody caches manifests: the edge needs the policy CachingDisabled",
        run: |target| Box::pin(moved_tag_is_new(target)),
    },
];

/// Pushes a layer of this size and returns a manifest that names it.
async fn new_manifest(target: &Target, layer_bytes: usize) -> Result<Bytes> {
    let layer = Noise::bytes(layer_bytes)?;
    let digest = target.push_blob(&layer).await?;
    Ok(manifest_of(&digest, layer.len() as u64))
}

async fn small_image_travels(target: &Target) -> Result<Finding> {
    let layer = Noise::bytes(1200)?;
    let digest = target.push_blob(&layer).await?;
    target.push_blob(&Bytes::from_static(EMPTY)).await.context("the configuration")?;
    let manifest = manifest_of(&digest, layer.len() as u64);
    target.put_manifest("smoke-image", &manifest).await?.expect(201)?;
    let reply = target.manifest(Method::GET, "smoke-image").await?;
    let pulled = digest_of(&reply.body);
    ensure!(target.blob(&digest).await? == layer, "the layer has other bytes");
    Ok(Finding::Holds(format!("{}:smoke-image is {pulled}", target.repository)))
}

async fn manifest_is_unchanged(target: &Target) -> Result<Finding> {
    let manifest = new_manifest(target, 900).await?;
    target.put_manifest("smoke-bytes", &manifest).await?.expect(201)?;
    let reply = target.manifest(Method::GET, "smoke-bytes").await?;
    ensure!(reply.body == manifest, "{} bytes were put, {} others came", manifest.len(), reply.body.len());
    let media_type = reply.header("content-type").unwrap_or("nothing");
    ensure!(media_type == "application/vnd.oci.image.manifest.v1+json", "Content-Type says {media_type}");
    Ok(Finding::Holds(format!("{} bytes with odd white space", manifest.len())))
}

async fn head_tells_length(target: &Target) -> Result<Finding> {
    let manifest = new_manifest(target, 901).await?;
    target.put_manifest("smoke-head", &manifest).await?.expect(201)?;
    let digest = digest_of(&manifest);
    for reference in ["smoke-head", digest.as_str()] {
        let reply = target.manifest(Method::HEAD, reference).await?;
        let told = reply.length_bytes();
        ensure!(
            told == Some(manifest.len() as u64),
            "the manifest has {} bytes, HEAD says {told:?}",
            manifest.len()
        );
        ensure_digest(&reply, digest.as_str())?;
    }
    Ok(Finding::Holds(format!("{} bytes, by tag and by digest", manifest.len())))
}

async fn moved_tag_is_new(target: &Target) -> Result<Finding> {
    for layer_bytes in [902, 903] {
        let manifest = new_manifest(target, layer_bytes).await?;
        target.put_manifest("smoke-moved", &manifest).await?.expect(201)?;
        for method in [Method::GET, Method::HEAD] {
            let reply = target.manifest(method, "smoke-moved").await?;
            ensure_digest(&reply, digest_of(&manifest).as_str())?;
        }
    }
    Ok(Finding::Holds("GET and HEAD after both pushes".to_owned()))
}

fn ensure_digest(reply: &Reply, digest: &str) -> Result<()> {
    let told = reply.header("docker-content-digest").unwrap_or("nothing");
    ensure!(told == digest, "{}, Docker-Content-Digest says {told} and not {digest}", reply.label);
    Ok(())
}
