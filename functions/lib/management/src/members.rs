//! `/organisations/{organisation}/members`: who is in an organisation, and as what.

use axum::Json;
use http::StatusCode;
use registry::access::{Access, AccountName, TeamName};
use registry::records::{MemberRecord, OrganisationRole};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Input, Time};
use crate::organisations::OrganisationPath;
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(member_list)).routes(routes!(member_put, member_delete))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct MemberPath {
    /// The organisation.
    #[param(value_type = words::Name, inline)]
    organisation: AccountName,
    /// The user.
    #[param(value_type = words::Name, inline)]
    user: AccountName,
}

/// A user as a member of an organisation.
#[derive(Serialize, ToSchema)]
struct Member {
    #[schema(value_type = words::Name)]
    name: AccountName,
    #[schema(value_type = words::OrganisationRole)]
    role: OrganisationRole,
    /// The teams that the member is in.
    #[schema(value_type = Vec<words::Name>)]
    teams: Vec<TeamName>,
    #[schema(value_type = words::Time)]
    since: Time,
    /// Whether another owner made it one, to which it has not agreed: it may leave at any time.
    is_unasked: bool,
}

impl From<(AccountName, MemberRecord)> for Member {
    fn from((name, record): (AccountName, MemberRecord)) -> Self {
        let MemberRecord { role, teams, since, is_unasked } = record;
        Self { name, role, teams: teams.into_iter().collect(), since: since.into(), is_unasked }
    }
}

/// What a member shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MemberPut {
    #[schema(value_type = words::OrganisationRole)]
    role: OrganisationRole,
}

/// Lists the members, to each of them.
#[utoipa::path(get, path = "/organisations/{organisation}/members", tag = "organisations",
    params(OrganisationPath, Paging),
    responses((status = OK, description = "A page of members.", body = Page<Member>)))]
async fn member_list(
    Asking { access, caller }: Asking,
    At(OrganisationPath { organisation }): At<OrganisationPath>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<Member>>, Problem> {
    let members = access.member_list(&caller, &organisation).await?;
    let members = members.into_iter().map(Member::from).collect();
    Ok(Json(Page::of(members, &paging, |member: &Member| member.name.to_string())))
}

/// Makes a user a member, or gives a member another role; for owners.
///
/// Owners whom others made one agree to it by asking for the same themselves. Until then they may leave at any time, and the
/// organisation cannot be left to them alone.
#[utoipa::path(put, path = "/organisations/{organisation}/members/{user}", tag = "organisations",
    params(MemberPath), request_body = MemberPut, responses(
        (status = NO_CONTENT, description = "It is done."),
        (status = CONFLICT, description = "The user is the only owner, or owns as many organisations as one may.")))]
async fn member_put(
    Asking { access, caller }: Asking,
    At(MemberPath { organisation, user }): At<MemberPath>,
    Input(MemberPut { role }): Input<MemberPut>,
) -> Result<StatusCode, Problem> {
    access.member_put(&caller, &organisation, &user, role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a user out of the organisation; for owners, and for the user.
#[utoipa::path(delete, path = "/organisations/{organisation}/members/{user}", tag = "organisations",
    params(MemberPath), responses(
        (status = NO_CONTENT, description = "It is done."),
        (status = CONFLICT, description = "The user is the only owner.")))]
async fn member_delete(
    Asking { access, caller }: Asking,
    At(MemberPath { organisation, user }): At<MemberPath>,
) -> Result<StatusCode, Problem> {
    access.member_delete(&caller, &organisation, &user).await?;
    Ok(StatusCode::NO_CONTENT)
}
