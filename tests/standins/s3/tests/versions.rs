//! Buckets that keep versions, and those that do not.

use s3_standin::Options;

use crate::support::{BUCKET, Bench, bytes, code, start, start_with};

async fn versioned() -> Bench {
    start_with(Options { has_versions: true, ..Options::default() }).await
}

/// Returns the ids of the versions of `a`, and of its delete markers, the newest first.
async fn ids(bench: &Bench) -> (Vec<String>, Vec<String>) {
    let listed = bench.client.list_object_versions().bucket(BUCKET).prefix("a").send().await.unwrap();
    let versions = listed.versions().iter().map(|version| version.version_id().unwrap().to_owned());
    let markers = listed.delete_markers().iter().map(|marker| marker.version_id().unwrap().to_owned());
    (versions.collect(), markers.collect())
}

async fn delete(bench: &Bench, version: Option<&str>) {
    let delete = bench.client.delete_object().bucket(BUCKET).key("a");
    delete.set_version_id(version.map(str::to_owned)).send().await.unwrap();
}

#[tokio::test]
async fn what_was_deleted_is_hidden_and_can_be_read_as_a_version() {
    let bench = versioned().await;
    bench.put("a", bytes(10, 1)).await;
    bench.put("a", bytes(20, 2)).await;
    delete(&bench, None).await;
    assert!(!bench.exists("a").await);
    let (versions, markers) = ids(&bench).await;
    assert_eq!((versions.len(), markers.len()), (2, 1));
    for (version, expected) in versions.iter().zip([bytes(20, 2), bytes(10, 1)]) {
        let get = bench.client.get_object().bucket(BUCKET).key("a").version_id(version);
        assert_eq!(get.send().await.unwrap().body.collect().await.unwrap().to_vec(), expected);
    }
}

#[tokio::test]
async fn without_its_delete_marker_an_object_is_there_again() {
    let bench = versioned().await;
    bench.put("a", bytes(10, 1)).await;
    delete(&bench, None).await;
    let (_, markers) = ids(&bench).await;
    delete(&bench, Some(&markers[0])).await;
    assert_eq!(bench.read("a").await, bytes(10, 1));
    assert!(ids(&bench).await.1.is_empty());
}

#[tokio::test]
async fn a_version_that_was_deleted_is_gone_for_good() {
    let bench = versioned().await;
    bench.put("a", bytes(10, 1)).await;
    delete(&bench, None).await;
    let (versions, _) = ids(&bench).await;
    delete(&bench, Some(&versions[0])).await;
    let get = bench.client.get_object().bucket(BUCKET).key("a").version_id(&versions[0]);
    assert_eq!(code(get.send().await), "NoSuchVersion");
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn a_bucket_keeps_no_versions_unless_it_is_told_to() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    delete(&bench, None).await;
    assert_eq!(ids(&bench).await, (vec![], vec![]));
}
