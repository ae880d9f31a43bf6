//! What is acknowledged is there when the stores are opened again.

use std::os::unix::fs::PermissionsExt;

use bytes::Bytes;
use embedded::{Files, Items};
use futures_util::StreamExt;
use registry::ports::{
    AppendState, Condition, Item, ItemStore, Key, ObjectKey, ObjectStore, StoreErrorKind, Trash, Version,
    Write,
};
use registry::records::Record;
use tempfile::TempDir;

fn put(sk: &str) -> Vec<Write> {
    let item = Item { key: Key::new("p", sk), version: Version::new("1"), record: Record::Catalog };
    vec![Write::Put(item, Condition::Always)]
}

#[tokio::test]
async fn items_are_there_when_opened_again_and_cannot_be_opened_twice() {
    let folder = TempDir::new().unwrap();
    let items = Items::open(folder.path()).unwrap();
    items.transact(put("s")).await.unwrap();
    assert!(matches!(Items::open(folder.path()), Err(embedded::OpenError::InUse)));
    drop(items);
    let items = Items::open(folder.path()).unwrap();
    assert!(items.get(&[Key::new("p", "s")]).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn an_upload_goes_on_where_another_process_left_it() {
    let folder = TempDir::new().unwrap();
    let key = ObjectKey::fresh(ulid::Ulid::from_parts(1, 2));
    let body = |bytes: &'static [u8]| futures_util::stream::iter([Ok(Bytes::from_static(bytes))]).boxed();
    let files = Files::open(folder.path()).unwrap();
    let state = files.append(&key, &mut AppendState::default(), body(b"one")).await.unwrap().state;
    // Bytes of a process that was killed before it could tell of them.
    files.append(&key, &mut state.clone(), body(b"unacknowledged")).await.unwrap();
    drop(files);
    let files = Files::open(folder.path()).unwrap();
    let state = files.append(&key, &mut state.clone(), body(b"two")).await.unwrap().state;
    files.finish(&key, &state, &mut state.clone()).await.unwrap();
    let pieces: Vec<_> = files.get(&key, 0..6).await.unwrap().unwrap().collect().await;
    let bytes: Vec<Bytes> = pieces.into_iter().map(Result::unwrap).collect();
    assert_eq!(bytes.concat(), b"onetwo");
}

#[tokio::test]
async fn lost_bytes_of_an_upload_are_an_error_and_never_zeros() {
    let folder = TempDir::new().unwrap();
    let key = ObjectKey::fresh(ulid::Ulid::from_parts(1, 2));
    let body = |bytes: &'static [u8]| futures_util::stream::iter([Ok(Bytes::from_static(bytes))]).boxed();
    let files = Files::open(folder.path()).unwrap();
    let state = files.append(&key, &mut AppendState::default(), body(b"acknowledged")).await.unwrap().state;
    std::fs::remove_file(folder.path().join(format!("{key}.upload"))).unwrap();
    let appended = files.append(&key, &mut state.clone(), body(b"more")).await;
    assert_eq!(appended.unwrap_err().kind, StoreErrorKind::Corrupt);
    let finished = files.finish(&key, &state, &mut state.clone()).await.unwrap_err();
    assert_eq!(finished.kind, StoreErrorKind::AlreadyFinished);
    assert!(finished.to_string().contains(&format!("{key}.upload is missing")), "{finished}");
    assert_eq!(files.head(&key).await.unwrap(), None);
}

#[tokio::test]
async fn the_database_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    drop(Items::open(folder.path()).unwrap());
    let mode = std::fs::metadata(folder.path().join("items.redb")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn what_others_may_list_is_their_folder_and_never_what_is_made_in_it() {
    let folder = TempDir::new().unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let (files, key) = (Files::open(folder.path()).unwrap(), ObjectKey::fresh(ulid::Ulid::from_parts(1, 2)));
    files.put(&key, Bytes::from_static(b"layer")).await.unwrap();
    files.discard(&key, &oci::Digest::of(oci::Algorithm::Sha256, b"layer")).await.unwrap();
    for made in ["data", "trash"] {
        let mode = std::fs::metadata(folder.path().join(made)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{made}");
    }
}
