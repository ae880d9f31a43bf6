//! The distribution specification's words as types: parsed once at the edge, then trusted; no network, no
//! disk.
//!
//! - Words of a URL: [`RepositoryName`], [`Tag`], [`Digest`], [`Reference`], [`UploadId`]; the URL grammar that
//!   joins them is [`Endpoint`], and [`Query`] is what follows the question mark.
//! - Words of a header: [`MediaType`], [`RangeHeader`], [`ContentRange`].
//! - Words of a body: [`Manifest`] and its [`Descriptor`]s; [`ErrorBody`] and its [`ErrorCode`]s.
//! - [`Hasher`] computes a digest and can be put down and taken up again in another process.
//! - [`limits`] is the one home of every number that bounds them.

mod content_range;
mod descriptor;
mod digest;
mod endpoint;
mod error_code;
pub mod limits;
mod manifest;
mod media_type;
mod name;
mod query;
mod range;
mod reference;
mod tag;
mod text;
mod upload_id;

pub use content_range::{ContentRange, ContentRangeInvalid};
pub use descriptor::Descriptor;
pub use digest::{Algorithm, AlgorithmUnsupported, Digest, DigestInvalid, HashStateInvalid, Hasher};
pub use endpoint::{Endpoint, EndpointError, blob_path, manifest_path, upload_path};
pub use error_code::{ErrorBody, ErrorCode, ErrorEntry};
pub use manifest::{Manifest, ManifestInvalid, ManifestKind, Target, TargetKind};
pub use media_type::{MediaType, MediaTypeInvalid};
pub use name::{NameInvalid, RepositoryName};
pub use query::{Query, RepeatedParameter};
pub use range::{ByteRange, RangeHeader, RangeOutcome};
pub use reference::{Reference, ReferenceInvalid};
pub use tag::{Tag, TagInvalid};
pub use upload_id::{UploadId, UploadIdInvalid};
