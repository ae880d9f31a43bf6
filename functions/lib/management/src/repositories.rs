//! `/repositories`: their settings. Their content is the business of `/v2/`.

use axum::Json;
use http::{StatusCode, header};
use oci::RepositoryName;
use registry::RepositoryEnd;
use registry::access::{
    Access, AccessError, AccountName, Caller, Gate, Permit, Pull, RepositoryChange, Role,
};
use registry::records::{RepositoryRecord, Visibility};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Input, Object, Time, is_given};
use crate::paging::{After, Limit, Page};
use crate::problem::Problem;
use crate::{PREFIX, words};

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(repository_list, repository_create)).routes(routes!(
        repository_get,
        repository_change,
        repository_delete
    ))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct RepositoryPath {
    /// The repository, its slashes escaped: `team%2Fapp`.
    #[param(value_type = words::RepositoryName, inline)]
    pub(crate) repository: RepositoryName,
}

/// Whether a list of content names those who wrote it: to those who may write there, and to nobody who only reads.
#[derive(Clone, Copy)]
pub(crate) struct Names {
    are_told: bool,
}

impl Names {
    pub(crate) fn told(self, name: String) -> Option<String> {
        self.are_told.then_some(name)
    }
}

/// Returns the right to read a repository that is there. Who has none is told what is told of one that is not there.
pub(crate) async fn readable(
    access: Access,
    caller: &Caller,
    repository: &RepositoryName,
) -> Result<(Permit<Pull>, Names), Problem> {
    let (_, role) = access.repository_get(caller, repository).await?;
    let permit = Gate::guarded(access).admit(caller, repository).await?;
    Ok((permit, Names { are_told: role >= Some(Role::Push) }))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RepositoryPaging {
    /// The account whose repositories are asked for; all that the caller may see if absent.
    #[param(value_type = words::Name, required = false, inline)]
    namespace: Option<AccountName>,
    /// How many entries at most.
    #[serde(default)]
    #[param(value_type = u16, required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Limit,
    /// The `next` of the page before.
    #[serde(default)]
    #[param(value_type = String, required = false, max_length = 900)]
    after: After,
}

/// Which tags stay where they are once they are there.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImmutableTags {
    /// Patterns of tags that can be neither moved nor deleted; `*` alone is every tag.
    #[schema(value_type = Vec<words::TagPattern>, max_items = 50)]
    patterns: Vec<String>,
    /// Patterns of tags that can be all the same.
    #[serde(default)]
    #[schema(value_type = Vec<words::TagPattern>, max_items = 50)]
    except: Vec<String>,
}

impl From<Object<ImmutableTags>> for registry::records::ImmutableTags {
    fn from(Object(ImmutableTags { patterns, except }): Object<ImmutableTags>) -> Self {
        Self { patterns, except }
    }
}

/// A repository.
#[derive(Serialize, ToSchema)]
struct Repository {
    #[schema(value_type = words::RepositoryName)]
    name: RepositoryName,
    #[schema(value_type = words::Visibility)]
    visibility: Visibility,
    /// What it is.
    #[schema(value_type = words::Description)]
    description: String,
    immutable_tags: ImmutableTags,
    #[schema(value_type = words::Time)]
    created: Time,
    /// What the caller is there; absent in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Role, required = false)]
    role: Option<Role>,
}

impl Repository {
    fn of(name: RepositoryName, record: RepositoryRecord, role: Option<Role>) -> Self {
        let visibility = if record.is_public { Visibility::Public } else { Visibility::Private };
        let registry::records::ImmutableTags { patterns, except } = record.immutable_tags;
        Self {
            name,
            visibility,
            description: record.description,
            immutable_tags: ImmutableTags { patterns, except },
            created: record.created.into(),
            role,
        }
    }
}

/// A repository to be made before anything is pushed to it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepositoryNew {
    #[schema(value_type = words::RepositoryName)]
    name: RepositoryName,
    /// What the account makes of new repositories if absent.
    #[schema(value_type = Option<words::Visibility>)]
    visibility: Option<Visibility>,
    #[schema(value_type = Option<words::Description>)]
    description: Option<String>,
    #[schema(value_type = Option<ImmutableTags>)]
    immutable_tags: Option<Object<ImmutableTags>>,
}

/// What shall be different about a repository; what is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RepositoryPatch {
    #[schema(value_type = Option<words::Visibility>)]
    visibility: Option<Visibility>,
    #[schema(value_type = Option<words::Description>)]
    description: Option<String>,
    #[schema(value_type = Option<ImmutableTags>)]
    immutable_tags: Option<Object<ImmutableTags>>,
    #[serde(default, rename = "name", deserialize_with = "is_given")]
    #[schema(ignore)]
    has_name: bool,
    #[serde(default, rename = "namespace", deserialize_with = "is_given")]
    #[schema(ignore)]
    has_namespace: bool,
}

/// Lists the repositories that the caller may pull from.
#[utoipa::path(get, path = "/repositories", tag = "repositories", params(RepositoryPaging),
    security((), ("basic" = []), ("bearer" = [])),
    responses((status = OK, description = "A page of repositories.", body = Page<Repository>)))]
async fn repository_list(
    Asking { access, caller }: Asking,
    Asked(RepositoryPaging { namespace, limit, after }): Asked<RepositoryPaging>,
) -> Result<Json<Page<Repository>>, Problem> {
    let page = access.repository_page(&caller, namespace.as_ref(), after.as_deref(), limit.0);
    let (repositories, next) = page.await?;
    let items = repositories.into_iter().map(|(name, record)| Repository::of(name, record, None));
    Ok(Json(Page::new(items.collect(), next, |repository: &Repository| repository.name.to_string())))
}

/// Makes a repository, for those who may push to it. A push makes one too.
#[utoipa::path(post, path = "/repositories", tag = "repositories", request_body = RepositoryNew, responses(
    (status = CREATED, description = "The repository.", body = Repository),
    (status = CONFLICT, description = "There is such a repository.")))]
async fn repository_create(
    Asking { access, caller }: Asking,
    Input(new): Input<RepositoryNew>,
) -> Result<(StatusCode, [(header::HeaderName, String); 1], Json<Repository>), Problem> {
    let RepositoryNew { name, visibility, description, immutable_tags } = new;
    let change = RepositoryChange { visibility, description, immutable_tags: immutable_tags.map(Into::into) };
    access.repository_create(&caller, &name, &change).await?;
    let location = format!("{PREFIX}/repositories/{}", name.as_str().replace('/', "%2F"));
    let (record, role) = access.repository_get(&caller, &name).await?;
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(Repository::of(name, record, role))))
}

/// Describes a repository, to those who may pull from it.
#[utoipa::path(get, path = "/repositories/{repository}", tag = "repositories", params(RepositoryPath),
    security((), ("basic" = []), ("bearer" = [])),
    responses((status = OK, description = "The repository.", body = Repository)))]
async fn repository_get(
    Asking { access, caller }: Asking,
    At(RepositoryPath { repository }): At<RepositoryPath>,
) -> Result<Json<Repository>, Problem> {
    let (record, role) = access.repository_get(&caller, &repository).await?;
    Ok(Json(Repository::of(repository, record, role)))
}

/// Changes a repository's settings, for its admins. A repository keeps its name and its namespace.
#[utoipa::path(patch, path = "/repositories/{repository}", tag = "repositories", params(RepositoryPath),
    request_body = RepositoryPatch, responses(
        (status = NO_CONTENT, description = "It is done."),
        (status = CONFLICT, description = "A repository can be neither renamed nor transferred.")))]
async fn repository_change(
    Asking { access, caller }: Asking,
    At(RepositoryPath { repository }): At<RepositoryPath>,
    Input(patch): Input<RepositoryPatch>,
) -> Result<StatusCode, Problem> {
    if patch.has_name || patch.has_namespace {
        let detail = "a repository can be neither renamed nor transferred; push to the new name: its blobs are \
                      mounted, not uploaded again";
        return Err(AccessError::Conflict(detail.to_owned()).into());
    }
    let RepositoryPatch { visibility, description, immutable_tags, .. } = patch;
    let change = RepositoryChange { visibility, description, immutable_tags: immutable_tags.map(Into::into) };
    access.repository_change(&caller, &repository, &change).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Deletes a repository with everything in it, for its admins.
///
/// Nothing can be pushed to it meanwhile. What broke off, or is too much for one answer, is ended by a repetition, or by the
/// next collection.
#[utoipa::path(delete, path = "/repositories/{repository}", tag = "repositories", params(RepositoryPath),
    responses(
        (status = NO_CONTENT, description = "It is done."),
        (status = ACCEPTED, description = "It has begun, and the next collection ends it.")))]
async fn repository_delete(
    Asking { access, caller }: Asking,
    At(RepositoryPath { repository }): At<RepositoryPath>,
) -> Result<StatusCode, Problem> {
    // A client that goes away must not leave it half done, and locked for those who push.
    let end =
        registry::in_own_task(async move { access.repository_delete(&caller, &repository).await }).await?;
    match end {
        RepositoryEnd::Gone => Ok(StatusCode::NO_CONTENT),
        RepositoryEnd::Begun => Ok(StatusCode::ACCEPTED),
    }
}
