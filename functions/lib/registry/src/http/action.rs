//! What a request asks for: the route, and the right that it takes.

use http::Method;
use oci::{Digest, Endpoint, Reference, RepositoryName, UploadId};

use crate::access::Permission;

/// One of the things that can be asked of the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Is this a registry, and am I known to it? (end-1)
    Ping,
    /// List repositories.
    CatalogList,
    /// Read something in a repository.
    Pull(RepositoryName, PullAction),
    /// Write something.
    Push(RepositoryName, PushAction),
    /// Delete something.
    Delete(RepositoryName, DeleteAction),
}

/// What takes the right to pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullAction {
    /// Read a manifest (end-3).
    ManifestGet(Reference),
    /// Read a blob (end-2).
    BlobGet(Digest),
    /// List tags (end-8).
    TagList,
    /// List referrers (end-12).
    ReferrerList(Digest),
}

/// What takes the right to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushAction {
    /// Push a manifest (end-7).
    ManifestPut(Reference),
    /// Begin an upload, mount, or push in one go (end-4, end-11).
    UploadBegin,
    /// Ask where an upload stands (end-13).
    UploadStatus(UploadId),
    /// Append a chunk (end-5).
    UploadAppend(UploadId),
    /// Commit an upload (end-6).
    UploadFinish(UploadId),
    /// Cancel an upload (end-14).
    UploadCancel(UploadId),
}

/// What takes the right to delete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteAction {
    /// Delete a manifest or tag (end-9).
    Manifest(Reference),
    /// Delete a blob (end-10).
    Blob(Digest),
}

impl Action {
    /// Returns what the method asks of the endpoint, or which methods it knows.
    pub fn of(method: &Method, endpoint: Endpoint) -> Result<Self, &'static str> {
        let is_read = *method == Method::GET || *method == Method::HEAD;
        match endpoint {
            Endpoint::Base => on(is_read, Self::Ping, "GET, HEAD"),
            Endpoint::Catalog => on(is_read, Self::CatalogList, "GET, HEAD"),
            Endpoint::TagList { name } => on(is_read, Self::Pull(name, PullAction::TagList), "GET, HEAD"),
            Endpoint::Referrers { name, digest } => {
                on(is_read, Self::Pull(name, PullAction::ReferrerList(digest)), "GET, HEAD")
            }
            Endpoint::Uploads { name } => {
                on(*method == Method::POST, Self::Push(name, PushAction::UploadBegin), "POST")
            }
            Endpoint::Manifest { name, reference } => match *method {
                Method::GET | Method::HEAD => Ok(Self::Pull(name, PullAction::ManifestGet(reference))),
                Method::PUT => Ok(Self::Push(name, PushAction::ManifestPut(reference))),
                Method::DELETE => Ok(Self::Delete(name, DeleteAction::Manifest(reference))),
                _ => Err("GET, HEAD, PUT, DELETE"),
            },
            Endpoint::Blob { name, digest } => match *method {
                Method::GET | Method::HEAD => Ok(Self::Pull(name, PullAction::BlobGet(digest))),
                Method::DELETE => Ok(Self::Delete(name, DeleteAction::Blob(digest))),
                _ => Err("GET, HEAD, DELETE"),
            },
            Endpoint::Upload { name, id } => match *method {
                Method::GET | Method::HEAD => Ok(Self::Push(name, PushAction::UploadStatus(id))),
                Method::PATCH => Ok(Self::Push(name, PushAction::UploadAppend(id))),
                Method::PUT => Ok(Self::Push(name, PushAction::UploadFinish(id))),
                Method::DELETE => Ok(Self::Push(name, PushAction::UploadCancel(id))),
                _ => Err("GET, HEAD, PATCH, PUT, DELETE"),
            },
        }
    }

    /// Returns what a client has to ask a token for, in the words of the token protocol.
    ///
    /// Whoever pushes looks first what is there.
    pub(super) fn scope(&self) -> Option<String> {
        let (name, permissions) = match self {
            Self::Ping => return None,
            Self::CatalogList => return Some("registry:catalog:*".to_owned()),
            Self::Pull(name, _) => (name, &[Permission::Pull][..]),
            Self::Push(name, _) => (name, &[Permission::Pull, Permission::Push][..]),
            Self::Delete(name, _) => (name, &[Permission::Delete][..]),
        };
        let words: Vec<&str> = permissions.iter().map(|permission| permission.as_str()).collect();
        Some(format!("repository:{name}:{}", words.join(",")))
    }

    /// Returns whether it goes on with what began with a permit, so that a token that ended meanwhile is enough.
    pub(super) fn goes_on(&self) -> bool {
        let Self::Push(_, action) = self else { return false };
        !matches!(action, PushAction::ManifestPut(_) | PushAction::UploadBegin)
    }
}

fn on(is_asked: bool, action: Action, methods: &'static str) -> Result<Action, &'static str> {
    if is_asked { Ok(action) } else { Err(methods) }
}
