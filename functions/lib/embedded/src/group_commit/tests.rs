use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{Database, StorageBackend};
use registry::ports::{Condition, Item, ItemStore, Key, StoreErrorKind, TransactError, Version, Write};
use registry::records::Record;

use crate::Items;
use crate::room::Room;

/// A disk in memory that fails on demand, and is still there when the database is opened again.
#[derive(Clone, Debug, Default)]
struct Disk {
    bytes: Arc<std::sync::Mutex<Vec<u8>>>,
    is_failing: Arc<AtomicBool>,
}

impl Disk {
    fn write(&self) -> io::Result<std::sync::MutexGuard<'_, Vec<u8>>> {
        match self.is_failing.load(Ordering::SeqCst) {
            true => Err(io::ErrorKind::StorageFull.into()),
            false => Ok(self.bytes.lock().unwrap()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.bytes.lock().unwrap().len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        out.copy_from_slice(&self.bytes.lock().unwrap()[offset..offset + out.len()]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.write()?.resize(usize::try_from(len).unwrap(), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.write().map(drop)
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        Self::write(self)?[offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }
}

fn put(sk: &str) -> Vec<Write> {
    let item = Item { key: Key::new("p", sk), version: Version::new("1"), record: Record::Catalog };
    vec![Write::Put(item, Condition::Always)]
}

#[tokio::test]
async fn after_the_disk_failed_the_items_are_there_again_and_can_be_written() {
    let disk = Disk::default();
    let open = {
        let disk = disk.clone();
        move || Database::builder().create_with_backend(disk.clone())
    };
    let items = Items::open_with(Room::endless(), open).unwrap();
    items.transact(put("before")).await.unwrap();

    disk.is_failing.store(true, Ordering::SeqCst);
    for attempt in 0..3 {
        match items.transact(put("refused")).await {
            Err(TransactError::Store(error)) if attempt == 0 => assert_eq!(error.kind, StoreErrorKind::Full),
            Err(TransactError::Store(_)) => {}
            other => panic!("expected a failure, got {other:?}"),
        }
    }

    disk.is_failing.store(false, Ordering::SeqCst);
    items.transact(put("after")).await.unwrap();
    let keys = ["before", "refused", "after"].map(|sk| Key::new("p", sk));
    let found: Vec<bool> = items.get(&keys).await.unwrap().iter().map(Option::is_some).collect();
    assert_eq!(found, [true, false, true]);
}

/// Opens what a crash would leave on the disk, and returns whether redb had to walk all of it.
fn opening_walks(disk: &Disk) -> bool {
    let left = Disk {
        bytes: Arc::new(std::sync::Mutex::new(disk.bytes.lock().unwrap().clone())),
        ..Disk::default()
    };
    let has_walked = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&has_walked);
    Database::builder()
        .set_repair_callback(move |_| seen.store(true, Ordering::SeqCst))
        .create_with_backend(left)
        .unwrap();
    has_walked.load(Ordering::SeqCst)
}

#[tokio::test]
async fn an_idle_database_opens_after_a_crash_without_a_walk_over_all_of_it() {
    let disk = Disk::default();
    let open = {
        let disk = disk.clone();
        move || Database::builder().create_with_backend(disk.clone())
    };
    let items = Items::open_with(Room::endless(), open).unwrap();
    items.transact(put("first")).await.unwrap();
    // Without a seal this never ends well.
    let mut looks = 0..1_000;
    while opening_walks(&disk) {
        looks.next().expect("the database is sealed once nobody writes");
        std::thread::sleep(super::IDLE_BEFORE_SEAL);
    }
    items.transact(put("second")).await.unwrap();
    assert!(items.get(&[Key::new("p", "second")]).await.unwrap()[0].is_some());
}
