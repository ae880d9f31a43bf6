//! Logging in as clients do: where the challenge says, for a token that is good for minutes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderValue, Method, Uri, header};
use registry::access::Secret;
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::ask::Ask;
use super::reply::Reply;
use super::target::Target;
use crate::challenge::Challenge;

/// How long a token is good that does not say so, as the token protocol has it.
const LIFE_SECS_USUAL: u64 = 60;

/// Who logs in.
pub(crate) struct Login {
    user: String,
    password: Secret,
}

/// What goes with a request: a token, or nothing where nobody is asked for one.
#[derive(Clone)]
pub(crate) struct Pass {
    authorization: Option<HeaderValue>,
    renewed_from: Option<Instant>,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Login {
    pub(crate) fn new(user: String, password: Secret) -> Self {
        Self { user, password }
    }

    fn basic(&self) -> Result<HeaderValue> {
        let shown = BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password.expose_secret()));
        let mut value = HeaderValue::from_str(&format!("Basic {shown}"))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Pass {
    /// Fetches what a request to the repository needs.
    pub(crate) async fn fetch(target: &Target, login: &Login) -> Result<Self> {
        let ping = ping(target).await?;
        if ping.status != 401 {
            return Ok(Self { authorization: None, renewed_from: None });
        }
        let scope = scope(target.repository.as_str());
        let (token, life_secs) = token(target, Some(login), &challenge(&ping)?, &scope).await?;
        let renewed_from = Some(Instant::now() + Duration::from_secs(life_secs) / 2);
        Ok(Self { authorization: Some(bearer(&token)?), renewed_from })
    }

    /// Returns whether it is time for another.
    pub(crate) fn is_old(&self) -> bool {
        self.renewed_from.is_some_and(|time| Instant::now() >= time)
    }

    /// Lets the request pass.
    pub(crate) fn stamp(&self, ask: Ask) -> Ask {
        match &self.authorization {
            Some(authorization) => ask.header(header::AUTHORIZATION, authorization.clone()),
            None => ask,
        }
    }
}

/// Asks whether anybody has to log in, showing nothing.
pub(crate) async fn ping(target: &Target) -> Result<Reply> {
    target.send_anonymously(target.ask(Method::GET, "/v2/")?).await
}

/// Returns where a token has to be fetched, or an error that says what came instead.
pub(crate) fn challenge(reply: &Reply) -> Result<Challenge> {
    let text = reply.header("www-authenticate").context("the 401 has no challenge")?;
    Challenge::of(&reply.headers).with_context(|| format!("the challenge has no token server: {text}"))
}

/// Everything that a check does in the repository.
pub(crate) fn scope(repository: &str) -> String {
    format!("repository:{repository}:pull,push,delete")
}

/// Fetches a token; returns it and for how many seconds it is good.
pub(crate) async fn token(
    target: &Target,
    login: Option<&Login>,
    challenge: &Challenge,
    scope: &str,
) -> Result<(String, u64)> {
    let realm: Uri = challenge.realm.parse().with_context(|| format!("realm {:?}", challenge.realm))?;
    let is_overheard = target.base.scheme_str() == Some("https") && realm.scheme_str() != Some("https");
    ensure!(!is_overheard || login.is_none(), "the password would go to {realm} unencrypted");
    let separator = if realm.query().is_some() { '&' } else { '?' };
    let service = &challenge.service;
    let url = format!("{realm}{separator}service={service}&scope={scope}&client_id=slipway-smoke");
    let mut ask = Ask::new(Method::GET, url.parse().context("realm and service make no URL")?);
    if let Some(login) = login {
        ask = ask.header(header::AUTHORIZATION, login.basic()?);
    }
    let reply = target.send_anonymously(ask).await?.expect(200)?;
    let answer: Answer = serde_json::from_slice(&reply.body).context("the token server's answer")?;
    match answer.token.or(answer.access_token).filter(|token| !token.is_empty()) {
        Some(token) => Ok((token, answer.expires_in.unwrap_or(LIFE_SECS_USUAL))),
        None => bail!("{} without a token", reply.fact()),
    }
}

/// Returns the header's value that shows the token.
pub(crate) fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(value)
}
