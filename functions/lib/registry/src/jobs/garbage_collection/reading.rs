//! What suspects are about: read at once, and one by one where something of it is damaged.

use super::fate::{Fate, or_damaged};
use super::queue::Visit;
use super::{Collector, Kind, Report};
use crate::Error;
use crate::ports::{Item, Key, StoreErrorKind};

/// What visits are about, as it was read.
type Found<T> = Vec<(Visit<T>, Option<Item>)>;

impl Collector {
    /// Reads what the visits are about. What cannot be understood is reported, and looked at again later.
    pub(super) async fn read<T: Clone>(
        &self,
        kind: Kind,
        visits: Vec<Visit<T>>,
        key: impl Fn(&T) -> Key,
        name: impl Fn(&T) -> String,
        report: &mut Report,
    ) -> Result<Found<T>, Error> {
        if visits.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<Key> = visits.iter().map(|visit| key(&visit.what)).collect();
        match self.registry.stores.items.get(&keys).await {
            Ok(items) => Ok(visits.into_iter().zip(items).collect()),
            Err(error) if error.kind == StoreErrorKind::Corrupt => {
                let (found, failed) = self.read_one_by_one(visits, keys).await?;
                self.settle(kind, failed, name, report).await?;
                Ok(found)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn read_one_by_one<T>(
        &self,
        visits: Vec<Visit<T>>,
        keys: Vec<Key>,
    ) -> Result<(Found<T>, Vec<(Visit<T>, Fate)>), Error> {
        let (mut found, mut failed) = (Vec::new(), Vec::new());
        for (visit, key) in visits.into_iter().zip(keys) {
            match or_damaged(self.registry.get(key).await)? {
                Ok(item) => found.push((visit, item)),
                Err(problem) => failed.push((visit, Fate::Failed(problem))),
            }
        }
        Ok((found, failed))
    }
}
