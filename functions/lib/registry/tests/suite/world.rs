//! A registry on stores in memory, with everything around it that a test may turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use oci::UploadId;
use registry::access::{Access, AccessOptions, KeyRing};
use registry::jobs::fsck::{Severity, fsck};
use registry::jobs::garbage_collection::{Budget, Collector, Policy, Report};
use registry::ports::{
    Abilities, Clock, Condition, Item, ItemScan, ItemStore, ObjectStore, Timestamp, VerifiedCopy, Write,
};
use registry::records::Record;
use registry::testing::{Hook, Hooked, MemoryItems, MemoryObjects, SeededRandom, SetClock};
use registry::{Lifetimes, Registry, Stores};

use crate::client::{Client, blob, upload_id};
use crate::content::Content;
use crate::overtaken::Overtaken;
use crate::probe::Probe;
use crate::yielding::Yielding;

/// The name of the registry in its tokens.
pub(crate) const SERVICE: &str = "registry.test";

/// What all its processes sign with.
pub(crate) const SIGNING_SECRET: &[u8] = b"the signing secret of the tests, long enough";

/// Stores, clock and probe; any number of processes can serve from them.
pub(crate) struct World {
    pub(crate) items: Arc<MemoryItems>,
    pub(crate) objects: Arc<MemoryObjects>,
    pub(crate) clock: Arc<SetClock>,
    pub(crate) probe: Arc<Probe>,
    stores: Stores,
}

impl World {
    /// Returns an empty world whose calls happen at once.
    pub(crate) fn new() -> Self {
        Self::with(1, MemoryObjects::default(), |items, objects| (items, objects))
    }

    /// Returns an empty world in which a commit may have to reserve a place, too.
    pub(crate) fn with_tails() -> Self {
        Self::with(1, MemoryObjects::with_tails(), |items, objects| (items, objects))
    }

    /// Returns an empty world whose calls step aside for other tasks, as often as the seed says.
    pub(crate) fn yielding(seed: u64) -> Self {
        let random = Arc::new(SeededRandom::new(seed));
        // The stricter ones: on S3 a commit may have to reserve a place, too.
        Self::with(seed, MemoryObjects::with_tails(), |items, objects| {
            (Arc::new(Yielding::new(items, Arc::clone(&random))), Arc::new(Yielding::new(objects, random)))
        })
    }

    /// Returns an empty world whose clients can reach the objects without the registry in between.
    pub(crate) fn direct() -> Self {
        Self::new().with_abilities(|copies| copies)
    }

    /// Returns such a world whose calls step aside, too.
    pub(crate) fn direct_yielding(seed: u64) -> Self {
        let random = Arc::new(SeededRandom::new(seed ^ 0x5eed));
        Self::yielding(seed).with_abilities(|copies| Arc::new(Yielding::new(copies, random)))
    }

    /// Returns this world with every ability; `around` may put something before the copies.
    pub(crate) fn with_abilities(
        mut self,
        around: impl FnOnce(Arc<dyn VerifiedCopy>) -> Arc<dyn VerifiedCopy>,
    ) -> Self {
        let copies = Hooked::new(Arc::clone(&self.objects), Arc::clone(&self.probe) as _);
        self.stores.abilities = Abilities {
            downloads: Some(Arc::clone(&self.objects) as _),
            uploads: Some(Arc::clone(&self.objects) as _),
            copies: Some(around(Arc::new(copies))),
            ..Abilities::default()
        };
        self
    }

    /// Returns this world, in which no process may delete objects.
    pub(crate) fn leaving_garbage(mut self) -> Self {
        self.stores.abilities.leaves_garbage = true;
        self
    }

    fn with(
        seed: u64,
        objects: MemoryObjects,
        around: impl FnOnce(
            Arc<dyn ItemStore>,
            Arc<dyn ObjectStore>,
        ) -> (Arc<dyn ItemStore>, Arc<dyn ObjectStore>),
    ) -> Self {
        let (items, objects) = (Arc::new(MemoryItems::default()), Arc::new(objects));
        let (clock, probe) = (Arc::new(SetClock::default()), Arc::new(Probe::default()));
        let (outer_items, outer_objects) = around(
            Arc::new(Hooked::new(Arc::clone(&items), Arc::clone(&probe) as _)),
            Arc::new(Hooked::new(Arc::clone(&objects), Arc::clone(&probe) as _)),
        );
        let stores = Stores {
            items: outer_items,
            objects: outer_objects,
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SeededRandom::new(!seed)),
            abilities: Abilities::default(),
        };
        let calm =
            Stores { items: Arc::clone(&items) as _, objects: Arc::clone(&objects) as _, ..stores.clone() };
        let days = Arc::clone(&clock);
        probe.set_meanwhile(move || collect_days_later(&calm, &days));
        Self { items, objects, clock, probe, stores }
    }

    /// Returns a client of a process that has just started.
    pub(crate) fn client(&self) -> Client {
        Client::of(self.registry())
    }

    /// Returns the accounts of a process that has just started.
    pub(crate) fn access(&self) -> Access {
        self.access_with(AccessOptions { notes_use: true, ..AccessOptions::default() })
    }

    /// Returns the accounts of a process over whose calls the hook decides.
    pub(crate) fn access_hooked(&self, hook: impl Hook + 'static) -> Access {
        self.access_hooked_with(hook, AccessOptions { notes_use: true, ..AccessOptions::default() })
    }

    /// Returns the same with options.
    pub(crate) fn access_hooked_with(&self, hook: impl Hook + 'static, options: AccessOptions) -> Access {
        let keys = KeyRing::new(SERVICE, SIGNING_SECRET, &[]);
        Access::new(Registry::new(self.hooked(hook), Lifetimes::default()), keys, options, None)
    }

    /// Returns a client of a process over whose calls the hook decides.
    pub(crate) fn client_hooked(&self, hook: impl Hook + 'static) -> Client {
        Client::of(Registry::new(self.hooked(hook), Lifetimes::default()))
    }

    fn hooked(&self, hook: impl Hook + 'static) -> Stores {
        let hook: Arc<dyn Hook> = Arc::new(hook);
        Stores {
            items: Arc::new(Hooked::new(Arc::clone(&self.items), Arc::clone(&hook))),
            objects: Arc::new(Hooked::new(Arc::clone(&self.objects), hook)),
            ..self.stores.clone()
        }
    }

    /// Returns the registry of a process with these items and this clock.
    pub(crate) fn registry_on(&self, items: impl ItemStore + 'static, clock: Arc<dyn Clock>) -> Registry {
        let stores = Stores { items: Arc::new(items), clock, ..self.stores.clone() };
        Registry::new(stores, Lifetimes::default())
    }

    /// Returns a client of a process that others always overtake: whatever it writes has changed in between.
    pub(crate) fn client_overtaken(&self) -> Client {
        let items = Arc::new(Overtaken(Arc::clone(&self.items)));
        Client::of(Registry::new(Stores { items, ..self.stores.clone() }, Lifetimes::default()))
    }

    /// Returns the accounts of a process whose clock is behind.
    pub(crate) fn access_behind(&self, secs: u64) -> Access {
        let now = self.clock.now().as_millis();
        let clock = SetClock::at(Timestamp::from_millis(now - secs * 1000));
        let stores = Stores { clock: Arc::new(clock), ..self.stores.clone() };
        let keys = KeyRing::new(SERVICE, SIGNING_SECRET, &[]);
        Access::new(
            Registry::new(stores, Lifetimes::default()),
            keys,
            AccessOptions { notes_use: true, ..AccessOptions::default() },
            None,
        )
    }

    /// Returns the same with options.
    pub(crate) fn access_with(&self, options: AccessOptions) -> Access {
        let keys = KeyRing::new(SERVICE, SIGNING_SECRET, &[]);
        Access::new(Registry::new(self.stores.clone(), Lifetimes::default()), keys, options, None)
    }

    /// Uploads the blob past the registry, as containerd does by the edge; nobody tells the registry.
    pub(crate) async fn send_direct(&self, client: &Client, repository: &str, blob: &Content) -> UploadId {
        let id = upload_id(&client.begin(repository).await);
        self.objects.receive(id.clone(), blob.bytes.clone());
        id
    }

    /// Returns the blob as a client reads it that follows redirects.
    pub(crate) async fn read_blob(&self, client: &Client, repository: &str, digest: &str) -> Bytes {
        let reply = client.get(&blob(repository, digest)).await.expect(307);
        self.objects.serve(reply.header("location")).unwrap()
    }

    /// Fails if a promise is broken, as far as that can be seen from storage.
    pub(crate) async fn fsck(&self) {
        let broken = self.broken().await;
        assert!(broken.is_empty(), "{broken:#?}");
    }

    /// Returns every broken promise that can be seen from storage.
    pub(crate) async fn broken(&self) -> Vec<String> {
        let report = fsck(&*self.items, &*self.objects, true).await.unwrap();
        let broken = report.findings.iter().filter(|finding| finding.severity == Severity::Broken);
        broken.map(|finding| format!("{}: {}", finding.what, finding.problem)).collect()
    }

    /// Returns what is stored and needed by nobody.
    pub(crate) async fn garbage(&self) -> Vec<String> {
        let report = fsck(&*self.items, &*self.objects, true).await.unwrap();
        let garbage = report.findings.iter().filter(|finding| finding.severity == Severity::Garbage);
        garbage.map(|finding| format!("{}: {}", finding.what, finding.problem)).collect()
    }

    /// Returns how many items of each kind there are, and how many objects.
    pub(crate) async fn stored(&self) -> BTreeMap<&'static str, u64> {
        let report = fsck(&*self.items, &*self.objects, false).await.unwrap();
        let objects = (report.objects > 0).then_some(("object", report.objects));
        report.counts.into_iter().chain(objects).collect()
    }

    /// Returns the registry of a process that has just started.
    pub(crate) fn registry(&self) -> Registry {
        Registry::new(self.stores.clone(), Lifetimes::default())
    }

    /// Returns a collector in a process that has just started.
    pub(crate) fn collector(&self, policy: Policy) -> Collector {
        Collector::new(self.registry(), policy)
    }

    /// Returns a collector over whose calls the hook decides.
    pub(crate) fn collector_hooked(&self, hook: impl Hook + 'static) -> Collector {
        Collector::new(Registry::new(self.hooked(hook), Lifetimes::default()), Policy::default())
    }

    /// Collects what is due, in a process of its own.
    pub(crate) async fn collect(&self) -> Report {
        self.collect_by(Policy::default()).await
    }

    /// Collects what is due by this policy, in a process of its own.
    pub(crate) async fn collect_by(&self, policy: Policy) -> Report {
        let report = self.collector(policy).run(&Budget::ALL, None).await;
        assert_eq!((&report.error, &report.failures), (&None, &Vec::new()), "{report:#?}");
        report
    }

    /// Lets so many hours go by, and collects every few of them.
    pub(crate) async fn collect_for(&self, hours: u32) -> Report {
        const STEP_HOURS: u32 = 5;
        let mut all = Report::default();
        for _ in 0..hours.div_ceil(STEP_HOURS) {
            self.clock.advance(std::time::Duration::from_secs(u64::from(STEP_HOURS) * 3600));
            all.add(self.collect().await);
        }
        all
    }

    /// Makes tags of the repository immutable, without asking who may do so.
    pub(crate) async fn make_immutable(&self, repository: &str, pattern: &str) {
        let key = registry::records::keys::repository(&repository.parse().unwrap());
        let mut item = self.items.get(&[key]).await.unwrap().pop().unwrap().unwrap();
        let Record::Repository(record) = &mut item.record else { panic!("{item:?}") };
        record.immutable_tags.patterns.push(pattern.to_owned());
        self.items.transact(vec![Write::Put(item, Condition::Present)]).await.unwrap();
    }

    /// Fails if anything is stored that nobody needs, or that a collector would still look at.
    pub(crate) async fn assert_clean(&self) {
        self.fsck().await;
        assert_eq!(self.garbage().await, Vec::<String>::new());
        let items = self.all_items().await;
        let suspects: Vec<_> = items.iter().filter(|item| item.record.as_suspect().is_some()).collect();
        assert!(suspects.is_empty(), "{suspects:#?}");
    }

    /// Returns every item.
    pub(crate) async fn all_items(&self) -> Vec<Item> {
        self.items.scan(None, usize::MAX).await.unwrap()
    }
}

/// Lets all leases run out, and collects on stores whose calls happen at once.
fn collect_days_later(calm: &Stores, clock: &SetClock) {
    clock.advance(std::time::Duration::from_secs(25 * 60 * 60));
    let registry = Registry::new(calm.clone(), Lifetimes::default());
    let collector = Collector::new(registry, Policy::default());
    let report = collector.run(&Budget::ALL, None).now_or_never().expect("nothing waits");
    assert_eq!(report.error, None);
}
