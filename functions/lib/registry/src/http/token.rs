//! `/token`: the token protocol of Docker, by GET and by a form.
//!
//! See <https://distribution.github.io/distribution/spec/auth/token/> and `/oauth/`. Docker, skopeo and oras ask by
//! GET; containerd and whoever kept a refresh token ask by POST.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http::request::Parts;
use http::{Method, Response, header};
use oci::ErrorCode;
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::timeout;

use super::authorization;
use super::error::HttpError;
use super::paging;
use super::request::byte_stream;
use super::respond::{Body, text_header};
use crate::access::{Access, AccessError, Address, Caller, Credential, Denied, Gate, ScopeWanted, Shown};
use crate::records::AuditOutcome;

/// Where tokens are made.
pub(crate) const PATH: &str = "/token";

/// A form with a hundred scopes fits.
const FORM_MAX_BYTES: usize = 64 * 1024;

/// How long a form may take.
const FORM_WITHIN: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Answer {
    token: String,
    access_token: String,
    expires_in: u64,
    issued_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// What is asked for.
struct Asked {
    scopes: Vec<ScopeWanted>,
    client: String,
    wants_refresh: bool,
}

/// The parameters of a query or form, each at most once, but for `scope`.
struct Form(Vec<(String, String)>);

/// Answers both ways of asking.
pub(crate) async fn answer(
    access: &Access,
    gate: &Gate,
    head: &Parts,
    address: &Address,
    body: Body,
) -> Result<Response<Body>, HttpError> {
    match head.method {
        Method::GET | Method::HEAD => {
            let form = Form::parse(head.uri.query().unwrap_or_default().as_bytes());
            let caller = gate.caller(&authorization::shown(&head.headers), address).await.map_err(refused)?;
            let asked = form.asked(form.get("offline_token")? == Some("true"))?;
            issue(access, &caller, &asked, None).await
        }
        Method::POST => {
            let late = |_| HttpError::new(ErrorCode::ParameterInvalid, "the form did not come in time");
            let form = Form::parse(&timeout(FORM_WITHIN, read_form(body)).await.map_err(late)??);
            let (caller, kept) = form_caller(access, gate, &form, address).await?;
            let asked = form.asked(form.get("access_type")? == Some("offline"))?;
            issue(access, &caller, &asked, kept).await
        }
        _ => {
            let message = format!("{} is not possible here, only GET, HEAD, POST", head.method);
            Err(HttpError::new(ErrorCode::Unsupported, message).with_header(header::ALLOW, "GET, HEAD, POST"))
        }
    }
}

/// Finds out who sends the form, and which refresh token goes on to be good.
async fn form_caller(
    access: &Access,
    gate: &Gate,
    form: &Form,
    address: &Address,
) -> Result<(Caller, Option<String>), HttpError> {
    let missing =
        |name: &str| HttpError::new(ErrorCode::ParameterInvalid, format!("the field {name} is missing"));
    match form.get("grant_type")? {
        Some("password") => {
            let user = form.get("username")?.ok_or_else(|| missing("username"))?.to_owned();
            let secret = form.get("password")?.ok_or_else(|| missing("password"))?;
            let shown = Shown::Basic(user, secret.into());
            Ok((gate.caller(&shown, address).await.map_err(refused)?, None))
        }
        Some("refresh_token") => {
            let text = form.get("refresh_token")?.ok_or_else(|| missing("refresh_token"))?;
            let credential: Credential =
                text.parse().map_err(|_| refused(AccessError::Unauthorized.into()))?;
            let caller = access.login_refresh(&credential, address).await;
            let caller = caller.map_err(|error| refused(error.into()))?;
            Ok((caller, Some(text.to_owned())))
        }
        _ => {
            let message = "the field grant_type has to be password or refresh_token";
            Err(HttpError::new(ErrorCode::ParameterInvalid, message))
        }
    }
}

async fn issue(
    access: &Access,
    caller: &Caller,
    asked: &Asked,
    kept: Option<String>,
) -> Result<Response<Body>, HttpError> {
    if caller.is_bearer() {
        return Err(AccessError::Forbidden("an access token makes no other tokens".to_owned()).into());
    }
    let grant = access.token_issue(caller, &asked.scopes).await?;
    let refresh = match kept {
        Some(kept) => Some(kept),
        None if asked.wants_refresh => {
            access.refresh_issue(caller, &asked.client).await?.map(|fresh| fresh.reveal().to_owned())
        }
        None => None,
    };
    if !caller.is_anonymous() {
        access.audit(caller, "login", &asked.client, AuditOutcome::Done, "").await;
    }
    let issued =
        OffsetDateTime::from_unix_timestamp(i64::try_from(grant.issued.as_secs()).unwrap_or_default());
    let answer = Answer {
        access_token: grant.token.clone(),
        token: grant.token,
        expires_in: grant.life.as_secs(),
        issued_at: issued.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default(),
        refresh_token: refresh,
    };
    let mut response = paging::json("application/json", &answer);
    response.headers_mut().insert(header::CACHE_CONTROL, text_header("no-store"));
    Ok(response)
}

impl Form {
    fn parse(bytes: &[u8]) -> Self {
        Self(
            form_urlencoded::parse(bytes)
                .map(|(key, value)| (key.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    fn get(&self, name: &str) -> Result<Option<&str>, HttpError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (_, Some(_)) => Err(HttpError::new(
                ErrorCode::ParameterInvalid,
                format!("the field {name} is given more than once"),
            )),
            (value, None) => Ok(value),
        }
    }

    /// What is no scope of ours is not granted, and nothing worse: clients ask for what other registries have.
    fn asked(&self, wants_refresh: bool) -> Result<Asked, HttpError> {
        let texts = self.0.iter().filter(|(key, _)| key == "scope").flat_map(|(_, value)| value.split(' '));
        let scopes = texts.filter_map(ScopeWanted::parse).collect();
        let client = self.get("client_id")?.unwrap_or_default();
        Ok(Asked {
            scopes,
            client: client.chars().filter(|c| !c.is_control()).take(64).collect(),
            wants_refresh,
        })
    }
}

fn refused(denied: Denied) -> HttpError {
    match denied {
        Denied::Unauthorized(_) => HttpError::from(AccessError::Unauthorized)
            .with_header(header::WWW_AUTHENTICATE, "Basic realm=\"slipway\", charset=\"UTF-8\""),
        Denied::Forbidden(why) => HttpError::new(ErrorCode::Denied, why),
        Denied::Access(error) => error.into(),
    }
}

async fn read_form(body: Body) -> Result<Bytes, HttpError> {
    let mut stream = byte_stream(body);
    let mut bytes = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let broken = |_| HttpError::new(ErrorCode::ParameterInvalid, "the form broke off");
        bytes.extend_from_slice(&piece.map_err(broken)?);
        if bytes.len() > FORM_MAX_BYTES {
            return Err(HttpError::new(ErrorCode::ManifestTooLarge, "the form is too large"));
        }
    }
    Ok(bytes.freeze())
}
