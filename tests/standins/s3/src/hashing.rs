//! Hashes of bytes as they pass.

use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};

use crate::checksums::{Algorithm, Checksum, encode};

/// What the bytes of one body amount to.
pub(crate) struct Digests {
    pub(crate) sha256: [u8; 32],
    /// The checksum to keep.
    pub(crate) checksum: Checksum,
    sums: s3s::dto::Checksum,
    pub(crate) md5: Option<[u8; 16]>,
}

impl Digests {
    /// The checksum of one algorithm, if the hasher had it.
    pub(crate) fn of(&self, algorithm: Algorithm) -> Option<Checksum> {
        let sums = &self.sums;
        let value = match algorithm {
            Algorithm::Crc32 => sums.checksum_crc32.clone(),
            Algorithm::Crc32c => sums.checksum_crc32c.clone(),
            Algorithm::Crc64Nvme => sums.checksum_crc64nvme.clone(),
            Algorithm::Sha1 => sums.checksum_sha1.clone(),
            Algorithm::Sha256 => Some(encode(&self.sha256)),
        };
        Some(Checksum::full_object(algorithm, value?))
    }
}

/// Hashes bytes as they pass; SHA-256 always, because the `ETag` is made of it.
pub(crate) struct Hasher {
    kept: Algorithm,
    hashes: s3s::checksum::ChecksumHasher,
    sha256: Sha256,
    md5: Option<Md5>,
}

impl Hasher {
    /// A hasher for the checksum that is kept.
    pub(crate) fn new(kept: Algorithm) -> Self {
        Self { kept, hashes: Default::default(), sha256: Sha256::new(), md5: None }.with(kept)
    }

    /// Computes the checksum of one more algorithm.
    pub(crate) fn with(mut self, algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Crc32 => self.hashes.crc32 = Some(Crc32::new()),
            Algorithm::Crc32c => self.hashes.crc32c = Some(Crc32c::new()),
            Algorithm::Crc64Nvme => self.hashes.crc64nvme = Some(Crc64Nvme::new()),
            Algorithm::Sha1 => self.hashes.sha1 = Some(Sha1::new()),
            Algorithm::Sha256 => {}
        }
        self
    }

    pub(crate) fn with_md5(self) -> Self {
        Self { md5: Some(Md5::new()), ..self }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.hashes.update(bytes);
        self.sha256.update(bytes);
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    pub(crate) fn finish(self) -> Digests {
        let checksum = Checksum::full_object(self.kept, String::new());
        let (sha256, sums) = (self.sha256.finalize(), self.hashes.finalize());
        let digests = Digests { sha256, checksum, sums, md5: self.md5.map(Md5::finalize) };
        match digests.of(self.kept) {
            Some(checksum) => Digests { checksum, ..digests },
            None => digests,
        }
    }
}
