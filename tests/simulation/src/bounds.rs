//! How long what nobody needs may stay, kind by kind, counted from the last thing that happened.
//!
//! Each thing is kept for a time, and a collection at the end of that time is enough (P4: the lease and one period, however
//! short the period is). What a collector leaves to the one after it is found here.
//!
//! | what | what keeps it | gone with a collection after |
//! |---|---|---|
//! | link, its edge to the blob, blob | the lease of the link | a lease |
//! | the same, if a deletion died that had flagged the link, and what needed it goes only now | the lease that began when a collector took the flag off | two leases |
//! | manifest that cannot be pulled | the lease of its push or deletion | a lease |
//! | edge, or line of a referrer, whose manifest cannot be pulled | the manifest | a lease |
//! | dead blob, object of a blob or manifest | readers who have its address | a lease, and an hour |
//! | manifest that a policy takes away | the lease of its push; after its subject has gone, the lease of that deletion | two leases |
//! | session that takes bytes | itself | a session |
//! | edge of a tag that went elsewhere | the policy's days of history: none, or as many as a session has | those days, or a lease |
//! | what is known of sessions, and what they stored beside blobs | the session, and whoever is storing the last of it | a session, and an hour |

use std::collections::BTreeSet;
use std::time::Duration;

use registry::Lifetimes;
use registry::jobs::garbage_collection::Policy;
use registry::ports::{Clock, Item, ItemScan, ObjectKey, ObjectScan, Timestamp};
use registry::records::keys::{self, EdgeSource};
use registry::records::{BlobState, EdgeRecord, ManifestBody, ManifestRecord, Record, SuspectRecord};

use crate::content::Universe;
use crate::verdict::Judge;

/// What has to be gone, each with all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    /// What a lease kept.
    Lease,
    /// And what somebody may have been reading.
    Object,
    /// And what a policy takes away; its blobs die only now.
    Policy,
    /// And sessions, and what tags left.
    Session,
    /// And what sessions left.
    Remains,
}

impl Bound {
    /// Returns whether nobody reads any more what has gone.
    fn is_after_readers(self) -> bool {
        !matches!(self, Self::Lease | Self::Policy)
    }
}

/// The name of a repository, and a digest in it.
type Place = (String, String);

/// What is stored, and what of it is needed.
struct Stock {
    items: Vec<Item>,
    policy: Policy,
    /// Manifests that can be pulled.
    manifests: BTreeSet<Place>,
    /// Manifests that a tag or an index leads to.
    held: BTreeSet<Place>,
    /// Blobs that manifests or leases keep.
    blobs: BTreeSet<Place>,
}

impl Judge {
    /// P4: collects once at the end of each time that anything is kept for.
    pub(crate) async fn nothing_stays_too_long(&self) {
        let Lifetimes { lease, upload, object } = self.world.plan.lifetimes;
        let session = upload.max(2 * lease + object).max(self.world.weather.policy.history);
        let bounds = [
            (Bound::Lease, lease),
            (Bound::Object, lease + object),
            (Bound::Policy, 2 * lease),
            (Bound::Session, session),
            (Bound::Remains, session + object),
        ];
        let mut passed = Duration::ZERO;
        for (bound, time) in bounds {
            self.collect_after(time.saturating_sub(passed)).await;
            self.judge_stock(bound).await;
            passed = time;
        }
    }

    async fn judge_stock(&self, bound: Bound) {
        let world = &self.world;
        let items = world.items.scan(None, usize::MAX).await.unwrap_or_default();
        let mut stock = Stock::new(items, &world.universe, world.weather.policy);
        if bound < Bound::Policy {
            stock.keep_leased(world.clock.now());
        }
        for item in &stock.items {
            if let Some(why) = stock.objection(item, bound) {
                self.accuse(format!("{bound:?}: {}/{} is left: {why}", item.key.pk, item.key.sk));
            }
        }
        let owned: BTreeSet<&ObjectKey> =
            stock.items.iter().filter_map(|item| owned_object(&item.record, bound)).collect();
        let objects = world.objects.scan().await.unwrap_or_default();
        for info in objects.iter().filter(|info| bound.is_after_readers() && !owned.contains(&info.key)) {
            self.accuse(format!("{bound:?}: object {} is left: nothing leads to it", info.key));
        }
    }
}

impl Stock {
    fn new(items: Vec<Item>, universe: &Universe, policy: Policy) -> Self {
        let visible = |item: &Item| item.record.as_manifest().is_some_and(|record| record.state.is_visible());
        let manifests: BTreeSet<Place> = items.iter().filter(|item| visible(item)).map(place).collect();
        let held = items.iter().filter_map(held_by).collect();
        let blobs = manifests.iter().flat_map(|(repository, digest)| {
            let number = universe.manifest_of(digest);
            let blobs = number.map(|number| universe.manifests[number].blobs.as_slice()).unwrap_or_default();
            blobs.iter().map(|&blob| (repository.clone(), universe.blobs[blob].digest.to_string()))
        });
        let blobs = blobs.collect();
        Self { items, policy, manifests, held, blobs }
    }

    /// A link whose lease a collector has begun anew keeps its blob.
    fn keep_leased(&mut self, now: Timestamp) {
        let is_leased = |item: &&Item| item.record.as_link().is_some_and(|link| link.lease_until > now);
        self.blobs.extend(self.items.iter().filter(is_leased).map(place));
    }

    /// Returns why the item ought to be gone by now.
    fn objection(&self, item: &Item, bound: Bound) -> Option<&'static str> {
        let has_ended = bound >= Bound::Session;
        match &item.record {
            Record::Manifest(_) if !self.manifests.contains(&place(item)) => Some("it cannot be pulled"),
            Record::Manifest(record) if bound >= Bound::Policy => self.policy_objection(item, record),
            Record::Referrer(record) => self.of_manifest(item, record.descriptor.digest.as_str()),
            Record::Edge(edge) => self.edge_objection(item, edge, has_ended),
            Record::Link(_) | Record::BlobEdge if !self.blobs.contains(&place(item)) => {
                Some("no manifest of the repository needs it")
            }
            Record::Blob(blob) if blob.state == BlobState::Dead => {
                bound.is_after_readers().then_some("it is dead")
            }
            Record::Blob(_) => {
                let is_needed = self.blobs.iter().any(|(_, digest)| item.key.pk.ends_with(digest));
                (!is_needed).then_some("no repository needs it")
            }
            Record::OpenUpload => has_ended.then_some("its session has ended"),
            Record::Upload(_)
            | Record::Suspect(SuspectRecord::Upload { .. } | SuspectRecord::Adoption { .. }) => {
                (bound == Bound::Remains).then_some("the session is long over")
            }
            _ => None,
        }
    }

    fn policy_objection(&self, item: &Item, record: &ManifestRecord) -> Option<&'static str> {
        let (repository, _) = place(item);
        let subject = record.subject.as_ref().map(|subject| (repository, subject.to_string()));
        let is_kept = self.policy.untagged.is_none()
            || self.held.contains(&place(item))
            || subject.is_some_and(|subject| self.manifests.contains(&subject));
        (!is_kept).then_some("no tag, index or subject keeps it")
    }

    fn edge_objection(&self, item: &Item, edge: &EdgeRecord, has_ended: bool) -> Option<&'static str> {
        match keys::parse_edge(&item.key.sk) {
            Some((_, EdgeSource::Manifest(source))) => self.of_manifest(item, source.as_str()),
            _ if edge.left.is_some() && (has_ended || self.policy.history.is_zero()) => {
                Some("its tag went elsewhere long ago")
            }
            _ => None,
        }
    }

    fn of_manifest(&self, item: &Item, digest: &str) -> Option<&'static str> {
        let manifest = (place(item).0, digest.to_owned());
        (!self.manifests.contains(&manifest)).then_some("its manifest cannot be pulled")
    }
}

/// Returns where the item is in a repository: for keys `R#<repository>…/<digest>` and `B#<digest>/L#<repository>`.
fn place(item: &Item) -> Place {
    let (kind, rest) = item.key.pk.split_once('#').unwrap_or_default();
    match (kind, item.key.sk.strip_prefix(keys::BLOB_EDGES)) {
        ("B", Some(repository)) => (repository.to_owned(), rest.to_owned()),
        _ => (rest.split('#').next().unwrap_or_default().to_owned(), item.key.sk.clone()),
    }
}

/// Returns what a tag or index leads to by this edge.
fn held_by(item: &Item) -> Option<Place> {
    let (target, _) = keys::parse_edge(&item.key.sk)?;
    item.record.as_edge().filter(|edge| edge.left.is_none())?;
    Some((place(item).0, target.to_string()))
}

/// Returns the object that the record leads to, or that it is known by.
fn owned_object(record: &Record, bound: Bound) -> Option<&ObjectKey> {
    match record {
        Record::Blob(blob) => Some(&blob.object),
        Record::Manifest(ManifestRecord { body: ManifestBody::Object(object), .. }) => Some(object),
        Record::Suspect(SuspectRecord::Upload { object, .. } | SuspectRecord::Adoption { object, .. }) => {
            (bound < Bound::Remains).then_some(object)
        }
        _ => None,
    }
}
