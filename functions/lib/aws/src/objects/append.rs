//! Bytes of an upload: in parts while they last, and what is too short for a part as an object of its own.

use aws_sdk_s3::primitives;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use registry::ports::{AppendState, Appended, ByteStream, KeptState, ObjectKey, StoreError, StoreErrorKind};
use tokio::task::JoinHandle;

use super::S3;
use super::state::{PART_BYTES, PART_BYTES_MIN, Parts, Place, Tail, tail_key};
use crate::error::{has_code, store_error};

/// How many part numbers a request is given at once. What it does not use comes back, unless it comes to nothing.
const PLACES: usize = 8;

/// Appends all that the body yields.
pub(super) async fn append(
    store: &S3,
    key: &ObjectKey,
    kept: &mut dyn KeptState,
    mut body: ByteStream,
) -> Result<Appended, StoreError> {
    let mut upload = Upload::resume(store, key, kept).await?;
    let mut interrupted = None;
    while let Some(piece) = body.next().await {
        match piece {
            Ok(bytes) => upload.take(&bytes).await?,
            Err(error) => interrupted = Some(error),
        }
    }
    Ok(Appended { state: upload.end().await?, interrupted })
}

/// An upload while bytes are coming: one part on its way, the next one growing.
struct Upload<'a> {
    store: &'a S3,
    key: &'a ObjectKey,
    kept: &'a mut dyn KeptState,
    parts: Parts,
    /// How many numbers are this request's own; nothing while all are, because nobody else knows the multipart upload.
    places: Option<usize>,
    size_bytes: u64,
    buffer: BytesMut,
    on_its_way: Option<JoinHandle<Result<String, StoreError>>>,
}

impl<'a> Upload<'a> {
    /// Goes on where the state says; the tail comes back, to become part of a part.
    async fn resume(
        store: &'a S3,
        key: &'a ObjectKey,
        kept: &'a mut dyn KeptState,
    ) -> Result<Self, StoreError> {
        let (mut parts, size_bytes) = (Parts::of(kept.state())?, kept.state().size_bytes);
        let buffer = match parts.tail.take() {
            Some(tail) => read_tail(store, &tail).await?,
            None => BytesMut::new(),
        };
        let given = std::mem::take(&mut parts.given);
        parts.etags.extend((given > 0).then_some(Place::Skipped(given)));
        let places = parts.multipart_id.is_some().then_some(0);
        Ok(Self { store, key, kept, parts, places, size_bytes, buffer, on_its_way: None })
    }

    async fn take(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PART_BYTES - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            self.size_bytes += now.len() as u64;
            bytes = later;
            if self.buffer.len() == PART_BYTES {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    /// Sends the buffer as a part, as soon as the one before has arrived.
    async fn send_part(&mut self) -> Result<(), StoreError> {
        self.part_arrived().await?;
        self.take_place().await?;
        let multipart_id = match &self.parts.multipart_id {
            Some(id) => id.clone(),
            None => self.parts.multipart_id.insert(begin(self.store, self.key).await?).clone(),
        };
        let (store, key, number) = (self.store.clone(), self.key.clone(), self.parts.next_number());
        let bytes = self.buffer.split().freeze();
        let sending = async move { upload_part(&store, &key, &multipart_id, number, bytes).await };
        self.on_its_way = Some(tokio::spawn(sending));
        Ok(())
    }

    async fn take_place(&mut self) -> Result<(), StoreError> {
        if self.places == Some(0) {
            let mut kept = Parts::of(self.kept.state())?;
            self.places = Some(kept.give(PLACES)?);
            self.kept.replace(kept.state(self.kept.state().size_bytes)?).await?;
        }
        self.places = self.places.map(|places| places - 1);
        self.has_place()
    }

    fn has_place(&self) -> Result<(), StoreError> {
        if self.parts.places_left() == 0 { Err(self.parts.full()) } else { Ok(()) }
    }

    async fn part_arrived(&mut self) -> Result<(), StoreError> {
        let Some(sending) = self.on_its_way.take() else { return Ok(()) };
        let ended = |error| StoreError::caused(StoreErrorKind::Unavailable, "a part ended early", error);
        self.parts.etags.push(Place::Part(sending.await.map_err(ended)??));
        Ok(())
    }

    /// Stores what is left.
    async fn end(mut self) -> Result<AppendState, StoreError> {
        if self.buffer.len() as u64 >= PART_BYTES_MIN {
            self.send_part().await?;
        }
        self.part_arrived().await?;
        if !self.buffer.is_empty() {
            // The tail becomes a part in the end.
            self.has_place()?;
            self.parts.tail = Some(write_tail(self.store, self.key, self.buffer.split().freeze()).await?);
        }
        self.parts.state(self.size_bytes)
    }
}

async fn read_tail(store: &S3, tail: &Tail) -> Result<BytesMut, StoreError> {
    let lost = |kind, why: &str| StoreError::new(kind, format!("{} {why}", tail.key));
    // Like an upload that is over: the client begins anew.
    let gone = || lost(StoreErrorKind::AlreadyFinished, "is not there");
    let mut stream = store.bytes_of(&tail.key, None).await?.ok_or_else(gone)?;
    let mut bytes = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let broken = |error| StoreError::caused(StoreErrorKind::Unavailable, "the tail of an upload", error);
        bytes.extend_from_slice(&piece.map_err(broken)?);
    }
    match bytes.len() as u64 == tail.size_bytes {
        true => Ok(bytes),
        false => Err(lost(StoreErrorKind::Corrupt, "has another length")),
    }
}

async fn write_tail(store: &S3, object: &ObjectKey, bytes: Bytes) -> Result<Tail, StoreError> {
    let tail = Tail { key: tail_key(object), size_bytes: bytes.len() as u64, number: None };
    let put = store.client.put_object().bucket(&store.bucket).key(&tail.key);
    let put = put.body(primitives::ByteStream::from(bytes)).send().await;
    put.map_err(|error| store_error(format!("put of {}", tail.key), error))?;
    Ok(tail)
}

async fn begin(store: &S3, key: &ObjectKey) -> Result<String, StoreError> {
    let create = store.client.create_multipart_upload().bucket(&store.bucket).key(key.as_str());
    let created = create.send().await.map_err(|error| store_error(format!("upload of {key}"), error))?;
    let missing = || StoreError::new(StoreErrorKind::Unavailable, format!("upload of {key} has no id"));
    created.upload_id.ok_or_else(missing)
}

async fn upload_part(
    store: &S3,
    key: &ObjectKey,
    multipart_id: &str,
    number: i32,
    bytes: Bytes,
) -> Result<String, StoreError> {
    let part = store.client.upload_part().bucket(&store.bucket).key(key.as_str());
    let part = part.upload_id(multipart_id).part_number(number).body(primitives::ByteStream::from(bytes));
    match part.send().await {
        Ok(part) => Ok(unquoted(part.e_tag().unwrap_or_default())),
        Err(error) if has_code(&error, &["NoSuchUpload"]) => {
            Err(StoreError::caused(StoreErrorKind::AlreadyFinished, format!("upload of {key}"), error))
        }
        Err(error) => Err(store_error(format!("part {number} of {key}"), error)),
    }
}

/// Returns an entity tag without its quotes: ten thousand of them have to fit into an item.
pub(super) fn unquoted(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}
