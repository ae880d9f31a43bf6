//! `/accounts/{account}/tokens`: personal access tokens, robots, and logins.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use axum::Json;
use http::{StatusCode, header};
use registry::access::{
    Access, AccountName, Credential, Limits, Permission, RobotName, TokenState, TokenWanted,
};
use registry::records::{TokenKind, TokenRecord};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Id, Input, Object, Time};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::{PREFIX, words};

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(token_list, token_create)).routes(routes!(token_revoke))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct AccountPath {
    /// The user or organisation.
    #[param(value_type = words::Name, inline)]
    pub(crate) account: AccountName,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct TokenPath {
    /// The user or organisation.
    #[param(value_type = words::Name, inline)]
    account: AccountName,
    /// The token.
    #[param(value_type = words::Id, inline)]
    id: Id,
}

/// A part of what a credential may do: these permissions in the repositories with such a name.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scope {
    /// A repository's name; `*` stands for any characters, `?` for one.
    #[schema(min_length = 1, max_length = 255)]
    repositories: String,
    #[schema(value_type = BTreeSet<words::Permission>, min_items = 1)]
    permissions: BTreeSet<Permission>,
}

pub(crate) fn registry_scopes(scopes: Vec<Object<Scope>>) -> Vec<registry::access::Scope> {
    let scope =
        |Object(Scope { repositories, permissions })| registry::access::Scope { repositories, permissions };
    scopes.into_iter().map(scope).collect()
}

impl From<registry::access::Scope> for Scope {
    fn from(scope: registry::access::Scope) -> Self {
        Self { repositories: scope.repositories, permissions: scope.permissions }
    }
}

/// What a stored credential is.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TokenKind)]
enum Kind {
    /// A user's own token.
    Personal,
    /// A robot's token.
    Robot,
    /// What a client keeps of a login instead of the password.
    Login,
}

/// A stored credential, without its secret.
#[derive(Serialize, ToSchema)]
struct Token {
    id: String,
    kind: Kind,
    /// The robot that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Name, required = false)]
    robot: Option<RobotName>,
    /// What it is for.
    label: String,
    /// How far it reaches; as far as its owner if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scopes: Option<Vec<Scope>>,
    #[schema(value_type = words::Time)]
    created: Time,
    created_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Time, required = false)]
    expires: Option<Time>,
    /// When it was used last, to the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Time, required = false)]
    last_used: Option<Time>,
    /// Whether it can be used.
    #[schema(value_type = words::TokenState)]
    state: TokenState,
}

impl From<registry::access::Token> for Token {
    fn from(registry::access::Token { id, record, state }: registry::access::Token) -> Self {
        let TokenRecord { kind, label, limits, created, created_by, expires, last_used, .. } = record;
        let (kind, robot) = match kind {
            TokenKind::Personal => (Kind::Personal, None),
            TokenKind::Robot(robot) => (Kind::Robot, Some(robot)),
            TokenKind::Refresh { robot, .. } => (Kind::Login, robot),
        };
        let scopes = match limits {
            Limits::None => None,
            Limits::Scopes(scopes) => Some(scopes.into_iter().map(Scope::from).collect()),
        };
        let (expires, last_used) = (expires.map(Time::from), last_used.map(Time::from));
        let created = created.into();
        Self { id, kind, robot, label, scopes, created, created_by, expires, last_used, state }
    }
}

/// A token that was just made.
#[derive(Serialize, ToSchema)]
struct TokenMade {
    /// The secret: what is shown as password. It is shown here, once, and stored nowhere.
    #[serde(serialize_with = "reveal")]
    #[schema(value_type = String)]
    token: Credential,
    #[serde(flatten)]
    about: Token,
}

fn reveal<S: serde::Serializer>(credential: &Credential, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(credential.reveal())
}

/// A token to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TokenNew {
    /// What it is for.
    #[serde(default)]
    #[schema(value_type = words::Label)]
    label: String,
    /// The robot that it is for, `<account>+<robot>` as a user name; without one it is the caller's own.
    #[schema(value_type = Option<words::Name>)]
    robot: Option<RobotName>,
    /// How far it reaches. A robot has to have some; one's own token without any reaches as far as oneself.
    #[schema(value_type = Option<Vec<Scope>>, min_items = 1, max_items = 50)]
    scopes: Option<Vec<Object<Scope>>>,
    /// How long it lives; 90 if nothing is said.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 365)]
    expires_in_days: Option<NonZeroU32>,
}

impl From<TokenNew> for TokenWanted {
    fn from(TokenNew { label, robot, scopes, expires_in_days }: TokenNew) -> Self {
        let limits = match scopes {
            None => Limits::None,
            Some(scopes) => Limits::Scopes(registry_scopes(scopes)),
        };
        let life = expires_in_days.map(|days| Duration::from_secs(u64::from(days.get()) * 24 * 60 * 60));
        Self { robot, label, limits, life }
    }
}

/// Lists the account's tokens and logins: to the user, to owners of the organisation, and to administrators.
#[utoipa::path(get, path = "/accounts/{account}/tokens", tag = "credentials", params(AccountPath, Paging),
    responses((status = OK, description = "A page of tokens.", body = Page<Token>)))]
async fn token_list(
    Asking { access, caller }: Asking,
    At(AccountPath { account }): At<AccountPath>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<Token>>, Problem> {
    let (tokens, next) =
        access.token_page(&caller, &account, paging.after.as_deref(), paging.limit.0).await?;
    Ok(Json(Page::new(tokens.into_iter().map(Token::from).collect(), next, |token: &Token| token.id.clone())))
}

/// Makes a personal token, for its owner alone, or a robot's, for those who manage the account.
#[utoipa::path(post, path = "/accounts/{account}/tokens", tag = "credentials", params(AccountPath),
    request_body = TokenNew,
    responses(
        (status = CREATED, description = "The token, with its secret.", body = TokenMade),
        (status = CONFLICT, description = "The account has as many tokens as one may.")))]
async fn token_create(
    Asking { access, caller }: Asking,
    At(AccountPath { account }): At<AccountPath>,
    Input(new): Input<TokenNew>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<TokenMade>), Problem> {
    let (token, credential) = access.token_create(&caller, &account, new.into()).await?;
    let location = format!("{PREFIX}/accounts/{account}/tokens/{}", token.id);
    let made = TokenMade { token: credential, about: token.into() };
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(made)))
}

/// Revokes a token or login. In seconds nothing can be written with what it was exchanged for either.
#[utoipa::path(delete, path = "/accounts/{account}/tokens/{id}", tag = "credentials", params(TokenPath),
    responses((status = NO_CONTENT, description = "It is done.")))]
async fn token_revoke(
    Asking { access, caller }: Asking,
    At(TokenPath { account, id }): At<TokenPath>,
) -> Result<StatusCode, Problem> {
    access.token_revoke(&caller, &account, id.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}
