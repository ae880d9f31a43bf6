//! Deleting a tag alone.

use std::time::Duration;

use oci::{Reference, RepositoryName, Tag};

use crate::manifests::manifest_unknown;
use crate::manifests::suspects::manifest_suspect;
use crate::ports::{Condition, Write};
use crate::records::{ImmutableTags, keys};
use crate::registry::ATTEMPTS;
use crate::{Error, Principal, Registry};

impl Registry {
    /// Deletes the tag alone.
    pub(crate) async fn tag_delete(
        &self,
        repository: &RepositoryName,
        principal: &Principal,
        tag: &Tag,
    ) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let found =
                self.stores.items.get(&[keys::tag(repository, tag), keys::repository(repository)]).await?;
            let [item, repository_item] = <[_; 2]>::try_from(found).unwrap_or_default();
            let seen = item.as_ref().and_then(|item| Some((item, item.record.as_tag()?)));
            let unknown = || manifest_unknown(repository, &Reference::Tag(tag.clone()));
            let (item, record) = seen.ok_or_else(unknown)?;
            if ImmutableTags::of(repository_item.as_ref()).covers(tag) {
                return Err(Error::tag_immutable(repository, tag));
            }
            let mut writes = vec![Write::Delete(item.key.clone(), Condition::Version(item.version.clone()))];
            writes.extend(self.tag_left_writes(repository, tag, record, None, principal));
            writes.push(self.suspect(manifest_suspect(repository, &record.digest), Duration::ZERO));
            writes.push(self.event(self.tag_deleted(repository, principal, &record.digest, tag)));
            if self.transact(writes).await?.is_none() {
                return Ok(());
            }
        }
        Err(Error::Contended)
    }
}
