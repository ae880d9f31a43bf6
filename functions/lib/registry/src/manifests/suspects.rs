//! What the collector is told to look at when a manifest comes or goes.

use oci::{Digest, RepositoryName, Target, TargetKind};

use crate::ports::ObjectKey;
use crate::records::SuspectRecord;

/// What a manifest referenced that is gone.
pub(crate) fn target_suspect(repository: &RepositoryName, target: &Target) -> SuspectRecord {
    let (repository, digest) = (repository.clone(), target.digest.clone());
    match target.kind {
        TargetKind::Blob => SuspectRecord::Link { repository, digest },
        TargetKind::Manifest => SuspectRecord::Manifest { repository, digest },
    }
}

/// A manifest that may be garbage.
pub(crate) fn manifest_suspect(repository: &RepositoryName, digest: &Digest) -> SuspectRecord {
    SuspectRecord::Manifest { repository: repository.clone(), digest: digest.clone() }
}

/// The object of a manifest that may not come about, or is gone.
pub(crate) fn object_suspect(
    repository: &RepositoryName,
    digest: &Digest,
    object: &ObjectKey,
) -> SuspectRecord {
    let (repository, digest) = (repository.clone(), digest.clone());
    SuspectRecord::ManifestObject { repository, digest, object: object.clone() }
}
