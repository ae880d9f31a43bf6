//! `/v2/<name>/referrers/<digest>` (end-12).

use http::{HeaderValue, Response};
use oci::{Descriptor, Digest};
use serde::Serialize;

use super::error::HttpError;
use super::paging;
use super::request::Request;
use super::respond::Body;
use crate::access::{Permit, Pull};

const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor>,
}

/// Lists referrers, as an index.
pub(crate) async fn list(
    permit: &Permit<Pull>,
    request: &Request,
    subject: &Digest,
) -> Result<Response<Body>, HttpError> {
    let artifact_type = paging::listed_name(request, "artifactType")?;
    let limit = paging::limit(request)?;
    let last = paging::last(request)?;
    let page = permit.referrer_list(subject, artifact_type, limit, last).await?;
    let index = Index { schema_version: 2, media_type: OCI_INDEX, manifests: page.descriptors };
    let mut response = paging::json(OCI_INDEX, &index);
    let headers = response.headers_mut();
    if artifact_type.is_some() {
        headers.insert("oci-filters-applied", HeaderValue::from_static("artifactType"));
    }
    if let Some(next) = page.next {
        let mut parameters =
            vec![paging::parameter("n", &limit.to_string()), paging::parameter("last", &next)];
        parameters.extend(artifact_type.map(|text| paging::parameter("artifactType", text)));
        paging::link_next(headers, &request.endpoint.path(), &parameters);
    }
    Ok(response)
}
