//! Copies, and the checksum of the whole object that S3 computes while it copies.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, MetadataDirective};
use s3_standin::Options;

use crate::support::{BUCKET, Bench, PART_BYTES, bytes, code, sha256, start, start_with};

/// Copies `source` to `copy`, asks for SHA-256, and returns it.
async fn copy_with_sha256(bench: &Bench, source: &str) -> Option<String> {
    let copy =
        bench.client.copy_object().bucket(BUCKET).key("copy").copy_source(format!("{BUCKET}/{source}"));
    let answer = copy.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let result = answer.copy_object_result().unwrap();
    assert_eq!(result.checksum_type(), result.checksum_sha256().map(|_| &ChecksumType::FullObject));
    result.checksum_sha256().map(str::to_owned)
}

#[tokio::test]
async fn a_copy_returns_the_sha256_of_the_whole_object() {
    let bench = start().await;
    bench.put("source", bytes(300_000, 1)).await;
    assert_eq!(copy_with_sha256(&bench, "source").await, Some(sha256(&bytes(300_000, 1))));
    assert_eq!(bench.read("copy").await, bytes(300_000, 1));
    let head = bench.client.head_object().bucket(BUCKET).key("copy");
    let head = head.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_sha256(), Some(sha256(&bytes(300_000, 1)).as_str()));
}

#[tokio::test]
async fn a_copy_of_a_multipart_object_returns_the_sha256_of_the_whole_object() {
    let bench = start().await;
    let parts = [bytes(PART_BYTES, 1), bytes(100_000, 2)];
    bench.multipart("source", &parts).await;
    assert_eq!(copy_with_sha256(&bench, "source").await, Some(sha256(&parts.concat())));
    assert_eq!(bench.read("copy").await, parts.concat());
    let head = bench.client.head_object().bucket(BUCKET).key("copy").send().await.unwrap();
    assert!(!head.e_tag().unwrap().contains('-'), "the copy is no multipart object");
}

#[tokio::test]
async fn a_store_that_computes_no_checksum_on_copies_says_nothing_of_one() {
    let bench = start_with(Options { copy_checksum: false, ..Options::default() }).await;
    bench.put("source", bytes(1000, 1)).await;
    assert_eq!(copy_with_sha256(&bench, "source").await, None);
    let head = bench.client.head_object().bucket(BUCKET).key("copy");
    let head = head.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_sha256(), None);
    assert_eq!(bench.read("copy").await, bytes(1000, 1));
}

#[tokio::test]
async fn a_source_over_the_limit_is_not_copied() {
    let bench = start_with(Options { copy_limit_bytes: 1000, ..Options::default() }).await;
    bench.put("largest", bytes(1000, 1)).await;
    bench.put("larger", bytes(1001, 1)).await;
    let copy = |source| bench.client.copy_object().bucket(BUCKET).key("copy").copy_source(source);
    copy("standin/largest").send().await.unwrap();
    assert_eq!(code(copy("standin/larger").send().await), "InvalidRequest");
}

#[tokio::test]
async fn the_limit_of_a_copy_is_5_gib() {
    assert_eq!(Options::default().copy_limit_bytes, 5 * 1024 * 1024 * 1024);
}

#[tokio::test]
async fn a_copy_keeps_metadata_or_replaces_it() {
    let bench = start().await;
    let put = bench.client.put_object().bucket(BUCKET).key("source").body(bytes(10, 1).into());
    put.content_type("text/x-first").metadata("colour", "blue").send().await.unwrap();
    let copy = bench.client.copy_object().bucket(BUCKET).key("copy").copy_source("standin/source");
    copy.clone().send().await.unwrap();
    let head = bench.client.head_object().bucket(BUCKET).key("copy").send().await.unwrap();
    assert_eq!((head.content_type(), head.metadata().unwrap().len()), (Some("text/x-first"), 1));
    let replacing = copy.metadata_directive(MetadataDirective::Replace).content_type("text/x-second");
    replacing.send().await.unwrap();
    let head = bench.client.head_object().bucket(BUCKET).key("copy").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/x-second"));
    assert!(head.metadata().is_none_or(|metadata| metadata.is_empty()));
}

#[tokio::test]
async fn a_copy_onto_itself_must_change_something() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let copy = bench.client.copy_object().bucket(BUCKET).key("a").copy_source("standin/a");
    assert_eq!(code(copy.clone().send().await), "InvalidRequest");
    copy.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
}

#[tokio::test]
async fn the_source_of_a_copy_must_be_there_and_be_the_named_one() {
    let bench = start().await;
    let copy = bench.client.copy_object().bucket(BUCKET).key("copy").copy_source("standin/source");
    assert_eq!(code(copy.clone().send().await), "NoSuchKey");
    bench.put("source", bytes(10, 1)).await;
    assert_eq!(code(copy.clone().copy_source_if_match("\"00\"").send().await), "PreconditionFailed");
    let etag = bench.client.head_object().bucket(BUCKET).key("source").send().await.unwrap();
    let etag = etag.e_tag().unwrap().to_owned();
    assert_eq!(code(copy.clone().copy_source_if_none_match(&etag).send().await), "PreconditionFailed");
    copy.copy_source_if_match(etag).send().await.unwrap();
}

#[tokio::test]
async fn a_copy_outlives_its_source() {
    let bench = start().await;
    bench.put("source", bytes(300_000, 1)).await;
    copy_with_sha256(&bench, "source").await;
    bench.client.delete_object().bucket(BUCKET).key("source").send().await.unwrap();
    assert_eq!(bench.read("copy").await, bytes(300_000, 1));
}
