//! `/organisations`: namespaces that several users share.

use axum::Json;
use http::{StatusCode, header};
use registry::access::{Access, AccessError, Account, AccountName};
use registry::records::{OrganisationRecord, Visibility};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Input, Time};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::users::accounts;
use crate::{PREFIX, words};

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(organisation_list, organisation_create)).routes(routes!(
        organisation_get,
        organisation_change,
        organisation_delete
    ))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct OrganisationPath {
    /// The organisation.
    #[param(value_type = words::Name, inline)]
    pub(crate) organisation: AccountName,
}

/// An organisation.
#[derive(Serialize, ToSchema)]
struct Organisation {
    #[schema(value_type = words::Name)]
    name: AccountName,
    /// What new repositories of its namespace are.
    #[schema(value_type = words::Visibility)]
    default_visibility: Visibility,
    #[schema(value_type = words::Time)]
    created: Time,
}

impl Organisation {
    fn of(name: AccountName, record: &OrganisationRecord) -> Self {
        Self { name, default_visibility: record.default_visibility, created: record.created.into() }
    }
}

/// An organisation to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganisationNew {
    #[schema(value_type = words::Name)]
    name: AccountName,
}

/// What shall be different about an organisation; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OrganisationPatch {
    #[schema(value_type = Option<words::Visibility>)]
    default_visibility: Option<Visibility>,
}

/// Lists the organisations, for administrators.
#[utoipa::path(get, path = "/organisations", tag = "organisations", params(Paging),
    responses((status = OK, description = "A page of organisations.", body = Page<Organisation>)))]
async fn organisation_list(
    asking: Asking,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<Organisation>>, Problem> {
    let page = accounts(&asking, &paging, |name, account| match account {
        Account::Organisation(record) => Some(Organisation::of(name, &record)),
        Account::User(_) => None,
    });
    Ok(Json(page.await?))
}

/// Makes an organisation; the user who does is its first owner.
#[utoipa::path(post, path = "/organisations", tag = "organisations", request_body = OrganisationNew, responses(
    (status = CREATED, description = "The organisation.", body = Organisation),
    (status = CONFLICT, description = "The name is taken, or was once.")))]
async fn organisation_create(
    Asking { access, caller }: Asking,
    Input(new): Input<OrganisationNew>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<Organisation>), Problem> {
    access.organisation_create(&caller, &new.name).await?;
    let location = format!("{PREFIX}/organisations/{}", new.name);
    let (name, record) = organisation_of(&Asking { access, caller }, new.name).await?;
    let organisation = Organisation::of(name, &record);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(organisation)))
}

/// Describes an organisation, to its members and to administrators.
#[utoipa::path(get, path = "/organisations/{organisation}", tag = "organisations", params(OrganisationPath),
    responses((status = OK, description = "The organisation.", body = Organisation)))]
async fn organisation_get(
    asking: Asking,
    At(OrganisationPath { organisation }): At<OrganisationPath>,
) -> Result<Json<Organisation>, Problem> {
    let (name, record) = organisation_of(&asking, organisation).await?;
    Ok(Json(Organisation::of(name, &record)))
}

/// Returns the organisation as the caller may see it.
pub(crate) async fn organisation_of(
    Asking { access, caller }: &Asking,
    name: AccountName,
) -> Result<(AccountName, OrganisationRecord), AccessError> {
    match access.account_get(caller, &name).await? {
        Account::Organisation(record) => Ok((name, record)),
        Account::User(_) => Err(AccessError::Unknown(format!("organisation {name}"))),
    }
}

/// Changes an organisation, for its owners.
#[utoipa::path(patch, path = "/organisations/{organisation}", tag = "organisations", params(OrganisationPath),
    request_body = OrganisationPatch, responses((status = NO_CONTENT, description = "It is done.")))]
async fn organisation_change(
    asking: Asking,
    At(OrganisationPath { organisation }): At<OrganisationPath>,
    Input(patch): Input<OrganisationPatch>,
) -> Result<StatusCode, Problem> {
    let (name, _) = organisation_of(&asking, organisation).await?;
    if let Some(visibility) = patch.default_visibility {
        asking.access.organisation_change(&asking.caller, &name, visibility).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes an organisation that has no repositories, for its owners and administrators. The name stays taken.
#[utoipa::path(delete, path = "/organisations/{organisation}", tag = "organisations", params(OrganisationPath),
    responses(
        (status = NO_CONTENT, description = "It is done."),
        (status = CONFLICT, description = "The organisation has repositories.")))]
async fn organisation_delete(
    asking: Asking,
    At(OrganisationPath { organisation }): At<OrganisationPath>,
) -> Result<StatusCode, Problem> {
    asking.access.account_deletion_end(&asking.caller, &organisation).await?;
    let (name, _) = organisation_of(&asking, organisation).await?;
    asking.access.account_delete(&asking.caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
