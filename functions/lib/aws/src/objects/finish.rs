//! An upload becomes an object, or is forgotten.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use registry::ports::{AppendState, KeptState, ObjectKey, StoreError, StoreErrorKind};

use super::S3;
use super::append::unquoted;
use super::state::{Parts, Tail};
use crate::conflict::{MET_ANOTHER, settled};
use crate::connect::{COMPLETION_TIMEOUT, completing};
use crate::error::{has_code, store_error};

/// What S3 says when the object is there already, or the upload not any more, wholly or in part.
///
/// What is lost does not come back: who asks for the object next finds none, and the client begins anew.
const OVER: &[&str] = &["PreconditionFailed", "NoSuchUpload", "InvalidPart", "NoSuchKey"];

/// How long a completion waits for another write of its object. The other may be an attempt whose answer was lost, which
/// ends soon; if it does not, S3 may mean for good that the upload is to be begun anew.
const COMPLETION_PATIENCE: Duration = Duration::from_secs(10);

/// Makes the upload an object. What the registry has in parts is put together where it is.
pub(super) async fn finish(
    store: &S3,
    key: &ObjectKey,
    state: &AppendState,
    kept: &mut dyn KeptState,
) -> Result<(), StoreError> {
    let parts = Parts::of(state)?;
    let done = match (&parts.multipart_id, &parts.tail) {
        (Some(id), Some(tail)) => {
            let number = tail_number(&parts, tail, kept).await?;
            complete(store, key, id, &parts, Some((number, tail))).await?
        }
        (Some(id), None) => complete(store, key, id, &parts, None).await?,
        (None, Some(tail)) => copy(store, key, tail).await?,
        (None, None) => put_empty(store, key).await?,
    };
    // What is there may be another process's: as long, but of other bytes. Whoever asks has to read it.
    match done {
        true => Ok(()),
        false => Err(StoreError::new(StoreErrorKind::AlreadyFinished, format!("upload of {key}"))),
    }
}

/// Forgets the parts; tails vanish by themselves.
pub(super) async fn abort(store: &S3, key: &ObjectKey, state: &AppendState) -> Result<(), StoreError> {
    let Some(multipart_id) = Parts::of(state)?.multipart_id else { return Ok(()) };
    let abort = store.client.abort_multipart_upload().bucket(&store.bucket).key(key.as_str());
    match abort.upload_id(multipart_id).send().await {
        Ok(_) => Ok(()),
        Err(error) if has_code(&error, OVER) => Ok(()),
        Err(error) => Err(store_error(format!("abort of {key}"), error)),
    }
}

/// Returns as which part the tail is sent: where no request sends other bytes.
async fn tail_number(parts: &Parts, tail: &Tail, kept: &mut dyn KeptState) -> Result<i32, StoreError> {
    let mut shared = Parts::of(kept.state())?;
    if shared.multipart_id != parts.multipart_id {
        // This request has begun the multipart upload, and nobody else knows it.
        return Ok(parts.next_number());
    }
    if let Some(number) = shared.number_of(tail) {
        return Ok(number);
    }
    let number = shared.give_to(tail)?;
    kept.replace(shared.state(kept.state().size_bytes)?).await?;
    Ok(number)
}

/// Returns whether it happened; otherwise it happened before, or cannot any more.
async fn complete(
    store: &S3,
    key: &ObjectKey,
    multipart_id: &str,
    parts: &Parts,
    tail: Option<(i32, &Tail)>,
) -> Result<bool, StoreError> {
    let part = |(number, etag): (i32, &str)| {
        CompletedPart::builder().part_number(number).e_tag(format!("\"{etag}\"")).build()
    };
    let mut completed: Vec<_> = parts.numbered().map(part).collect();
    if let Some((number, tail)) = tail {
        match copy_part(store, key, multipart_id, number, tail).await? {
            Some(etag) => completed.push(part((number, &etag))),
            None => return Ok(false),
        }
    }
    let completed = CompletedMultipartUpload::builder().set_parts(Some(completed)).build();
    let complete = store.client.complete_multipart_upload().bucket(&store.bucket).key(key.as_str());
    let complete = complete.upload_id(multipart_id).multipart_upload(completed).if_none_match("*");
    let send = || complete.clone().customize().config_override(completing()).send();
    match settled(store, COMPLETION_PATIENCE, send).await {
        Ok(_) => Ok(true),
        Err(error) if has_code(&error, OVER) => Ok(false),
        // Whoever asks for the object next finds the other's; or none, and the client begins anew.
        Err(error) if has_code(&error, &[MET_ANOTHER]) => {
            Err(StoreError::caused(StoreErrorKind::AlreadyFinished, format!("completion of {key}"), error))
        }
        Err(error) => Err(store_error(format!("completion of {key}"), error)),
    }
}

/// Makes the tail the last part; `None` if the upload is over.
async fn copy_part(
    store: &S3,
    key: &ObjectKey,
    multipart_id: &str,
    number: i32,
    tail: &Tail,
) -> Result<Option<String>, StoreError> {
    let copy = store.client.upload_part_copy().bucket(&store.bucket).key(key.as_str());
    let copy = copy.upload_id(multipart_id).part_number(number).copy_source(store.copy_source(&tail.key));
    match copy.send().await {
        Ok(copied) => {
            let etag = copied.copy_part_result.and_then(|result| result.e_tag);
            Ok(Some(unquoted(&etag.unwrap_or_default())))
        }
        Err(error) if has_code(&error, OVER) => Ok(None),
        Err(error) => Err(store_error(format!("last part of {key}"), error)),
    }
}

async fn copy(store: &S3, key: &ObjectKey, tail: &Tail) -> Result<bool, StoreError> {
    let copy = store.client.copy_object().bucket(&store.bucket).key(key.as_str());
    let copy = copy.copy_source(store.copy_source(&tail.key)).if_none_match("*");
    match settled(store, COMPLETION_TIMEOUT, || copy.clone().send()).await {
        Ok(_) => Ok(true),
        Err(error) if has_code(&error, OVER) => Ok(false),
        Err(error) => Err(store_error(format!("copy to {key}"), error)),
    }
}

async fn put_empty(store: &S3, key: &ObjectKey) -> Result<bool, StoreError> {
    let put = || store.client.put_object().bucket(&store.bucket).key(key.as_str());
    let send = || put().body(ByteStream::from_static(b"")).if_none_match("*").send();
    match settled(store, COMPLETION_TIMEOUT, send).await {
        Ok(_) => Ok(true),
        Err(error) if has_code(&error, OVER) => Ok(false),
        Err(error) => Err(store_error(format!("put of {key}"), error)),
    }
}
