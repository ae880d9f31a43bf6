//! Referrers: the manifests that name another as their subject.

use oci::limits::MANIFEST_MAX_BYTES;
use oci::{Descriptor, Digest, RepositoryName};

use crate::ports::Query;
use crate::records::keys;
use crate::{Error, Registry};

/// How many referrers are read at once: each may have 256 KiB of annotations.
const ITEMS_PER_QUERY: usize = 64;

/// A part of the list of referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferrersPage {
    /// The referrers.
    pub descriptors: Vec<Descriptor>,
    /// Where to go on, if there are more.
    pub next: Option<String>,
}

impl Registry {
    /// Lists up to `limit` referrers of the subject beyond `last` (a `next` of an earlier page).
    ///
    /// A page also ends before its descriptors outgrow a manifest.
    pub(crate) async fn referrer_list(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
        limit: usize,
        last: Option<&str>,
    ) -> Result<ReferrersPage, Error> {
        let mut page = ReferrersPage { descriptors: Vec::new(), next: None };
        let (mut size_bytes, mut after) = (0, last.map(str::to_owned));
        loop {
            let query = Query {
                pk: keys::referrer_partition(repository, subject),
                prefix: artifact_type.map(keys::referrers_of_type).unwrap_or_default(),
                after: after.clone(),
                limit: ITEMS_PER_QUERY,
                ..Query::default()
            };
            let items = self.stores.items.query(query).await?;
            let is_end = items.len() < ITEMS_PER_QUERY;
            for item in items {
                let record = item.record.as_referrer().ok_or_else(|| Error::Damaged(item.key.sk.clone()))?;
                size_bytes += json_bytes(&record.descriptor);
                let is_full = page.descriptors.len() == limit || size_bytes > MANIFEST_MAX_BYTES;
                if is_full && (limit == 0 || !page.descriptors.is_empty()) {
                    page.next = after.filter(|_| limit > 0);
                    return Ok(page);
                }
                page.descriptors.push(record.descriptor.clone());
                after = Some(item.key.sk);
            }
            if is_end {
                break;
            }
        }
        Ok(page)
    }
}

/// Returns how many bytes of JSON the descriptor takes in a list.
fn json_bytes(descriptor: &Descriptor) -> usize {
    const COMMA: usize = 1;
    serde_json::to_vec(descriptor).map_or(0, |json| json.len()) + COMMA
}
