//! Items as bytes, for stores that keep bytes: MessagePack with named fields, in an envelope.

use serde::{Deserialize, Serialize};

use super::Record;
use crate::ports::Version;

/// The format written today. Readers accept every format up to it.
pub const FORMAT: u8 = 1;

/// Stored bytes are not an item of a known format.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// Written by a newer program.
    #[error("item has format {0}, newer than {FORMAT}")]
    Newer(u8),
    /// Damaged.
    #[error("item is damaged")]
    Damaged(#[from] rmp_serde::decode::Error),
    /// Cannot be written.
    #[error("item cannot be encoded")]
    Unencodable(#[from] rmp_serde::encode::Error),
}

#[derive(Serialize)]
struct EnvelopeRef<'a> {
    format: u8,
    version: &'a Version,
    record: &'a Record,
}

#[derive(Deserialize)]
struct Envelope {
    format: u8,
    version: Version,
    record: Record,
}

/// Returns the bytes to store.
pub fn encode(version: &Version, record: &Record) -> Result<Vec<u8>, CodecError> {
    Ok(rmp_serde::to_vec_named(&EnvelopeRef { format: FORMAT, version, record })?)
}

/// Returns what was stored.
pub fn decode(bytes: &[u8]) -> Result<(Version, Record), CodecError> {
    let envelope: Envelope = rmp_serde::from_slice(bytes)?;
    if envelope.format > FORMAT {
        return Err(CodecError::Newer(envelope.format));
    }
    Ok((envelope.version, envelope.record))
}
