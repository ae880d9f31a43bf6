//! One event per created object.

use s3_standin::Delivery;
use tokio::sync::broadcast::error::TryRecvError;

use crate::support::{BUCKET, PART_BYTES, bytes, code, sha256, start};

#[tokio::test]
async fn every_created_object_is_told_once() {
    let bench = start().await;
    let mut events = bench.standin.events();
    let put =
        bench.client.put_object().bucket(BUCKET).key("a").body(bytes(100, 1).into()).send().await.unwrap();
    bench.client.copy_object().bucket(BUCKET).key("b").copy_source("standin/a").send().await.unwrap();
    bench.multipart("c", &[bytes(PART_BYTES, 1), bytes(10, 2)]).await;
    let told = [events.try_recv().unwrap(), events.try_recv().unwrap(), events.try_recv().unwrap()];
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(told.each_ref().map(|event| event.key.as_str()), ["a", "b", "c"]);
    assert_eq!(told.each_ref().map(|event| event.size_bytes), [100, 100, PART_BYTES as u64 + 10]);
    assert_eq!(told[0].bucket, BUCKET);
    assert_eq!(told[0].etag, put.e_tag().unwrap().trim_matches('"'));
    assert!(told.is_sorted_by(|before, after| before.sequencer < after.sequencer));
}

#[tokio::test]
async fn what_creates_no_object_is_not_told() {
    let bench = start().await;
    let mut events = bench.standin.events();
    let put = bench.client.put_object().bucket(BUCKET).key("a").body(bytes(100, 1).into());
    assert_eq!(code(put.checksum_sha256(sha256(b"other")).send().await), "BadDigest");
    bench.client.create_multipart_upload().bucket(BUCKET).key("a").send().await.unwrap();
    bench.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
}

#[tokio::test]
async fn events_can_be_dropped_and_doubled() {
    let bench = start().await;
    let mut events = bench.standin.events();
    bench.standin.deliver(Delivery::Dropped);
    bench.put("dropped", bytes(1, 1)).await;
    bench.standin.deliver(Delivery::Twice);
    bench.put("twice", bytes(1, 1)).await;
    bench.standin.deliver(Delivery::Once);
    bench.put("once", bytes(1, 1)).await;
    let keys = [(); 3].map(|()| events.try_recv().unwrap().key);
    assert_eq!(keys, ["twice", "twice", "once"]);
    assert_eq!(events.try_recv(), Err(TryRecvError::Empty));
}
