//! Manifests to push, and digests.

use bytes::Bytes;
use oci::{Algorithm, Digest, MediaType};

/// Returns the SHA-256 digest.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha256, bytes)
}

/// The configuration of every manifest here.
pub(crate) const EMPTY: &[u8] = b"{}";

/// Returns a manifest of one layer, with line breaks and blanks that a parser would not keep.
pub(crate) fn manifest_of(layer: &Digest, size_bytes: u64) -> Bytes {
    let (empty, size) = (MediaType::OCI_EMPTY, EMPTY.len());
    let config = digest_of(EMPTY);
    format!(
        "{{\n\t\"schemaVersion\" : 2,\r\n   \"mediaType\":\"{manifest}\",\n\n\"artifactType\": \
         \"application/vnd.slipway.smoke\",\"config\" :  {{\"mediaType\": \"{empty}\", \"digest\": \"{config}\", \
         \"size\": {size} }},\n  \"layers\":[ {{\"mediaType\": \"application/octet-stream\", \"digest\": \
         \"{layer}\", \"size\":{size_bytes}}}\t] }}\n \n",
        manifest = MediaType::OCI_MANIFEST,
    )
    .into()
}
