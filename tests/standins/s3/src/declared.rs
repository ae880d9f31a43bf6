//! What a request says its body amounts to.

use http::HeaderMap;
use s3s::{S3Error, S3ErrorCode, S3Result, TrailingHeaders, s3_error};

use crate::checksums::{Algorithm, decode};
use crate::hashing::{Digests, Hasher};

/// What a request says its body amounts to. Only headers and trailers count: a checksum in a presigned query is
/// signed, but S3 does not compare it.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) algorithm: Option<Algorithm>,
    /// None with an algorithm: the value comes in the trailer.
    value: Option<String>,
    md5: Option<Vec<u8>>,
}

impl Declared {
    pub(crate) fn of(headers: &HeaderMap) -> S3Result<Self> {
        let md5 = text(headers, "content-md5").map(decode).transpose()?;
        if md5.as_ref().is_some_and(|md5| md5.len() != 16) {
            return Err(s3_error!(InvalidDigest, "The Content-MD5 you specified was invalid."));
        }
        let mut found: Vec<_> = Self::in_headers(headers).chain(Self::in_trailer(headers)).collect();
        let Some((algorithm, value)) = found.pop() else {
            Self::refuse_empty_promise(headers)?;
            return Ok(Self { algorithm: None, value: None, md5 });
        };
        if !found.is_empty() {
            let message =
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.";
            return Err(s3_error!(InvalidRequest, "{}", message));
        }
        if value.as_deref().is_some_and(|value| !is_digest(algorithm, value)) {
            return Err(s3_error!(InvalidRequest, "Value for {} header is invalid.", algorithm.header()));
        }
        Ok(Self { algorithm: Some(algorithm), value, md5 })
    }

    fn in_headers(headers: &HeaderMap) -> impl Iterator<Item = (Algorithm, Option<String>)> {
        headers.iter().filter_map(|(name, value)| {
            Some((Algorithm::of_header(name.as_str())?, Some(value.to_str().unwrap_or_default().to_owned())))
        })
    }

    fn in_trailer(headers: &HeaderMap) -> impl Iterator<Item = (Algorithm, Option<String>)> {
        let names = text(headers, "x-amz-trailer").unwrap_or_default().split(',');
        names.filter_map(|name| Some((Algorithm::of_header(name.trim())?, None)))
    }

    fn refuse_empty_promise(headers: &HeaderMap) -> S3Result {
        if headers.contains_key("x-amz-sdk-checksum-algorithm") {
            let message = "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or \
                           x-amz-trailer headers were found.";
            return Err(s3_error!(InvalidRequest, "{}", message));
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.algorithm.is_none() && self.md5.is_none()
    }

    /// A hasher for what was declared and for the checksum to keep.
    pub(crate) fn hasher(&self, kept: Algorithm) -> Hasher {
        let hasher = Hasher::new(kept).with(self.algorithm.unwrap_or(kept));
        match self.md5 {
            Some(_) => hasher.with_md5(),
            None => hasher,
        }
    }

    /// Compares what came with what was declared; call it when the body has ended.
    pub(crate) fn compare(&self, digests: &Digests, trailers: Option<&TrailingHeaders>) -> S3Result {
        if let (Some(declared), Some(md5)) = (&self.md5, &digests.md5)
            && declared != md5
        {
            return Err(s3_error!(
                BadDigest,
                "The Content-MD5 you specified did not match what we received."
            ));
        }
        let Some(algorithm) = self.algorithm else { return Ok(()) };
        let declared = match &self.value {
            Some(value) => value.clone(),
            None => trailer(algorithm, trailers)?,
        };
        if digests.of(algorithm).is_none_or(|sum| sum.value != declared) {
            let name = algorithm.name();
            return Err(s3_error!(
                BadDigest,
                "The {} you specified did not match the calculated checksum.",
                name
            ));
        }
        Ok(())
    }
}

fn is_digest(algorithm: Algorithm, value: &str) -> bool {
    decode(value).is_ok_and(|raw| raw.len() == algorithm.size_bytes())
}

fn trailer(algorithm: Algorithm, trailers: Option<&TrailingHeaders>) -> S3Result<String> {
    let found = trailers.and_then(|trailers| {
        trailers.read(|headers| text(headers, &algorithm.header()).map(str::to_owned)).flatten()
    });
    found.ok_or_else(|| {
        let mut error = S3Error::new(S3ErrorCode::Custom("MalformedTrailerError".into()));
        error.set_message("The request contained trailing data that was not well-formed.");
        error.set_status_code(http::StatusCode::BAD_REQUEST);
        error
    })
}

/// The value of a header where it has one in plain text.
pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
