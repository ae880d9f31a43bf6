//! A registry that is somewhere else: it is asked with the credentials that docker keeps for it.

mod order;

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use registry::access::Secret;
use secrecy::ExposeSecret;
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};

use crate::challenge::Challenge;
use crate::client::Client;
use crate::client::ask::Ask;
use crate::client::endpoint::is_on_this_machine;
use crate::client::payload::Payload;
use crate::connection::refusal;
use crate::credentials::{Credential, Credentials};

/// Whom the registry's log of logins names as the program.
const CLIENT_ID: &str = "slipway";

/// A registry at an address, and as whom it is asked.
pub(crate) struct Remote {
    client: Client,
    address: Uri,
    credential: Option<Credential>,
    /// What the management is asked with in place of an identity token, once that was fetched.
    bearer: OnceCell<Option<HeaderValue>>,
    /// What content was asked with, by what it was asked for.
    bearers: Mutex<HashMap<String, HeaderValue>>,
}

/// What a token server answers.
#[derive(Deserialize)]
struct Tokens {
    token: Option<String>,
    access_token: Option<String>,
    refresh_token: Option<String>,
}

impl Remote {
    /// Goes to an address with the credentials that are kept for it, if there are any.
    pub(crate) fn new(address: Uri) -> Result<Self> {
        let credential = Credentials::of_user()?.get(&key_of(&address)?)?;
        Self::with(address, credential)
    }

    /// Goes to an address as somebody who is still to log in.
    pub(crate) fn new_unknown(address: Uri) -> Result<Self> {
        Self::with(address, None)
    }

    fn with(address: Uri, credential: Option<Credential>) -> Result<Self> {
        if address.scheme_str() == Some("http") && !is_on_this_machine(&address) {
            tracing::warn!(%address, "without TLS: others on the way can read passwords, and change answers");
        }
        let client = Client::new()?;
        Ok(Self { client, address, credential, bearer: OnceCell::new(), bearers: Mutex::default() })
    }

    /// Says what somebody can do whom the registry does not let in.
    pub(crate) fn advice(&self) -> String {
        let host = self.address.authority().map(ToString::to_string).unwrap_or_default();
        match self.credential {
            None => format!("`slipway login {host}` comes first"),
            Some(_) => format!("`slipway login {host}` replaces the credentials"),
        }
    }

    /// Returns the advice for somebody who gets this answer; none if another login would not help.
    pub(crate) fn advice_after(&self, response: &Response<Bytes>) -> Option<String> {
        let is_known = Challenge::of(response.headers())
            .is_some_and(|challenge| challenge.error.as_deref() == Some("insufficient_scope"));
        let is_unauthorized = response.status() == StatusCode::UNAUTHORIZED;
        (is_unauthorized && !(is_known && self.credential.is_some())).then(|| self.advice())
    }

    /// Sends a request whose address is a path, as the user.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        match &self.credential {
            None => self.send_with(&request, None).await,
            Some(Credential::Password { user, secret }) => {
                self.send_with(&request, Some(basic(user, secret)?)).await
            }
            Some(Credential::Identity { token, .. }) => self.send_with_access_token(&request, token).await,
        }
    }

    /// The management takes a token that is for no repository, one for all requests; content takes one for each.
    async fn send_with_access_token(
        &self,
        request: &Request<Bytes>,
        identity: &Secret,
    ) -> Result<Response<Bytes>> {
        if !request.uri().path().starts_with("/v2/") {
            let bearer = self.bearer.get_or_try_init(|| self.management_bearer(identity)).await?;
            return self.send_with(request, bearer.clone()).await;
        }
        let first = self.send_with(request, None).await?;
        match self.bearer_after(&first, identity).await? {
            Some(bearer) => self.send_with(request, Some(bearer)).await,
            None => Ok(first),
        }
    }

    async fn management_bearer(&self, identity: &Secret) -> Result<Option<HeaderValue>> {
        let ping = Request::get("/v2/").body(Bytes::new())?;
        self.bearer_after(&self.send_with(&ping, None).await?, identity).await
    }

    /// Fetches the token that an answer asks for, if it asks for one.
    async fn bearer_after<B>(
        &self,
        response: &Response<B>,
        identity: &Secret,
    ) -> Result<Option<HeaderValue>> {
        self.bearer_for(response, None, identity).await
    }

    /// The same for one more scope than the answer asks for.
    async fn bearer_for<B>(
        &self,
        response: &Response<B>,
        scope: Option<String>,
        identity: &Secret,
    ) -> Result<Option<HeaderValue>> {
        match Challenge::of(response.headers()) {
            Some(mut challenge) if response.status() == StatusCode::UNAUTHORIZED => {
                let scopes: Vec<String> = challenge.scope.into_iter().chain(scope).collect();
                challenge.scope = (!scopes.is_empty()).then(|| scopes.join(" "));
                let token = self.access_token(&challenge, identity).await?;
                Ok(Some(secret_header(&format!("Bearer {}", token.expose_secret()))?))
            }
            _ => Ok(None),
        }
    }

    async fn access_token(&self, challenge: &Challenge, identity: &Secret) -> Result<Secret> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token").append_pair("service", &challenge.service);
        form.append_pair("client_id", CLIENT_ID).append_pair("refresh_token", identity.expose_secret());
        if let Some(scope) = &challenge.scope {
            form.append_pair("scope", scope);
        }
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        let ask =
            Ask::new(Method::POST, self.token_server(challenge)?).header(header::CONTENT_TYPE, form_type);
        let tokens = self.tokens(ask.payload(Payload::Whole(form.finish().into()))).await?;
        let token = tokens.access_token.or(tokens.token).context("the token server gave no token")?;
        Ok(token.into())
    }

    /// Logs in. Returns what is to be kept, which is not the password where the registry gives a token for it.
    ///
    /// `None` if the registry knows no users.
    pub(crate) async fn login(&self, user: &str, password: &Secret) -> Result<Option<Credential>> {
        let ping = Request::get("/v2/").body(Bytes::new())?;
        let unknown = self.send_with(&ping, None).await?;
        if unknown.status() == StatusCode::OK {
            return Ok(None);
        }
        ensure!(unknown.status() == StatusCode::UNAUTHORIZED, "{} is no registry", self.address);
        let kept = Credential::Password { user: user.to_owned(), secret: password.clone() };
        let Some(challenge) = Challenge::of(unknown.headers()) else {
            let known = self.send_with(&ping, Some(basic(user, password)?)).await?;
            ensure!(known.status() == StatusCode::OK, "{}", refusal(&known));
            return Ok(Some(kept));
        };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("account", user).append_pair("client_id", CLIENT_ID);
        query.append_pair("offline_token", "true").append_pair("service", &challenge.service);
        let url = format!("{}?{}", self.token_server(&challenge)?, query.finish());
        let ask = Ask::new(Method::GET, url.parse()?).header(header::AUTHORIZATION, basic(user, password)?);
        Ok(Some(match self.tokens(ask).await?.refresh_token {
            Some(token) => Credential::Identity { user: user.to_owned(), token: token.into() },
            None => kept,
        }))
    }

    async fn tokens(&self, ask: Ask) -> Result<Tokens> {
        let response = self.answer(ask).await?;
        match response.status() {
            StatusCode::OK => serde_json::from_slice(response.body()).context("the token server's answer"),
            // Without credentials this is a login: no other one would come first.
            StatusCode::UNAUTHORIZED if self.credential.is_some() => {
                bail!("{}: {}", refusal(&response), self.advice())
            }
            _ => bail!("{}", refusal(&response)),
        }
    }

    /// Whoever can write a challenge must not get a secret in clear that was meant for TLS.
    fn token_server(&self, challenge: &Challenge) -> Result<Uri> {
        let url: Uri = challenge.realm.parse().with_context(|| format!("the realm {:?}", challenge.realm))?;
        let is_here = url.scheme() == self.address.scheme() && url.authority() == self.address.authority();
        ensure!(is_here || url.scheme_str() == Some("https"), "{url} gets no credentials: it is without TLS");
        ensure!(url.query().is_none(), "the realm {url} has a query");
        Ok(url)
    }

    async fn send_with(
        &self,
        request: &Request<Bytes>,
        authorization: Option<HeaderValue>,
    ) -> Result<Response<Bytes>> {
        let url = Uri::builder()
            .scheme(self.address.scheme_str().unwrap_or_default())
            .authority(self.address.authority().context("an address without a host")?.as_str())
            .path_and_query(request.uri().path_and_query().map_or("/", |path| path.as_str()))
            .build()?;
        let mut ask = Ask::new(request.method().clone(), url);
        ask.headers = request.headers().clone();
        ask.headers.extend(authorization.map(|value| (header::AUTHORIZATION, value)));
        if !request.body().is_empty() {
            ask = ask.payload(Payload::Whole(request.body().clone()));
        }
        self.answer(ask).await
    }

    async fn answer(&self, ask: Ask) -> Result<Response<Bytes>> {
        let reply = self.client.send(ask).await?;
        let mut response = Response::new(reply.body);
        *response.status_mut() = StatusCode::from_u16(reply.status)?;
        *response.headers_mut() = reply.headers;
        Ok(response)
    }
}

/// Returns how docker calls the registry at an address: its host, with the port if one is written.
pub(crate) fn key_of(address: &Uri) -> Result<String> {
    Ok(address.authority().context("an address without a host")?.to_string())
}

fn basic(user: &str, secret: &Secret) -> Result<HeaderValue> {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{}", secret.expose_secret()));
    secret_header(&format!("Basic {encoded}"))
}

fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).context("the credentials cannot be sent")?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token_server(address: &'static str, realm: &str) -> Result<Uri> {
        let remote = Remote::with(Uri::from_static(address), None)?;
        remote.token_server(&Challenge {
            realm: realm.to_owned(),
            service: String::new(),
            scope: None,
            error: None,
        })
    }

    #[test]
    fn credentials_go_to_the_registry_itself_or_by_tls() {
        assert!(token_server("https://r.example", "https://r.example/token").is_ok());
        assert!(token_server("https://r.example", "https://auth.example/token").is_ok());
        assert!(token_server("http://127.0.0.1:5000", "http://127.0.0.1:5000/token").is_ok());
        for realm in
            ["http://r.example/token", "http://auth.example/token", "/token", "ftp://r.example/token"]
        {
            assert!(token_server("https://r.example", realm).is_err(), "{realm}");
        }
        assert!(token_server("http://127.0.0.1:5000", "http://127.0.0.1:5001/token").is_err());
    }
}
