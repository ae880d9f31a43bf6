//! Put, get, head, delete: the plain way of an object.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::support::{BUCKET, bytes, code, refusal, start, streaming};

#[tokio::test]
async fn an_object_comes_back_as_it_was_put() {
    let bench = start().await;
    bench.put("a", bytes(300_000, 1)).await;
    assert_eq!(bench.read("a").await, bytes(300_000, 1));
}

#[tokio::test]
async fn an_object_put_in_chunks_comes_back_without_their_framing() {
    let bench = start().await;
    let put = bench.client.put_object().bucket(BUCKET).key("a").body(streaming(bytes(300_000, 1)));
    let put = put.send().await.unwrap();
    assert!(put.checksum_crc32().is_some(), "the SDK's trailer is answered");
    assert!(bench.standin.calls().received_bytes() > 300_000, "the framing is on the wire");
    let object = bench.client.get_object().bucket(BUCKET).key("a").send().await.unwrap();
    assert_eq!(object.content_encoding(), None, "aws-chunked is not kept");
    assert_eq!(object.body.collect().await.unwrap().to_vec(), bytes(300_000, 1));
}

#[tokio::test]
async fn an_empty_object_has_no_bytes() {
    let bench = start().await;
    bench.put("empty", Vec::new()).await;
    let head = bench.client.head_object().bucket(BUCKET).key("empty").send().await.unwrap();
    assert_eq!(head.content_length(), Some(0));
    assert!(bench.read("empty").await.is_empty());
}

#[tokio::test]
async fn a_second_put_replaces_the_first() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    bench.put("a", bytes(20, 2)).await;
    assert_eq!(bench.read("a").await, bytes(20, 2));
}

#[tokio::test]
async fn a_missing_key_is_no_such_key() {
    let bench = start().await;
    assert_eq!(code(bench.client.get_object().bucket(BUCKET).key("no").send().await), "NoSuchKey");
    let presigned = bench.presigned_get("no").await;
    let (status, code) = refusal(bench.send(&presigned, Vec::new()).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (404, "NoSuchKey"));
}

#[tokio::test]
async fn a_missing_bucket_is_no_such_bucket() {
    let bench = start().await;
    assert_eq!(code(bench.client.get_object().bucket("missing").key("a").send().await), "NoSuchBucket");
    assert_eq!(
        code(bench.client.put_object().bucket("missing").key("a").body(bytes(1, 1).into()).send().await),
        "NoSuchBucket"
    );
    assert!(bench.client.head_bucket().bucket("missing").send().await.is_err());
}

#[tokio::test]
async fn a_bucket_can_be_made_once() {
    let bench = start().await;
    bench.client.create_bucket().bucket("second").send().await.unwrap();
    bench.client.head_bucket().bucket("second").send().await.unwrap();
    assert_eq!(code(bench.client.create_bucket().bucket("second").send().await), "BucketAlreadyOwnedByYou");
}

#[tokio::test]
async fn a_copied_bucket_has_objects_and_uploads_and_then_goes_its_own_way() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let begun = bench.client.create_multipart_upload().bucket(BUCKET).key("b").send().await.unwrap();
    bench.standin.copy_bucket(BUCKET, "copy");
    bench.put("a", bytes(20, 2)).await;
    let copied = bench.client.get_object().bucket("copy").key("a").send().await.unwrap();
    assert_eq!(copied.body.collect().await.unwrap().to_vec(), bytes(10, 1));
    let abort = |bucket| {
        let abort = bench.client.abort_multipart_upload().bucket(bucket).key("b");
        abort.upload_id(begun.upload_id().unwrap()).send()
    };
    abort("copy").await.unwrap();
    abort(BUCKET).await.unwrap();
}

#[tokio::test]
async fn ranges_are_cut_as_http_says() {
    let bench = start().await;
    let whole = bytes(300_000, 7);
    bench.put("a", whole.clone()).await;
    for (range, expected) in [
        ("bytes=10-19", 10..20),
        ("bytes=299990-", 299_990..300_000),
        ("bytes=-5", 299_995..300_000),
        ("bytes=299000-999999", 299_000..300_000),
        ("bytes=0-0", 0..1),
    ] {
        let answer = bench.client.get_object().bucket(BUCKET).key("a").range(range).send().await.unwrap();
        let content_range = format!("bytes {}-{}/300000", expected.start, expected.end - 1);
        assert_eq!(answer.content_range(), Some(content_range.as_str()), "{range}");
        assert_eq!(answer.body.collect().await.unwrap().to_vec(), whole[expected], "{range}");
    }
}

#[tokio::test]
async fn a_range_past_the_end_is_416() {
    let bench = start().await;
    bench.put("a", bytes(100, 7)).await;
    let presigned = bench.presigned_get("a").await;
    let answer = bench.builder(&presigned).header("range", "bytes=100-").send().await.unwrap();
    let (status, code) = refusal(answer).await;
    assert_eq!((status.as_u16(), code.as_str()), (416, "InvalidRange"));
}

#[tokio::test]
async fn a_key_may_lie_below_another_key() {
    let bench = start().await;
    bench.put("n/x", bytes(10, 1)).await;
    bench.put("n/x/y", bytes(10, 2)).await;
    assert_eq!(bench.read("n/x").await, bytes(10, 1));
    assert_eq!(bench.read("n/x/y").await, bytes(10, 2));
}

#[tokio::test]
async fn keys_are_never_paths() {
    let bench = start().await;
    for key in ["../../escape", "..", "a//b", "a/./b", "/leading"] {
        bench.put(key, bytes(10, 3)).await;
        assert_eq!(bench.read(key).await, bytes(10, 3), "{key}");
    }
}

#[tokio::test]
async fn odd_characters_and_metadata_come_back() {
    let bench = start().await;
    let key = "ü ß+%20&=?#'()!*~\u{1f980}/x";
    let put = bench.client.put_object().bucket(BUCKET).key(key).body(bytes(10, 1).into());
    put.metadata("colour", "blue and green").content_type("text/x-test").send().await.unwrap();
    let head = bench.client.head_object().bucket(BUCKET).key(key).send().await.unwrap();
    assert_eq!(head.metadata().unwrap().get("colour").unwrap(), "blue and green");
    assert_eq!(head.content_type(), Some("text/x-test"));
    let listed = bench.client.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    assert_eq!(listed.contents()[0].key(), Some(key));
}

#[tokio::test]
async fn a_deleted_object_is_gone_and_can_be_deleted_again() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    for _ in 0..2 {
        bench.client.delete_object().bucket(BUCKET).key("a").send().await.unwrap();
        assert!(!bench.exists("a").await);
    }
}

#[tokio::test]
async fn many_keys_are_deleted_at_once_and_a_missing_one_counts_as_deleted() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    bench.put("b", bytes(10, 1)).await;
    let keys = ["a", "missing"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(keys.to_vec())).build().unwrap();
    let answer = bench.client.delete_objects().bucket(BUCKET).delete(delete).send().await.unwrap();
    assert_eq!(answer.deleted().len(), 2);
    assert!(answer.errors().is_empty());
    assert!(!bench.exists("a").await);
    assert!(bench.exists("b").await);
}

#[tokio::test]
async fn more_than_a_thousand_keys_are_not_deleted_at_once() {
    let bench = start().await;
    let keys = (0..1001).map(|n| ObjectIdentifier::builder().key(format!("k{n}")).build().unwrap());
    let delete = Delete::builder().set_objects(Some(keys.collect())).build().unwrap();
    assert_eq!(
        code(bench.client.delete_objects().bucket(BUCKET).delete(delete).send().await),
        "MalformedXML"
    );
}

#[tokio::test]
async fn what_is_not_part_of_it_is_not_implemented() {
    let bench = start().await;
    assert_eq!(
        code(bench.client.get_object_tagging().bucket(BUCKET).key("a").send().await),
        "NotImplemented"
    );
    assert_eq!(code(bench.client.get_bucket_versioning().bucket(BUCKET).send().await), "NotImplemented");
    bench.put("a", bytes(10, 1)).await;
    let by_part = bench.client.get_object().bucket(BUCKET).key("a").part_number(1);
    assert_eq!(code(by_part.send().await), "NotImplemented");
}
