//! Adoption: what a client uploaded to the object store, past the registry, becomes a blob.
//!
//! It is set off by the store's own event, by a manifest that names a blob which is not there yet, and by the clock
//! for events that were lost. Each may happen again, and beside the others.

use std::cmp::Reverse;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use oci::{Algorithm, Digest, RepositoryName, UploadId};

use crate::ports::{AppendState, Item, ObjectKey, Query, Write};
use crate::records::{Lane, SuspectRecord, UploadRecord, UploadState, keys};
use crate::upload_commit::Verified;
use crate::uploads::OpenUpload;
use crate::{Blob, Error, Principal, Registry};

/// How long the push of a manifest waits for its blobs; the function ends after 29 s, and has more to do.
const WAIT: Duration = Duration::from_secs(15);

/// How many uploads are taken over at once.
const AT_ONCE: usize = 8;

/// How many open uploads are read in one call.
const PAGE: usize = 100;

impl Registry {
    /// Returns whether clients can send the bytes of an upload to the object store, which knows one algorithm only.
    pub(crate) fn offers_direct_uploads(&self, algorithm: Algorithm) -> bool {
        self.stores.abilities.uploads.is_some() && algorithm == Algorithm::Sha256
    }

    /// Returns the query that makes a PUT to the upload's URL a direct one.
    pub(crate) async fn direct_upload_query(&self, id: &UploadId) -> Result<String, Error> {
        match &self.stores.abilities.uploads {
            Some(uploads) => Ok(uploads.signed_put(id).await?),
            None => Ok(String::new()),
        }
    }

    /// Makes a blob of a direct upload; `None` if there is nothing to do: no bytes have arrived, or it is over.
    ///
    /// Repository and principal are those of the session, and the digest is what the store found the bytes to be,
    /// whatever the request said that brought them.
    pub async fn upload_adopt(&self, id: &UploadId) -> Result<Option<Blob>, Error> {
        match self.get(keys::upload(id)).await? {
            Some(item) => self.upload_adopt_item(id.clone(), item).await,
            None => Ok(None),
        }
    }

    /// Makes blobs of what this principal has uploaded directly to the repository.
    ///
    /// Returns whether a blob that was missing may be there now: also one that somebody else took over meanwhile.
    /// With an error some may be there, too: one that fails does not stop the others.
    pub(crate) async fn uploads_adopt(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
    ) -> Result<bool, Error> {
        if self.stores.abilities.copies.is_none() {
            return Ok(false);
        }
        let adopting = async {
            let mut own = self.own_open_uploads(repository, principal).await?;
            // The blobs of a push were begun just before its manifest; what a push left that broke off has waited longer.
            own.sort_by_key(|(_, item)| Reverse(item.record.as_upload().map(|upload| upload.expires)));
            let adoptions = own.into_iter().map(|(id, item)| self.upload_adopt_item(id, item));
            let adopted: Vec<_> = stream::iter(adoptions).buffer_unordered(AT_ONCE).collect().await;
            adopted.into_iter().try_for_each(|adopted| adopted.map(drop)).map(|()| true)
        };
        tokio::time::timeout(WAIT, adopting).await.unwrap_or(Err(Error::AdoptionUnderWay))
    }

    async fn own_open_uploads(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
    ) -> Result<Vec<(UploadId, Item)>, Error> {
        let (mut own, mut after) = (Vec::new(), None);
        loop {
            let ids = self.open_uploads(repository, after.as_ref()).await?;
            own.extend(self.uploads_of(principal, &ids).await?);
            match ids.last().filter(|_| ids.len() == PAGE) {
                Some(last) => after = Some(last.clone()),
                None => return Ok(own),
            }
        }
    }

    async fn open_uploads(
        &self,
        repository: &RepositoryName,
        after: Option<&UploadId>,
    ) -> Result<Vec<UploadId>, Error> {
        let query = Query {
            pk: keys::open_upload_partition(repository),
            after: after.map(|id| id.as_str().to_owned()),
            limit: PAGE,
            ..Query::default()
        };
        let items = self.stores.items.query(query).await?;
        Ok(items.iter().filter_map(|item| item.key.sk.parse().ok()).collect())
    }

    async fn uploads_of(
        &self,
        principal: &Principal,
        ids: &[UploadId],
    ) -> Result<Vec<(UploadId, Item)>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = ids.iter().map(keys::upload).collect();
        let found = self.stores.items.get(&keys).await?;
        let uploads = ids.iter().cloned().zip(found).filter_map(|(id, item)| Some((id, item?)));
        let is_own = |(_, item): &(UploadId, Item)| {
            item.record.as_upload().is_some_and(|upload| upload.principal == principal.as_str())
        };
        Ok(uploads.filter(is_own).collect())
    }

    async fn upload_adopt_item(&self, id: UploadId, item: Item) -> Result<Option<Blob>, Error> {
        let Some(copies) = &self.stores.abilities.copies else { return Ok(None) };
        let Some(record) = item.record.as_upload().filter(|record| self.is_adoptable(record)).cloned() else {
            return Ok(None);
        };
        // A key of its own for every attempt: the upload may change between two of them.
        let object = self.fresh_object_key();
        let suspect = SuspectRecord::Adoption { id: id.to_string(), object: object.clone() };
        let watch = self.suspect(suspect.clone(), self.lifetimes.upload);
        let unwatch = Write::Delete(watch.key().clone(), watch.unchanged().condition().clone());
        self.transact(vec![watch]).await?;
        let Some(copied) = copies.copy_upload(&id, &object).await? else {
            self.copy_forget(unwatch).await;
            return Ok(None);
        };
        let append = AppendState { size_bytes: copied.size_bytes, store: String::new() };
        let record = UploadRecord { object, append, algorithm: Algorithm::Sha256, ..record };
        let seen = self.upload_seen(&record.repository, &id, &copied.digest).await?;
        let mut upload = OpenUpload { id, item, record: record.clone() };
        let verified = Verified::object(record, Some(unwatch));
        match self.upload_commit(&mut upload, verified, &copied.digest, seen).await {
            Ok(blob) => Ok(Some(blob)),
            // Somebody else has ended the session, sends to it, or ends the repository, so nobody will ever need the copy; unless this
            // commit has ended it, without hearing of that in time. What the session became may be collected by now.
            Err(
                Error::UploadUnknown { .. }
                | Error::UploadInUse(_)
                | Error::BlobUnknown { .. }
                | Error::RepositoryEnding(_),
            ) => {
                if !self.is_object_of(&copied.digest, &upload.record.object).await? {
                    self.transact(vec![self.suspect(suspect, self.lifetimes.object)]).await?;
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Takes the note of a copy back that was never made. What cannot be taken back is the collector's.
    async fn copy_forget(&self, unwatch: Write) {
        if let Err(error) = self.transact(vec![unwatch]).await {
            tracing::warn!(error = %error, "the note of a copy that was not made stays for the collector");
        }
    }

    /// Returns whether the blob's bytes are in this object.
    async fn is_object_of(&self, digest: &Digest, object: &ObjectKey) -> Result<bool, Error> {
        let item = self.get(keys::blob(digest)).await?;
        Ok(item.as_ref().and_then(|item| item.record.as_blob()).is_some_and(|blob| blob.object == *object))
    }

    /// A session that has taken bytes itself is the client's to finish.
    fn is_adoptable(&self, record: &UploadRecord) -> bool {
        record.state == UploadState::Open
            && record.lane == Lane::Direct
            && record.append.size_bytes == 0
            && record.expires > self.now()
    }
}
