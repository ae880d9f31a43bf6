//! `/accounts/{account}/trusts`: OIDC issuers whose word lets somebody act as a robot.

use std::collections::BTreeMap;

use axum::Json;
use http::{StatusCode, header};
use registry::access::{Access, AccountName, RobotName, TrustWanted};
use registry::records::TrustRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Id, Input, Object, Time};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::tokens::{AccountPath, Scope, registry_scopes};
use crate::{PREFIX, words};

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(trust_list, trust_create)).routes(routes!(trust_delete))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct TrustPath {
    /// The user or organisation.
    #[param(value_type = words::Name, inline)]
    account: AccountName,
    /// The rule.
    #[param(value_type = words::Id, inline)]
    id: Id,
}

/// A rule to be made: whom the issuer vouches for in this way may act as the robot.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TrustNew {
    /// The issuer, exactly as in `iss`: an `https://` address.
    #[schema(value_type = words::Issuer)]
    issuer: String,
    /// What has to be in `aud`.
    #[schema(min_length = 1, max_length = 256)]
    audience: String,
    /// What other claims have to be, at least one; `*` and `?` as in patterns.
    claims: BTreeMap<String, String>,
    #[schema(value_type = words::Name)]
    robot: RobotName,
    /// What the robot may do, in the namespace of the account.
    #[schema(value_type = Vec<Scope>, min_items = 1, max_items = 50)]
    scopes: Vec<Object<Scope>>,
}

/// A rule.
#[derive(Serialize, ToSchema)]
struct Trust {
    id: String,
    issuer: String,
    audience: String,
    claims: BTreeMap<String, String>,
    #[schema(value_type = words::Name)]
    robot: RobotName,
    scopes: Vec<Scope>,
    #[schema(value_type = words::Time)]
    created: Time,
    created_by: String,
}

impl From<registry::access::Trust> for Trust {
    fn from(registry::access::Trust { id, record }: registry::access::Trust) -> Self {
        let TrustRecord { issuer, audience, claims, owner: _, robot, scopes, created, created_by } = record;
        let scopes = scopes.into_iter().map(Scope::from).collect();
        Self { id, issuer, audience, claims, robot, scopes, created: created.into(), created_by }
    }
}

/// Lists the rules about the account's robots, to those who manage the account.
#[utoipa::path(get, path = "/accounts/{account}/trusts", tag = "credentials", params(AccountPath, Paging),
    responses((status = OK, description = "A page of rules.", body = Page<Trust>)))]
async fn trust_list(
    Asking { access, caller }: Asking,
    At(AccountPath { account }): At<AccountPath>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<Trust>>, Problem> {
    let trusts = access.trust_list(&caller, &account).await?.into_iter().map(Trust::from).collect();
    Ok(Json(Page::of(trusts, &paging, |trust: &Trust| trust.id.clone())))
}

/// Makes a rule, for administrators: it lets others in.
#[utoipa::path(post, path = "/accounts/{account}/trusts", tag = "credentials", params(AccountPath),
    request_body = TrustNew, responses((status = CREATED, description = "The rule.", body = Trust)))]
async fn trust_create(
    Asking { access, caller }: Asking,
    At(AccountPath { account }): At<AccountPath>,
    Input(new): Input<TrustNew>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<Trust>), Problem> {
    let TrustNew { issuer, audience, claims, robot, scopes } = new;
    let wanted = TrustWanted {
        issuer,
        audience,
        claims,
        owner: account.clone(),
        robot,
        scopes: registry_scopes(scopes),
    };
    let trust = Trust::from(access.trust_create(&caller, wanted).await?);
    let location = format!("{PREFIX}/accounts/{account}/trusts/{}", trust.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(trust)))
}

/// Deletes a rule, for administrators.
///
/// What it let in makes no new access token, and changes nothing any more within seconds. What it has, it can pull with until
/// its access token ends: five minutes at most.
#[utoipa::path(delete, path = "/accounts/{account}/trusts/{id}", tag = "credentials", params(TrustPath),
    responses((status = NO_CONTENT, description = "It is done.")))]
async fn trust_delete(
    Asking { access, caller }: Asking,
    At(TrustPath { account, id }): At<TrustPath>,
) -> Result<StatusCode, Problem> {
    access.trust_delete(&caller, &account, id.as_str()).await?;
    Ok(StatusCode::NO_CONTENT)
}
