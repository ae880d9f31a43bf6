//! Manifests on their way in: they are held in memory, and all of them together within a limit.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use oci::limits::MANIFEST_MAX_BYTES;
use oci::{ErrorCode, ManifestInvalid};
use tokio::time::timeout;

use super::error::HttpError;
use super::request::byte_stream;
use super::respond::Body;
use crate::access::Party;
use crate::shares::{Share, Shares};

/// A manifest up to here takes no place: nearly all are smaller, and nobody's large ones make them wait.
const SMALL_BYTES_MAX: usize = 64 * 1024;

/// How many of the largest manifests are held at one moment.
const PLACES: usize = 8;

/// How many of one party: a client pushes few at once, and nobody has all places.
const PLACES_OF_ONE: usize = 4;

/// How long one waits for a place.
const PLACE_WITHIN: Duration = Duration::from_secs(10);

/// How long a manifest may take to arrive: who sends it slowly keeps others from a place.
const ARRIVES_WITHIN: Duration = Duration::from_secs(60);

/// The places for large manifests. Cloning it is cheap, and clones share them.
#[derive(Clone)]
pub(crate) struct ManifestRoom(Shares<Party>);

/// A place for a large manifest, free again when it is dropped.
type Place = [Share; 2];

impl Default for ManifestRoom {
    fn default() -> Self {
        Self(Shares::new(PLACES, PLACES_OF_ONE))
    }
}

impl ManifestRoom {
    /// Reads the whole body, but no more than a manifest may have. Its place is taken until what is returned is dropped.
    pub(crate) async fn read(
        &self,
        party: &Party,
        body: Body,
        length: Option<u64>,
    ) -> Result<(Bytes, Option<Place>), HttpError> {
        let size_bytes = length.map_or(0, |length| usize::try_from(length).unwrap_or(usize::MAX));
        check_size(size_bytes)?;
        let mut place = None;
        if size_bytes > SMALL_BYTES_MAX {
            place = Some(self.place(party).await?);
        }
        let late = |_| HttpError::new(ErrorCode::ManifestInvalid, "the manifest did not come in time");
        let bytes = timeout(ARRIVES_WITHIN, self.read_all(party, body, &mut place)).await.map_err(late)??;
        Ok((bytes, place))
    }

    async fn read_all(
        &self,
        party: &Party,
        body: Body,
        place: &mut Option<Place>,
    ) -> Result<Bytes, HttpError> {
        let mut stream = byte_stream(body);
        let mut bytes = BytesMut::new();
        while let Some(piece) = stream.next().await {
            let broken = |_| HttpError::new(ErrorCode::ManifestInvalid, "the manifest broke off");
            bytes.extend_from_slice(&piece.map_err(broken)?);
            check_size(bytes.len())?;
            if bytes.len() > SMALL_BYTES_MAX && place.is_none() {
                *place = Some(self.place(party).await?);
            }
        }
        Ok(bytes.freeze())
    }

    async fn place(&self, party: &Party) -> Result<Place, HttpError> {
        let busy = |_| {
            let message = "many large manifests are being pushed at this moment; try again soon";
            HttpError::new(ErrorCode::TooManyRequests, message)
        };
        let place = async { [self.0.own(party).await, self.0.common().await] };
        timeout(PLACE_WITHIN, place).await.map_err(busy)
    }
}

fn check_size(size_bytes: usize) -> Result<(), HttpError> {
    if size_bytes > MANIFEST_MAX_BYTES {
        return Err(ManifestInvalid::TooLarge { size_bytes }.into());
    }
    Ok(())
}
