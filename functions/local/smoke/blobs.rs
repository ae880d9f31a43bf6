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
        advice: "clients push what is there already, or fail: the function has to answer a HEAD with Content-Length",
        run: |target| Box::pin(head_tells_length(target)),
    },
    Case {
        name: "a HEAD of a blob is not redirected",
        essential: false,
        advice: "a URL that is signed for GET refuses a HEAD, so that clients think the blob is missing",
        run: |target| Box::pin(head_is_not_redirected(target)),
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
    let digest = target.push_blob(&Noise::bytes(1500)?).await?;
    let path = target.path(&format!("blobs/{digest}"));
    let reply = last(target.follow(Method::HEAD, &path, HeaderMap::new()).await?)?.expect(200)?;
    let told = reply.length_bytes();
    ensure!(told == Some(1500), "the blob has 1500 bytes, HEAD says {told:?}");
    Ok(Finding::Holds("200, Content-Length: 1500".to_owned()))
}

async fn head_is_not_redirected(target: &Target) -> Result<Finding> {
    let digest = target.push_blob(&Noise::bytes(1600)?).await?;
    let path = target.path(&format!("blobs/{digest}"));
    target.send(target.ask(Method::HEAD, &path)?).await?.expect(200)?;
    Ok(Finding::Holds("200 from the registry itself".to_owned()))
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

/// Says by which way the bytes came. A signed query stays out.
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
