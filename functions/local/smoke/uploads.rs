//! Upload sessions: where they are, where they stand, how they end.

use anyhow::{Result, ensure};
use http::{HeaderValue, Method, header};

use super::ask::Ask;
use super::check::{Case, Finding};
use super::content::digest_of;
use super::payload::{Noise, Payload};
use super::target::{Target, octets};

/// A token with a few scopes, or a password that AWS signed.
const TOKEN_BYTES: usize = 1536;

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "the Location of a POST leads back to the registry",
        essential: true,
        advice: "no client can push: the Location has to be a path, or a URL whose host reaches the registry; look \
                 at DomainName",
        run: |target| Box::pin(location_leads_back(target)),
    },
    Case {
        name: "the Location and a token fit into one request",
        essential: true,
        advice: "API Gateway takes 10,240 bytes of request line and headers, CloudFront a URL of 8,192 bytes: \
                 shorten the session of the signing role, or deploy with Uploads=capability",
        run: |target| Box::pin(location_and_token_fit(target)),
    },
    Case {
        name: "an upload tells how far it is",
        essential: false,
        advice: "interrupted pushes start again from nothing",
        run: |target| Box::pin(upload_tells_offset(target)),
    },
    Case {
        name: "an upload can be cancelled",
        essential: false,
        advice: "failed pushes leave uploads behind until they expire",
        run: |target| Box::pin(upload_is_cancelled(target)),
    },
    Case {
        name: "a wrong digest is refused",
        essential: true,
        advice: "do not use this registry: what it serves is not what was pushed",
        run: |target| Box::pin(wrong_digest_is_refused(target)),
    },
    Case {
        name: "Expect: 100-continue does not stop an upload",
        essential: false,
        advice: "tell users of such clients (curl) to send an empty Expect header",
        run: |target| Box::pin(expectation_is_met(target)),
    },
];

async fn location_leads_back(target: &Target) -> Result<Finding> {
    let location = target.begin().await?;
    target.send(Ask::new(Method::GET, location.url.clone())).await?.expect(204)?;
    let kind = if location.is_absolute() {
        format!("absolute, on {}", location.url.host().unwrap_or_default())
    } else {
        "relative".to_owned()
    };
    Ok(Finding::Holds(format!("{kind}, {} characters, {}", location.text.len(), location.lane())))
}

async fn location_and_token_fit(target: &Target) -> Result<Finding> {
    let location = target.begin().await?;
    let token = HeaderValue::from_str(&format!("Bearer {}", "x".repeat(TOKEN_BYTES)))?;
    let ask = Ask::new(Method::GET, location.url.clone()).header(header::AUTHORIZATION, token);
    let head_bytes = ask.head_bytes();
    let reply = target.send(ask).await?;
    let is_refused = matches!(reply.status, 401 | 403) && reply.error_code().is_some();
    ensure!(reply.status == 204 || is_refused, "with {head_bytes} bytes {}", reply.fact());
    Ok(Finding::Holds(format!("request line and headers have {head_bytes} bytes")))
}

async fn upload_tells_offset(target: &Target) -> Result<Finding> {
    let payload = Payload::Whole(Noise::bytes(1000)?);
    let location = target.patch(&target.begin().await?, payload).await?;
    let reply = target.send(Ask::new(Method::GET, location.url.clone())).await?.expect(204)?;
    let range = reply.header("range").unwrap_or("nothing");
    ensure!(range == "0-999", "1000 bytes were sent, and Range says {range}");
    Ok(Finding::Holds("204, Range: 0-999 after 1000 bytes".to_owned()))
}

async fn upload_is_cancelled(target: &Target) -> Result<Finding> {
    let location = target.begin().await?;
    target.send(Ask::new(Method::DELETE, location.url.clone())).await?.expect(204)?;
    target.send(Ask::new(Method::GET, location.url.clone())).await?.expect(404)?;
    Ok(Finding::Holds("204, then the upload is unknown".to_owned()))
}

async fn wrong_digest_is_refused(target: &Target) -> Result<Finding> {
    let payload = Payload::Whole(Noise::bytes(1000)?);
    let location = target.patch(&target.begin().await?, payload).await?;
    let reply = target.commit(&location, &digest_of(b"something else")).await?.expect(400)?;
    Ok(Finding::Holds(format!("400 {}", reply.error_code().unwrap_or_default())))
}

async fn expectation_is_met(target: &Target) -> Result<Finding> {
    let location = target.begin().await?;
    let ask = octets(Ask::new(Method::PATCH, location.url.clone()));
    let ask = ask.header(header::EXPECT, HeaderValue::from_static("100-continue"));
    let ask = ask.payload(Payload::WhenInvited(Noise::bytes(1000)?));
    let reply = target.send(ask).await?.expect(202)?;
    let begin =
        if reply.is_invited { "100 came first" } else { "no 100 came, the bytes went after a second" };
    Ok(Finding::Holds(format!("{begin}; then 202")))
}
