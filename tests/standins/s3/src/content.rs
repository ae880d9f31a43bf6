//! The bytes of objects and parts: slices of temporary files, so that a copy writes nothing.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, s3_error};
use tempfile::{NamedTempFile, TempPath};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt, AsyncWriteExt, BufWriter, SeekFrom};
use tokio_util::io::ReaderStream;

use crate::hashing::Hasher;

const BUFFER_BYTES: usize = 256 * 1024;

#[derive(Clone)]
struct Segment {
    /// The file goes when its last segment does.
    file: Arc<TempPath>,
    range: Range<u64>,
}

impl Segment {
    fn size_bytes(&self) -> u64 {
        self.range.end - self.range.start
    }

    async fn open(self) -> io::Result<ReaderStream<tokio::io::Take<File>>> {
        let mut file = File::open(&*self.file).await?;
        file.seek(SeekFrom::Start(self.range.start)).await?;
        Ok(ReaderStream::with_capacity(file.take(self.size_bytes()), BUFFER_BYTES))
    }
}

/// Bytes that lie in files, in order.
#[derive(Clone, Default)]
pub(crate) struct Content {
    segments: Vec<Segment>,
}

impl Content {
    pub(crate) fn size_bytes(&self) -> u64 {
        self.segments.iter().map(Segment::size_bytes).sum()
    }

    pub(crate) fn concat<'a>(parts: impl IntoIterator<Item = &'a Self>) -> Self {
        Self { segments: parts.into_iter().flat_map(|part| part.segments.clone()).collect() }
    }

    /// The part of the content within `range`, which must lie inside it.
    pub(crate) fn slice(&self, range: &Range<u64>) -> Self {
        let mut segments = Vec::new();
        let mut position = 0;
        for segment in &self.segments {
            let from = range.start.max(position);
            let to = range.end.min(position + segment.size_bytes());
            if from < to {
                let start = segment.range.start + from - position;
                segments.push(Segment { file: segment.file.clone(), range: start..start + to - from });
            }
            position += segment.size_bytes();
        }
        Self { segments }
    }

    pub(crate) fn stream(self) -> impl Stream<Item = io::Result<Bytes>> + Send + Sync + 'static {
        stream::iter(self.segments).then(Segment::open).try_flatten()
    }

    /// Reads everything through `hasher`.
    pub(crate) async fn hash(&self, hasher: &mut Hasher) -> S3Result {
        let mut bytes = std::pin::pin!(self.clone().stream());
        while let Some(chunk) = bytes.try_next().await.map_err(S3Error::internal_error)? {
            hasher.update(&chunk);
        }
        Ok(())
    }

    /// Writes a request's body into a new file, through `hasher`; `size_bytes` is what the request declared.
    pub(crate) async fn receive(
        folder: &Path,
        body: Option<StreamingBlob>,
        size_bytes: Option<u64>,
        hasher: &mut Hasher,
    ) -> S3Result<Self> {
        let file = NamedTempFile::new_in(folder).map_err(S3Error::internal_error)?;
        let (file, path) = file.into_parts();
        let mut writer = BufWriter::with_capacity(BUFFER_BYTES, File::from_std(file));
        let mut received_bytes = 0;
        if let Some(mut body) = body {
            while let Some(chunk) = body.next().await {
                let chunk = chunk.map_err(|source| body_error(&source))?;
                received_bytes += chunk.len() as u64;
                hasher.update(&chunk);
                writer.write_all(&chunk).await.map_err(S3Error::internal_error)?;
            }
        }
        writer.flush().await.map_err(S3Error::internal_error)?;
        if size_bytes.is_some_and(|declared| declared != received_bytes) {
            return Err(s3_error!(IncompleteBody));
        }
        Ok(Self { segments: vec![Segment { file: Arc::new(path), range: 0..received_bytes }] })
    }
}

/// The answer to a body that cannot be read to its end; s3s tells the reasons apart only in words.
fn body_error(source: &StdError) -> S3Error {
    let words = source.to_string();
    if words.contains("Sha256Mismatch") {
        let mut error = S3Error::new(S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()));
        error.set_message("The provided 'x-amz-content-sha256' header does not match what was computed.");
        error.set_status_code(http::StatusCode::BAD_REQUEST);
        return error;
    }
    match words.contains("SignatureMismatch") {
        true => s3_error!(SignatureDoesNotMatch),
        false => s3_error!(IncompleteBody, "{}", words),
    }
}
