//! `/repositories/{repository}/manifests`: what is in a repository, also what no tag leads to.

use axum::Json;
use oci::{Digest, MediaType};
use registry::access::{Access, AccessError};
use registry::records::ManifestRecord;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::identify::Asking;
use crate::input::{Asked, At, Time};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::repositories::{Names, RepositoryPath, readable};
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
    /// Who pushed it, for those who may push.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pushed_by: Option<String>,
}

impl Manifest {
    fn of(digest: Digest, record: ManifestRecord, names: Names) -> Self {
        Self {
            digest,
            media_type: record.media_type,
            size_bytes: record.size_bytes,
            artifact_type: record.artifact_type,
            subject: record.subject,
            pushed: record.pushed.into(),
            pushed_by: names.told(record.pushed_by),
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
    let (permit, names) = readable(access, &caller, &repository).await?;
    let listed = permit.manifest_list(paging.limit.0, paging.after.as_deref()).await;
    let page = listed.map_err(AccessError::from)?;
    let manifests = page.manifests.into_iter().map(|(digest, record)| Manifest::of(digest, record, names));
    Ok(Json(Page::new(manifests.collect(), page.next, |manifest: &Manifest| manifest.digest.to_string())))
}
