//! `/repositories/{repository}/grants`: who was given a role in a repository.

use axum::Json;
use http::StatusCode;
use oci::RepositoryName;
use registry::access::{Access, Role};
use registry::records::Grantee;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Input};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::repositories::RepositoryPath;
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(grant_list)).routes(routes!(grant_put, grant_delete))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct GrantPath {
    /// The repository, its slashes escaped: `team%2Fapp`.
    #[param(value_type = words::RepositoryName, inline)]
    repository: RepositoryName,
    /// `user:<name>`, or `team:<name>` of the organisation whose namespace the repository is in.
    #[param(value_type = words::Grantee, inline)]
    grantee: Grantee,
}

/// A role that somebody was given.
#[derive(Serialize, ToSchema)]
struct Grant {
    #[schema(value_type = words::Grantee)]
    grantee: Grantee,
    #[schema(value_type = words::Role)]
    role: Role,
}

/// The role that somebody shall have.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct GrantPut {
    #[schema(value_type = words::Role)]
    role: Role,
}

/// Lists the roles that were given, to admins of the repository.
#[utoipa::path(get, path = "/repositories/{repository}/grants", tag = "repositories",
    params(RepositoryPath, Paging),
    responses((status = OK, description = "A page of roles.", body = Page<Grant>)))]
async fn grant_list(
    Asking { access, caller }: Asking,
    At(RepositoryPath { repository }): At<RepositoryPath>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<Grant>>, Problem> {
    let grants = access.grant_list(&caller, &repository).await?;
    let mut grants: Vec<Grant> = grants.into_iter().map(|(grantee, role)| Grant { grantee, role }).collect();
    let name = |grant: &Grant| grant.grantee.to_string();
    grants.sort_by_key(name);
    Ok(Json(Page::of(grants, &paging, name)))
}

/// Gives a user or team a role, for admins of the repository.
#[utoipa::path(put, path = "/repositories/{repository}/grants/{grantee}", tag = "repositories",
    params(GrantPath), request_body = GrantPut, responses((status = NO_CONTENT, description = "It is done.")))]
async fn grant_put(
    Asking { access, caller }: Asking,
    At(GrantPath { repository, grantee }): At<GrantPath>,
    Input(GrantPut { role }): Input<GrantPut>,
) -> Result<StatusCode, Problem> {
    access.grant_put(&caller, &repository, &grantee, role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes the role away, for admins of the repository.
#[utoipa::path(delete, path = "/repositories/{repository}/grants/{grantee}", tag = "repositories",
    params(GrantPath), responses((status = NO_CONTENT, description = "It is done.")))]
async fn grant_delete(
    Asking { access, caller }: Asking,
    At(GrantPath { repository, grantee }): At<GrantPath>,
) -> Result<StatusCode, Problem> {
    access.grant_delete(&caller, &repository, &grantee).await?;
    Ok(StatusCode::NO_CONTENT)
}
