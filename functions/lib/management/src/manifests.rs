//! `/repositories/{repository}/manifests`: what is in a repository, also what no tag leads to.

use axum::Json;
use oci::{Digest, MediaType};
use registry::access::{Access, AccessError, Gate, Permit, Pull};
use registry::records::ManifestRecord;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Time};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::repositories::RepositoryPath;
use crate::words;

pub(crate) fn routes() -> OpenApiRouter<Access> {
    OpenApiRouter::new().routes(routes!(manifest_list))
}

/// A manifest that can be pulled.
#[derive(Serialize, ToSchema)]
#[schema(as = ListedManifest)]
struct Manifest {
    #[schema(value_type = words::Digest)]
    digest: Digest,
    #[schema(value_type = String)]
    media_type: MediaType,
    /// The length of the manifest itself.
    size_bytes: u64,
    /// Its type, if it refers to another manifest or says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    artifact_type: Option<String>,
    /// The manifest it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Digest, required = false)]
    subject: Option<Digest>,
    #[schema(value_type = words::Time)]
    pushed: Time,
    pushed_by: String,
}

impl From<(Digest, ManifestRecord)> for Manifest {
    fn from((digest, record): (Digest, ManifestRecord)) -> Self {
        Self {
            digest,
            media_type: record.media_type,
            size_bytes: record.size_bytes,
            artifact_type: record.artifact_type,
            subject: record.subject,
            pushed: record.pushed.into(),
            pushed_by: record.pushed_by,
        }
    }
}

/// Lists the manifests of a repository, to those who may pull: also those without a tag. A page may be shorter than asked
/// for, and even empty, while there are more.
#[utoipa::path(get, path = "/repositories/{repository}/manifests", tag = "repositories",
    params(RepositoryPath, Paging), security((), ("basic" = []), ("bearer" = [])),
    responses((status = OK, description = "A page of manifests.", body = Page<Manifest>)))]
async fn manifest_list(
    Asking { access, caller }: Asking,
    At(RepositoryPath { repository }): At<RepositoryPath>,
    Asked(paging): Asked<Paging>,
) -> Result<Json<Page<Manifest>>, Problem> {
    let permit: Permit<Pull> = Gate::guarded(access).admit(&caller, &repository).await?;
    let listed = permit.manifest_list(paging.limit.0, paging.after.as_deref()).await;
    let page = listed.map_err(AccessError::from)?;
    Ok(Json(Page::new(page.manifests.into_iter().map(Manifest::from).collect(), page.next)))
}
