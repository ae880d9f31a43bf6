//! Rows that cannot be read, and what is taken out of the way.

use std::path::Path;

use bytes::Bytes;
use embedded::{Files, Items};
use redb::{Database, TableDefinition};
use registry::jobs::repair::Quarantine;
use registry::ports::{
    AppendState, Condition, Item, ItemScan, ItemStore, Key, ObjectKey, ObjectStore, Query, StoreErrorKind,
    Version, Write,
};
use registry::records::Record;

const ITEMS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("items");

async fn put(items: &Items, sk: &str) {
    let item = Item { key: Key::new("CAT#0", sk), version: Version::new("1"), record: Record::Catalog };
    items.transact(vec![Write::Put(item, Condition::Always)]).await.unwrap();
}

fn spoil(folder: &Path, key: &[u8]) {
    let database = Database::open(folder.join("items.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(ITEMS).unwrap().insert(key, b"spoilt".as_slice()).unwrap();
    transaction.commit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_cannot_be_read_is_told_and_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let items = Items::open(folder.path()).unwrap();
    for sk in ["a", "b", "c"] {
        put(&items, sk).await;
    }
    drop(items);
    spoil(folder.path(), b"CAT#0\0b");
    let items = Items::open(folder.path()).unwrap();
    let first = items.scan(None, 2).await.unwrap();
    assert_eq!(first.iter().map(|item| item.key.sk.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    let unreadable = items.unreadable().await.unwrap();
    assert_eq!(unreadable.len(), 1);
    assert_eq!((&unreadable[0].key, &unreadable[0].bytes[..]), (&Key::new("CAT#0", "b"), &b"spoilt"[..]));
    items.get(&[Key::new("CAT#0", "b")]).await.unwrap_err();
    let query = Query { pk: "CAT#0".to_owned(), limit: 2, ..Query::default() };
    let rows = items.query_each(query.clone()).await.unwrap();
    assert_eq!((rows.len(), rows[0].is_ok(), rows[1].as_ref().err()), (2, true, Some(&unreadable[0])));
    assert_eq!(items.query(query).await.unwrap_err().kind, StoreErrorKind::Corrupt);

    let files = Files::open(folder.path()).unwrap();
    files.take_row(&unreadable[0]).await.unwrap();
    let kept = std::fs::read_dir(folder.path().join("quarantine")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read(kept).unwrap(), b"CAT#0\0b\nspoilt");
    // Whoever asks for no condition replaces it.
    put(&items, "b").await;
    assert_eq!(items.unreadable().await.unwrap(), []);
    assert_eq!(items.scan(None, 9).await.unwrap().len(), 3);
}

#[tokio::test]
async fn an_object_and_an_upload_are_kept_under_their_names() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::open(folder.path()).unwrap();
    let (object, upload) = (ObjectKey::stored("data/00/object"), ObjectKey::stored("data/00/upload"));
    files.put(&object, Bytes::from_static(b"whole")).await.unwrap();
    let body = Box::pin(futures_util::stream::iter([Ok(Bytes::from_static(b"part"))]));
    files.append(&upload, &mut AppendState::default(), body).await.unwrap();
    for key in [&object, &upload, &object] {
        files.take_object(key).await.unwrap();
    }
    assert_eq!(files.head(&object).await.unwrap(), None);
    let kept = folder.path().join("quarantine");
    assert_eq!(std::fs::read(kept.join("object")).unwrap(), b"whole");
    assert_eq!(std::fs::read(kept.join("upload.upload")).unwrap(), b"part");
}
