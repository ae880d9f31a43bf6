//! `/organisations/{organisation}/teams`: members that are given roles together.

use axum::Json;
use http::StatusCode;
use registry::access::{Access, AccountName, TeamName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Input};
use crate::organisations::{OrganisationPath, organisation_of};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new()
        .routes(routes!(team_list))
        .routes(routes!(team_put, team_delete))
        .routes(routes!(team_member_put, team_member_delete))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct TeamPath {
    /// The organisation.
    #[param(value_type = words::Name, inline)]
    organisation: AccountName,
    /// The team.
    #[param(value_type = words::Name, inline)]
    team: TeamName,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct TeamMemberPath {
    /// The organisation.
    #[param(value_type = words::Name, inline)]
    organisation: AccountName,
    /// The team.
    #[param(value_type = words::Name, inline)]
    team: TeamName,
    /// The member.
    #[param(value_type = words::Name, inline)]
    user: AccountName,
}

/// A team.
#[derive(Serialize, ToSchema)]
struct Team {
    #[schema(value_type = words::Name)]
    name: TeamName,
    /// What it is for.
    #[schema(value_type = words::Description)]
    description: String,
}

/// What a team shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TeamPut {
    /// What it is for.
    #[serde(default)]
    #[schema(value_type = words::Description)]
    description: String,
}

/// Lists the teams, to each member.
#[utoipa::path(get, path = "/organisations/{organisation}/teams", tag = "organisations",
    params(OrganisationPath, Paging),
    responses((status = OK, description = "A page of teams.", body = Page<Team>)))]
async fn team_list(
    asking: Asking,
    At(OrganisationPath { organisation }): At<OrganisationPath>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<Team>>, Problem> {
    let (_, record) = organisation_of(&asking, organisation).await?;
    let teams = record.teams.into_iter().map(|(name, team)| Team { name, description: team.description });
    Ok(Json(Page::of(teams.collect(), &paging, |team: &Team| team.name.to_string())))
}

/// Makes a team, or describes it anew; for owners.
#[utoipa::path(put, path = "/organisations/{organisation}/teams/{team}", tag = "organisations",
    params(TeamPath), request_body = TeamPut, responses((status = NO_CONTENT, description = "It is done.")))]
async fn team_put(
    Asking { access, caller }: Asking,
    At(TeamPath { organisation, team }): At<TeamPath>,
    Input(TeamPut { description }): Input<TeamPut>,
) -> Result<StatusCode, Problem> {
    access.team_put(&caller, &organisation, &team, &description).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a team, for owners. Its members stay in the organisation, without what the team gave them.
#[utoipa::path(delete, path = "/organisations/{organisation}/teams/{team}", tag = "organisations",
    params(TeamPath), responses((status = NO_CONTENT, description = "It is done.")))]
async fn team_delete(
    Asking { access, caller }: Asking,
    At(TeamPath { organisation, team }): At<TeamPath>,
) -> Result<StatusCode, Problem> {
    access.team_delete(&caller, &organisation, &team).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a member into a team, for owners.
#[utoipa::path(put, path = "/organisations/{organisation}/teams/{team}/members/{user}", tag = "organisations",
    params(TeamMemberPath), responses((status = NO_CONTENT, description = "It is done.")))]
async fn team_member_put(asking: Asking, At(path): At<TeamMemberPath>) -> Result<StatusCode, Problem> {
    team_member_change(&asking, &path, true).await
}

/// Takes a member out of a team, for owners.
#[utoipa::path(delete, path = "/organisations/{organisation}/teams/{team}/members/{user}", tag = "organisations",
    params(TeamMemberPath), responses((status = NO_CONTENT, description = "It is done.")))]
async fn team_member_delete(asking: Asking, At(path): At<TeamMemberPath>) -> Result<StatusCode, Problem> {
    team_member_change(&asking, &path, false).await
}

async fn team_member_change(
    Asking { access, caller }: &Asking,
    TeamMemberPath { organisation, team, user }: &TeamMemberPath,
    is_in: bool,
) -> Result<StatusCode, Problem> {
    access.team_member_change(caller, organisation, team, user, is_in).await?;
    Ok(StatusCode::NO_CONTENT)
}
