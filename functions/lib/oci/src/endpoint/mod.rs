//! The URL grammar: which endpoint of the specification a path is, and the path of an endpoint.

#[cfg(test)]
mod tests;

use percent_encoding::percent_decode_str;

use crate::{
    Digest, DigestInvalid, NameInvalid, Reference, ReferenceInvalid, RepositoryName, UploadId,
    UploadIdInvalid,
};

/// An endpoint of the API, with the words of its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// `/v2/`
    Base,
    /// `/v2/_catalog`
    Catalog,
    /// `/v2/<name>/manifests/<reference>`
    Manifest {
        /// The repository.
        name: RepositoryName,
        /// The manifest.
        reference: Reference,
    },
    /// `/v2/<name>/blobs/<digest>`
    Blob {
        /// The repository.
        name: RepositoryName,
        /// The blob.
        digest: Digest,
    },
    /// `/v2/<name>/blobs/uploads/`
    Uploads {
        /// The repository.
        name: RepositoryName,
    },
    /// `/v2/<name>/blobs/uploads/<id>`
    Upload {
        /// The repository.
        name: RepositoryName,
        /// The upload session.
        id: UploadId,
    },
    /// `/v2/<name>/tags/list`
    TagList {
        /// The repository.
        name: RepositoryName,
    },
    /// `/v2/<name>/referrers/<digest>`
    Referrers {
        /// The repository.
        name: RepositoryName,
        /// The subject.
        digest: Digest,
    },
}

/// Why a path is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It has the form of none.
    #[error("no such endpoint")]
    NotFound,
    /// The repository name is none.
    #[error(transparent)]
    Name(#[from] NameInvalid),
    /// What follows `manifests/` is neither a tag nor a digest.
    #[error(transparent)]
    Reference(#[from] ReferenceInvalid),
    /// What follows `blobs/` or `referrers/` is no digest.
    #[error(transparent)]
    Digest(#[from] DigestInvalid),
    /// What follows `uploads/` is no upload id.
    #[error(transparent)]
    Upload(#[from] UploadIdInvalid),
}

impl Endpoint {
    /// Parses a path as it came, still percent-encoded.
    ///
    /// The path is read from both ends and the name is what is left, so a name may hold any word of the
    /// grammar. What follows `manifests/`, `blobs/` or `referrers/` is decoded once, because clients send
    /// `sha256%3A...`. No name or upload id needs encoding, so a percent sign there is refused like any other
    /// foreign character.
    pub fn parse(path: &str) -> Result<Self, EndpointError> {
        let rest = path.strip_prefix("/v2").ok_or(EndpointError::NotFound)?;
        match rest {
            "" | "/" => Ok(Self::Base),
            "/_catalog" => Ok(Self::Catalog),
            _ => parse_in_repository(rest.strip_prefix('/').ok_or(EndpointError::NotFound)?),
        }
    }

    /// Returns the path, which parses to this endpoint again.
    pub fn path(&self) -> String {
        match self {
            Self::Base => "/v2/".to_owned(),
            Self::Catalog => "/v2/_catalog".to_owned(),
            Self::Manifest { name, reference } => format!("/v2/{name}/manifests/{reference}"),
            Self::Blob { name, digest } => blob_path(name, digest),
            Self::Uploads { name } => format!("/v2/{name}/blobs/uploads/"),
            Self::Upload { name, id } => upload_path(name, id),
            Self::TagList { name } => format!("/v2/{name}/tags/list"),
            Self::Referrers { name, digest } => format!("/v2/{name}/referrers/{digest}"),
        }
    }
}

/// Returns the path of a manifest by its digest.
pub fn manifest_path(name: &RepositoryName, digest: &Digest) -> String {
    format!("/v2/{name}/manifests/{digest}")
}

/// Returns the path of a blob.
pub fn blob_path(name: &RepositoryName, digest: &Digest) -> String {
    format!("/v2/{name}/blobs/{digest}")
}

/// Returns the path of an upload session.
pub fn upload_path(name: &RepositoryName, id: &UploadId) -> String {
    format!("/v2/{name}/blobs/uploads/{id}")
}

/// Parses what follows `/v2/`: a name, a word, and what the word is about.
fn parse_in_repository(rest: &str) -> Result<Endpoint, EndpointError> {
    let (before, last) = rest.rsplit_once('/').ok_or(EndpointError::NotFound)?;
    let (name, word) = before.rsplit_once('/').ok_or(EndpointError::NotFound)?;
    match (word, last) {
        ("blobs", "uploads") => Ok(Endpoint::Uploads { name: RepositoryName::parse(name)? }),
        ("uploads", _) => parse_upload(name, last),
        ("tags", "list") => Ok(Endpoint::TagList { name: RepositoryName::parse(name)? }),
        ("manifests", _) => Ok(Endpoint::Manifest {
            name: RepositoryName::parse(name)?,
            reference: Reference::parse(&decode(last))?,
        }),
        ("blobs", _) => {
            Ok(Endpoint::Blob { name: RepositoryName::parse(name)?, digest: Digest::parse(&decode(last))? })
        }
        ("referrers", _) => Ok(Endpoint::Referrers {
            name: RepositoryName::parse(name)?,
            digest: Digest::parse(&decode(last))?,
        }),
        _ => Err(EndpointError::NotFound),
    }
}

fn parse_upload(before: &str, id: &str) -> Result<Endpoint, EndpointError> {
    let name = before.strip_suffix("/blobs").ok_or(EndpointError::NotFound)?;
    let name = RepositoryName::parse(name)?;
    match id {
        "" => Ok(Endpoint::Uploads { name }),
        id => Ok(Endpoint::Upload { name, id: UploadId::parse(id)? }),
    }
}

/// Decodes a segment once; bytes that are not UTF-8 become U+FFFD, which no word of the grammar holds.
fn decode(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}
