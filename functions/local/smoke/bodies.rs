//! Bodies of all kinds: they arrive unchanged, or are refused in words that clients print.

use anyhow::{Result, bail};
use bytes::Bytes;
use http::Method;

use super::ask::Ask;
use super::check::{Case, Finding};
use super::content::digest_of;
use super::location::Location;
use super::payload::{Noise, Payload};
use super::target::{Target, octets};

const MEBIBYTE: usize = 1024 * 1024;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "bytes of type application/octet-stream arrive unchanged",
        essential: true,
        advice: "API Gateway has taken the body for text: look at x-amazon-apigateway-binary-media-types",
        run: |target| Box::pin(octets_arrive(target)),
    },
    Case {
        name: "bytes without a type arrive unchanged",
        essential: true,
        advice: "API Gateway has taken the body for text: look at x-amazon-apigateway-binary-media-types",
        run: |target| Box::pin(untyped_bytes_arrive(target)),
    },
    Case {
        name: "a PATCH of 4 MiB with a length is taken",
        essential: true,
        advice: "the limit is below what clients are promised: look at InlineBytesMax of the edge, and at the \
                 function's log",
        run: |target| Box::pin(four_mebibytes_are_taken(target)),
    },
    Case {
        name: "a PATCH of 6 MiB with a length is taken or refused in words",
        essential: false,
        advice: "skopeo and crane print an obscure error for layers above 4 MiB; they need the edge for a clear \
                 one, and the relay to push",
        run: |target| Box::pin(six_mebibytes_are_answered(target)),
    },
    Case {
        name: "a chunked PATCH of 1 MiB is taken",
        essential: true,
        advice: "Docker's classic image store and podman cannot push even a configuration: the edge has to let \
                 bodies without a length through",
        run: |target| Box::pin(small_chunked_body_is_taken(target)),
    },
    Case {
        name: "a chunked PATCH of 20 MiB is taken or refused in words",
        essential: false,
        advice: "Docker's classic image store and podman fail with an obscure error for layers above 4 MiB; \
                 deploy the relay (WithRelay=yes), or use Docker with the containerd image store",
        run: |target| Box::pin(large_chunked_body_is_answered(target)),
    },
];

async fn octets_arrive(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(MEBIBYTE)?;
    let digest = target.push_blob(&bytes).await?;
    Ok(Finding::Holds(format!("the registry has computed {digest}")))
}

async fn untyped_bytes_arrive(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(MEBIBYTE)?;
    let begun = target.begin().await?;
    let ask = Ask::new(Method::PATCH, begun.url.clone()).payload(Payload::Whole(bytes.clone()));
    let reply = target.send(ask).await?.expect(202)?;
    let digest = digest_of(&bytes);
    target.commit(&Location::new(&begun.url, reply.location()?)?, &digest).await?.expect(201)?;
    Ok(Finding::Holds(format!("the registry has computed {digest}")))
}

async fn four_mebibytes_are_taken(target: &Target) -> Result<Finding> {
    target.push_blob(&Noise::bytes(4 * MEBIBYTE)?).await?;
    Ok(Finding::Holds("202, and its digest is right".to_owned()))
}

async fn six_mebibytes_are_answered(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(6 * MEBIBYTE)?;
    taken_or_refused(target, Payload::Whole(bytes.clone()), &bytes).await
}

async fn small_chunked_body_is_taken(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(MEBIBYTE)?;
    target.push_blob_with(Payload::Chunked(bytes.clone()), &bytes).await?;
    Ok(Finding::Holds("202, and its digest is right".to_owned()))
}

async fn large_chunked_body_is_answered(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(20 * MEBIBYTE)?;
    taken_or_refused(target, Payload::Chunked(bytes.clone()), &bytes).await
}

async fn taken_or_refused(target: &Target, payload: Payload, bytes: &Bytes) -> Result<Finding> {
    let begun = target.begin().await?;
    let reply = target.send(octets(Ask::new(Method::PATCH, begun.url.clone()).payload(payload))).await?;
    if reply.status == 202 {
        let location = Location::new(&begun.url, reply.location()?)?;
        target.commit(&location, &digest_of(bytes)).await?.expect(201)?;
        return Ok(Finding::Holds("taken: 202, and its digest is right".to_owned()));
    }
    if !reply.is_understood() {
        bail!("{}", reply.fact());
    }
    Ok(Finding::Holds(format!("refused: {}", reply.fact())))
}
