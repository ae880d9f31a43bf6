//! URLs that are spelled in other ways than most clients do.

use anyhow::{Result, ensure};
use http::Method;

use super::ask::Ask;
use super::check::{Case, Finding};
use super::content::digest_of;
use super::payload::{Noise, Payload};
use super::target::Target;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "a percent-encoded digest in a query is understood",
        essential: true,
        advice: "most clients write the colon as %3A and cannot push: somebody on the way encodes the query twice",
        run: |target| Box::pin(encoded_digest_is_understood(target)),
    },
    Case {
        name: "a percent-encoded path is understood or refused in words",
        essential: false,
        advice: "no known client does this; the answer should still be an error of the specification",
        run: |target| Box::pin(encoded_path_is_answered(target)),
    },
    Case {
        name: "a plus sign in a query is understood or refused in words",
        essential: false,
        advice: "no known client does this; the answer should still be an error of the specification",
        run: |target| Box::pin(plus_is_answered(target)),
    },
];

async fn encoded_digest_is_understood(target: &Target) -> Result<Finding> {
    let bytes = Noise::bytes(1000)?;
    let location = target.patch(&target.begin().await?, Payload::Whole(bytes.clone())).await?;
    let url = location.with_parameter(&format!("digest=sha256%3A{}", digest_of(&bytes).hex()))?;
    target.send(Ask::new(Method::PUT, url)).await?.expect(201)?;
    Ok(Finding::Holds("201 for sha256%3A…".to_owned()))
}

async fn encoded_path_is_answered(target: &Target) -> Result<Finding> {
    let name = target.repository.as_str();
    let first_letter = format!("%{:02x}{}", name.as_bytes()[0], &name[1..]);
    let slashes = name.replace('/', "%2F");
    answers(target, &[format!("/v2/{first_letter}/tags/list"), format!("/v2/{slashes}/tags/list")]).await
}

async fn plus_is_answered(target: &Target) -> Result<Finding> {
    let list = target.path("tags/list");
    answers(target, &[format!("{list}?n=1&last=a+b"), format!("{list}?n=1&last=a%2Bb")]).await
}

async fn answers(target: &Target, paths: &[String]) -> Result<Finding> {
    let mut facts = Vec::new();
    for path in paths {
        let reply = target.send(target.ask(Method::GET, path)?).await?;
        ensure!(reply.is_understood(), "{}", reply.fact());
        facts.push(format!("{path}: {} {}", reply.status, reply.error_code().unwrap_or_default()));
    }
    Ok(Finding::Holds(facts.iter().map(|fact| fact.trim()).collect::<Vec<_>>().join(", ")))
}
