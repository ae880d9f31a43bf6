//! What S3 calls flexible checksums: the algorithms, whole and composite values, and the rules between.

use s3s::{S3Result, s3_error};

use crate::hashing::Hasher;

/// A checksum algorithm of S3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    const ALL: [Self; 5] = [Self::Crc32, Self::Crc32c, Self::Crc64Nvme, Self::Sha1, Self::Sha256];

    /// The name in `x-amz-checksum-algorithm`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(crate) fn parse(name: &str) -> S3Result<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name() == name)
            .ok_or_else(|| s3_error!(InvalidRequest, "Checksum algorithm provided is unsupported: {}", name))
    }

    /// The algorithm of a header such as `x-amz-checksum-sha256`.
    pub(crate) fn of_header(name: &str) -> Option<Self> {
        let suffix = name.strip_prefix("x-amz-checksum-")?;
        Self::ALL.into_iter().find(|algorithm| algorithm.name().eq_ignore_ascii_case(suffix))
    }

    pub(crate) fn header(self) -> String {
        format!("x-amz-checksum-{}", self.name().to_ascii_lowercase())
    }

    pub(crate) fn size_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64Nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// The base64 digest of `bytes`.
    fn digest(self, bytes: &[u8]) -> String {
        let mut hasher = Hasher::new(self);
        hasher.update(bytes);
        hasher.finish().checksum.value
    }
}

/// Whether a checksum covers the object's bytes or the checksums of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChecksumKind {
    FullObject,
    Composite,
}

impl ChecksumKind {
    /// The word in `x-amz-checksum-type`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    /// The kind of a multipart upload, from the headers that created it; refuses what S3 cannot compute.
    pub(crate) fn of_upload(algorithm: Option<Algorithm>, kind: Option<&str>) -> S3Result<Self> {
        use Algorithm::{Crc32, Crc32c, Crc64Nvme, Sha1, Sha256};
        match (algorithm, kind) {
            (None, Some(_)) => Err(s3_error!(
                InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            )),
            (None | Some(Crc64Nvme), None) => Ok(Self::FullObject),
            (Some(_), None) => Ok(Self::Composite),
            (Some(Crc64Nvme | Crc32 | Crc32c), Some("FULL_OBJECT")) => Ok(Self::FullObject),
            (Some(Sha1 | Sha256 | Crc32 | Crc32c), Some("COMPOSITE")) => Ok(Self::Composite),
            (Some(algorithm), Some(kind @ ("FULL_OBJECT" | "COMPOSITE"))) => Err(s3_error!(
                InvalidRequest,
                "The {} checksum type cannot be used with the {} checksum algorithm.",
                kind,
                algorithm.name().to_ascii_lowercase()
            )),
            _ => Err(s3_error!(InvalidRequest, "Value for x-amz-checksum-type header is invalid.")),
        }
    }
}

/// A checksum of an object or a part; a composite value ends in `-<parts>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: Algorithm,
    pub(crate) kind: ChecksumKind,
    pub(crate) value: String,
}

impl Checksum {
    pub(crate) fn full_object(algorithm: Algorithm, value: String) -> Self {
        Self { algorithm, kind: ChecksumKind::FullObject, value }
    }

    /// The checksum of an object from those of its parts, each with the size of its part.
    pub(crate) fn of_parts(kind: ChecksumKind, parts: &[(&Self, u64)]) -> S3Result<Self> {
        let Some((first, _)) = parts.first() else { return Err(s3_error!(MalformedXML)) };
        let algorithm = first.algorithm;
        match kind {
            ChecksumKind::Composite => {
                let mut raw = Vec::new();
                for (part, _) in parts {
                    raw.extend(decode(&part.value)?);
                }
                let value = format!("{}-{}", algorithm.digest(&raw), parts.len());
                Ok(Self { algorithm, kind, value })
            }
            ChecksumKind::FullObject => combine(algorithm, parts),
        }
    }

    /// Whether `given` is this value; a composite one may come without its `-<parts>`.
    pub(crate) fn matches(&self, given: &str) -> bool {
        given == self.value || given == self.value.split('-').next().unwrap_or_default()
    }
}

fn combine(algorithm: Algorithm, parts: &[(&Checksum, u64)]) -> S3Result<Checksum> {
    let crc = match algorithm {
        Algorithm::Crc32 => crc_fast::CrcAlgorithm::Crc32IsoHdlc,
        Algorithm::Crc32c => crc_fast::CrcAlgorithm::Crc32Iscsi,
        Algorithm::Crc64Nvme => crc_fast::CrcAlgorithm::Crc64Nvme,
        Algorithm::Sha1 | Algorithm::Sha256 => return Err(s3_error!(InvalidRequest)),
    };
    let mut combined: Option<u64> = None;
    for (part, size_bytes) in parts {
        let next = decode(&part.value)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        combined = Some(match combined {
            Some(before) => crc_fast::checksum_combine(crc, before, next, *size_bytes),
            None => next,
        });
    }
    let bytes = combined.unwrap_or_default().to_be_bytes();
    Ok(Checksum::full_object(algorithm, encode(&bytes[bytes.len() - algorithm.size_bytes()..])))
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

pub(crate) fn decode(value: &str) -> S3Result<Vec<u8>> {
    base64_simd::STANDARD.decode_to_vec(value).map_err(|_| s3_error!(InvalidDigest))
}

/// The one checksum among the five fields of a request's element, or none.
macro_rules! given_checksum {
    ($element:expr) => {
        [
            (Algorithm::Crc32, &$element.checksum_crc32),
            (Algorithm::Crc32c, &$element.checksum_crc32c),
            (Algorithm::Crc64Nvme, &$element.checksum_crc64nvme),
            (Algorithm::Sha1, &$element.checksum_sha1),
            (Algorithm::Sha256, &$element.checksum_sha256),
        ]
        .into_iter()
        .find_map(|(algorithm, value)| Some((algorithm, value.clone()?)))
    };
}

/// Writes a checksum into the one of the five fields of an answer's element that is meant for it.
macro_rules! put_checksum {
    ($element:expr, $checksum:expr) => {{
        let value = Some($checksum.value.clone());
        match $checksum.algorithm {
            Algorithm::Crc32 => $element.checksum_crc32 = value,
            Algorithm::Crc32c => $element.checksum_crc32c = value,
            Algorithm::Crc64Nvme => $element.checksum_crc64nvme = value,
            Algorithm::Sha1 => $element.checksum_sha1 = value,
            Algorithm::Sha256 => $element.checksum_sha256 = value,
        }
    }};
}

pub(crate) use {given_checksum, put_checksum};
