//! What a request asks for: the route, and the word for it in permissions and metrics.

use http::Method;
use oci::Endpoint;

/// One of the things that can be asked of the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Is this a registry? (end-1)
    Ping,
    /// List repositories.
    CatalogList,
    /// Read a manifest (end-3).
    ManifestGet,
    /// Push a manifest (end-7).
    ManifestPut,
    /// Delete a manifest or tag (end-9).
    ManifestDelete,
    /// Read a blob (end-2).
    BlobGet,
    /// Delete a blob (end-10).
    BlobDelete,
    /// Begin an upload, mount, or push in one go (end-4, end-11).
    UploadBegin,
    /// Ask where an upload stands (end-13).
    UploadStatus,
    /// Append a chunk (end-5).
    UploadAppend,
    /// Commit an upload (end-6).
    UploadFinish,
    /// Cancel an upload (end-14).
    UploadCancel,
    /// List tags (end-8).
    TagList,
    /// List referrers (end-12).
    ReferrerList,
}

impl Action {
    /// Returns what the method asks of the endpoint, or which methods it knows.
    pub fn of(method: &Method, endpoint: &Endpoint) -> Result<Self, &'static str> {
        let is_read = *method == Method::GET || *method == Method::HEAD;
        match endpoint {
            Endpoint::Base => on(is_read, Self::Ping, "GET, HEAD"),
            Endpoint::Catalog => on(is_read, Self::CatalogList, "GET, HEAD"),
            Endpoint::TagList { .. } => on(is_read, Self::TagList, "GET, HEAD"),
            Endpoint::Referrers { .. } => on(is_read, Self::ReferrerList, "GET, HEAD"),
            Endpoint::Uploads { .. } => on(*method == Method::POST, Self::UploadBegin, "POST"),
            Endpoint::Manifest { .. } => match *method {
                Method::GET | Method::HEAD => Ok(Self::ManifestGet),
                Method::PUT => Ok(Self::ManifestPut),
                Method::DELETE => Ok(Self::ManifestDelete),
                _ => Err("GET, HEAD, PUT, DELETE"),
            },
            Endpoint::Blob { .. } => match *method {
                Method::GET | Method::HEAD => Ok(Self::BlobGet),
                Method::DELETE => Ok(Self::BlobDelete),
                _ => Err("GET, HEAD, DELETE"),
            },
            Endpoint::Upload { .. } => match *method {
                Method::GET | Method::HEAD => Ok(Self::UploadStatus),
                Method::PATCH => Ok(Self::UploadAppend),
                Method::PUT => Ok(Self::UploadFinish),
                Method::DELETE => Ok(Self::UploadCancel),
                _ => Err("GET, HEAD, PATCH, PUT, DELETE"),
            },
        }
    }
}

fn on(is_asked: bool, action: Action, methods: &'static str) -> Result<Action, &'static str> {
    if is_asked { Ok(action) } else { Err(methods) }
}
