//! `/repositories/{repository}/history` and `…/tags/{tag}/restore`: where tags pointed before, and putting them back.

use axum::Json;
use oci::{Digest, MediaType, RepositoryName, Tag};
use registry::TagMove;
use registry::access::{Access, AccessError, Gate, Permit, Push};
use registry::records::HistoryRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Input, Time};
use crate::paging::{After, Limit, Page};
use crate::problem::Problem;
use crate::repositories::{Names, RepositoryPath, readable};
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(tag_history)).routes(routes!(tag_restore))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct HistoryPaging {
    /// The tag whose moves are asked for; all that there are if absent.
    #[param(value_type = words::Tag, required = false, inline)]
    tag: Option<Tag>,
    /// How many entries at most.
    #[serde(default)]
    #[param(value_type = u16, required = false, minimum = 1, maximum = 1000, default = 100)]
    limit: Limit,
    /// The `next` of the page before.
    #[serde(default)]
    #[param(value_type = String, required = false, max_length = 900)]
    after: After,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
struct TagPath {
    /// The repository, its slashes escaped: `team%2Fapp`.
    #[param(value_type = words::RepositoryName, inline)]
    repository: RepositoryName,
    /// The tag.
    #[param(value_type = words::Tag, inline)]
    tag: Tag,
}

/// A tag was moved or deleted.
#[derive(Serialize, ToSchema)]
struct Move {
    /// Its place in the history: of one tag, later moves have greater ids.
    id: String,
    #[schema(value_type = words::Tag)]
    tag: Tag,
    /// What the tag pointed to until then.
    #[schema(value_type = words::Digest)]
    before: Digest,
    /// Its media type.
    #[schema(value_type = String)]
    media_type: MediaType,
    /// When the tag was pushed there.
    #[schema(value_type = words::Time)]
    pushed: Time,
    /// Who pushed it there, for those who may push.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pushed_by: Option<String>,
    /// What it pointed to from then on; absent if it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Digest, required = false)]
    after: Option<Digest>,
    #[schema(value_type = words::Time)]
    at: Time,
    /// Who moved or deleted it, for those who may push.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    by: Option<String>,
    /// Whether what it pointed to before is still there.
    can_be_restored: bool,
}

impl Move {
    fn of(TagMove { id, tag, record, can_be_restored }: TagMove, names: Names) -> Self {
        let HistoryRecord { before, after, at, by } = record;
        Self {
            id,
            tag,
            before: before.digest,
            media_type: before.media_type,
            pushed: before.pushed.into(),
            pushed_by: names.told(before.pushed_by),
            after,
            at: at.into(),
            by: names.told(by),
            can_be_restored,
        }
    }
}

/// Where a tag shall point again.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Restoration {
    /// A manifest of its history; where it pointed before its last move if absent.
    #[schema(value_type = Option<words::Digest>)]
    digest: Option<Digest>,
}

/// Where a tag points again.
#[derive(Serialize, ToSchema)]
struct Restored {
    #[schema(value_type = words::Digest)]
    digest: Digest,
}

/// Lists where tags pointed before, to those who may pull: of each tag, the latest move first.
#[utoipa::path(get, path = "/repositories/{repository}/history", tag = "repositories",
    params(RepositoryPath, HistoryPaging), security((), ("basic" = []), ("bearer" = [])),
    responses((status = OK, description = "A page of moves.", body = Page<Move>)))]
async fn tag_history(
    Asking { access, caller }: Asking,
    At(RepositoryPath { repository }): At<RepositoryPath>,
    Asked(HistoryPaging { tag, limit, after }): Asked<HistoryPaging>,
) -> Result<Json<Page<Move>>, Problem> {
    let (permit, names) = readable(access, &caller, &repository).await?;
    let moves =
        permit.tag_history(tag.as_ref(), limit.0, after.as_deref()).await.map_err(AccessError::from)?;
    let next = moves.last().filter(|_| moves.len() == limit.0).map(|last| last.id.clone());
    let moves = moves.into_iter().map(|entry| Move::of(entry, names));
    Ok(Json(Page::new(moves.collect(), next, |entry: &Move| entry.id.clone())))
}

/// Puts a tag back to where it pointed before, for those who may push. That is a move, too.
#[utoipa::path(post, path = "/repositories/{repository}/tags/{tag}/restore", tag = "repositories",
    params(TagPath), request_body = Restoration, responses(
        (status = OK, description = "Where the tag points now.", body = Restored),
        (status = NOT_FOUND, description = "There is no such repository, the tag has no such history, or what it pointed to is gone.")))]
async fn tag_restore(
    Asking { access, caller }: Asking,
    At(TagPath { repository, tag }): At<TagPath>,
    Input(Restoration { digest }): Input<Restoration>,
) -> Result<Json<Restored>, Problem> {
    let permit: Permit<Push> = Gate::guarded(access).admit(&caller, &repository).await?;
    let digest = permit.tag_restore(&tag, digest.as_ref()).await.map_err(AccessError::from)?;
    Ok(Json(Restored { digest }))
}
