//! Pulling blobs: with a length, by a redirect, in part, and at once.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use http::{HeaderMap, HeaderValue, Method, header};

use super::check::{Case, Finding};
use super::content::digest_of;
use super::payload::Noise;
use super::reply::Reply;
use super::target::Target;

/// How long the edge remembers an error if nobody forbids it.
const ERROR_MEMORY: Duration = Duration::from_secs(10);

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "a HEAD of a blob tells its length",
        essential: true,
        advice: "clients push what is there already, or fail: if API Gateway does \
                 not keep the function's Content-Length, deploy with HeadLength=content",
        run: |target| Box::pin(head_tells_length(target)),
    },
    Case {
        name: "a HEAD of a blob is not sent where a HEAD is refused",
        essential: false,
        advice: "clients think the blob is missing: the URL of the redirect has to be signed for HEAD, a signature \
                 for GET is none",
        run: |target| Box::pin(head_is_not_sent_in_vain(target)),
    },
    Case {
        name: "a GET of a blob brings its bytes",
        essential: true,
        advice: "nothing can be pulled: if the redirect was cut or its URL refused, look at the length of the \
                 Location and at the role that signs",
        run: |target| Box::pin(get_brings_bytes(target)),
    },
    Case {
        name: "a part of a blob can be pulled",
        essential: false,
        advice: "interrupted pulls start again from nothing",
        run: |target| Box::pin(range_brings_part(target)),
    },
    Case {
        name: "a blob is there right after its push",
        essential: true,
        advice: "Docker fails with \"unknown blob\": the edge remembers errors; set ErrorCachingMinTTL to 0 for \
                 every code",
        run: |target| Box::pin(push_ends_absence(target)),
    },
];

async fn head_tells_length(target: &Target) -> Result<Finding> {
    told_length(head_of_new_blob(target, 1500).await?, 1500)
}

async fn head_is_not_sent_in_vain(target: &Target) -> Result<Finding> {
    let replies = head_of_new_blob(target, 1600).await?;
    if replies.iter().any(Reply::is_redirect) {
        return told_length(replies, 1600);
    }
    last(replies)?.expect(200)?;
    Ok(Finding::Holds("200 from the registry itself".to_owned()))
}

/// Pushes a blob of this size and returns what a HEAD of it is answered, wherever it is sent.
async fn head_of_new_blob(target: &Target, size_bytes: usize) -> Result<Vec<Reply>> {
    let digest = target.push_blob(&Noise::bytes(size_bytes)?).await?;
    target.follow(Method::HEAD, &target.path(&format!("blobs/{digest}")), HeaderMap::new()).await
}

/// Says by which way this length came.
fn told_length(replies: Vec<Reply>, size_bytes: u64) -> Result<Finding> {
    let way = way(&replies);
    let reply = last(replies)?.expect(200).with_context(|| way.clone())?;
    let told = reply.length_bytes();
    ensure!(told == Some(size_bytes), "{way}: the blob has {size_bytes} bytes, HEAD says {told:?}");
    Ok(Finding::Holds(format!("{way}, Content-Length: {size_bytes}")))
}

async fn get_brings_bytes(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(300_000)?;
    let digest = target.push_blob(&bytes).await?;
    let path = target.path(&format!("blobs/{digest}"));
    let replies = target.follow(Method::GET, &path, HeaderMap::new()).await?;
    let way = way(&replies);
    let reply = last(replies)?.expect(200).with_context(|| way.clone())?;
    ensure!(reply.body == bytes, "{way}: {} bytes are not the {} pushed", reply.body.len(), bytes.len());
    Ok(Finding::Holds(format!("{way}: {} bytes, the same", bytes.len())))
}

async fn range_brings_part(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(2000)?;
    let digest = target.push_blob(&bytes).await?;
    let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("bytes=500-1499"))]);
    let path = target.path(&format!("blobs/{digest}"));
    let reply = last(target.follow(Method::GET, &path, headers).await?)?.expect(206)?;
    ensure!(reply.body == bytes.slice(500..1500), "the part has other bytes");
    Ok(Finding::Holds("206, 1000 bytes from byte 500 on".to_owned()))
}

async fn push_ends_absence(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(1700)?;
    let path = target.path(&format!("blobs/{}", digest_of(&bytes)));
    target.send(target.ask(Method::HEAD, &path)?).await?.expect(404)?;
    let begin = Instant::now();
    target.push_blob(&bytes).await?;
    let reply = last(target.follow(Method::HEAD, &path, HeaderMap::new()).await?)?;
    let elapsed = begin.elapsed();
    if elapsed > ERROR_MEMORY {
        let reason = format!("the push took {} s, so a cache may have forgotten", elapsed.as_secs());
        return Ok(Finding::NotChecked(reason));
    }
    reply.expect(200)?;
    Ok(Finding::Holds(format!("404, push, 200 within {} ms", elapsed.as_millis())))
}

/// Says by which way the answer came. A signed query stays out.
fn way(replies: &[Reply]) -> String {
    let hops = replies.iter().map(|reply| match reply.location() {
        Ok(location) if reply.is_redirect() => {
            format!("{} with a Location of {} characters", reply.status, location.len())
        }
        _ => reply.status.to_string(),
    });
    hops.collect::<Vec<_>>().join(", then ")
}

fn last(replies: Vec<Reply>) -> Result<Reply> {
    replies.into_iter().next_back().context("no answer")
}
