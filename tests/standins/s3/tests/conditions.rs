//! Conditions of reads and writes; those of writes hold against sixteen at once.

use std::sync::Arc;

use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};

use crate::support::{BUCKET, Bench, bytes, code, refusal, start};

const RACERS: u8 = 16;

#[tokio::test]
async fn a_second_put_if_none_match_is_412() {
    let bench = start().await;
    let put = |seed| {
        bench.client.put_object().bucket(BUCKET).key("a").body(bytes(10, seed).into()).if_none_match("*")
    };
    put(1).send().await.unwrap();
    assert_eq!(code(put(2).send().await), "PreconditionFailed");
    assert_eq!(bench.read("a").await, bytes(10, 1));
}

#[tokio::test]
async fn if_none_match_takes_only_a_star() {
    let bench = start().await;
    let put =
        bench.client.put_object().bucket(BUCKET).key("a").body(bytes(10, 1).into()).if_none_match("\"abc\"");
    assert_eq!(code(put.send().await), "NotImplemented");
}

#[tokio::test]
async fn of_sixteen_puts_if_none_match_one_wins() {
    let bench = Arc::new(start().await);
    let racers = (0..RACERS).map(|seed| {
        let put = bench.client.put_object().bucket(BUCKET).key("a").if_none_match("*");
        tokio::spawn(put.body(bytes(100_000, seed).into()).send())
    });
    let racers: Vec<_> = racers.collect();
    let mut winners = Vec::new();
    for (seed, racer) in (0..).zip(racers) {
        match racer.await.unwrap() {
            Ok(_) => winners.push(seed),
            lost => assert_eq!(code(lost), "PreconditionFailed"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(bench.read("a").await, bytes(100_000, winners[0]));
}

#[tokio::test]
async fn of_sixteen_copies_if_none_match_one_wins() {
    let bench = Arc::new(start().await);
    bench.put("source", bytes(100_000, 1)).await;
    let racers = (0..RACERS).map(|_| {
        let copy = bench.client.copy_object().bucket(BUCKET).key("a").copy_source("standin/source");
        tokio::spawn(copy.if_none_match("*").send())
    });
    let racers: Vec<_> = racers.collect();
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            lost => assert_eq!(code(lost), "PreconditionFailed"),
        }
    }
    assert_eq!(won, 1);
}

/// An upload of one part under `key`, ready to complete.
async fn one_part(bench: &Bench, key: &str) -> (String, CompletedMultipartUpload) {
    let upload = bench.client.create_multipart_upload().bucket(BUCKET).key(key).send().await.unwrap();
    let id = upload.upload_id().unwrap().to_owned();
    let part = bench.client.upload_part().bucket(BUCKET).key(key).upload_id(&id).part_number(1);
    let part = part.body(bytes(10, 1).into()).send().await.unwrap();
    let part = CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap()).build();
    (id, CompletedMultipartUpload::builder().parts(part).build())
}

#[tokio::test]
async fn of_sixteen_completes_if_none_match_one_wins() {
    let bench = Arc::new(start().await);
    let mut racers = Vec::new();
    for _ in 0..RACERS {
        let (id, parts) = one_part(&bench, "a").await;
        let complete = bench.client.complete_multipart_upload().bucket(BUCKET).key("a").upload_id(id);
        racers.push(complete.multipart_upload(parts).if_none_match("*"));
    }
    let racers: Vec<_> = racers.into_iter().map(|racer| tokio::spawn(racer.send())).collect();
    let mut won = 0;
    for racer in racers {
        match racer.await.unwrap() {
            Ok(_) => won += 1,
            lost => assert_eq!(code(lost), "PreconditionFailed"),
        }
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn a_complete_that_fails_its_condition_keeps_its_upload() {
    let bench = start().await;
    bench.put("a", bytes(10, 9)).await;
    let (id, parts) = one_part(&bench, "a").await;
    let complete = bench.client.complete_multipart_upload().bucket(BUCKET).key("a").upload_id(&id);
    let complete = complete.multipart_upload(parts);
    assert_eq!(code(complete.clone().if_none_match("*").send().await), "PreconditionFailed");
    assert_eq!(bench.read("a").await, bytes(10, 9));
    complete.send().await.unwrap();
    assert_eq!(bench.read("a").await, bytes(10, 1));
}

#[tokio::test]
async fn if_match_writes_only_over_the_object_it_names() {
    let bench = start().await;
    let put = |etag: &str| {
        bench.client.put_object().bucket(BUCKET).key("a").body(bytes(20, 2).into()).if_match(etag)
    };
    assert_eq!(code(put("\"00\"").send().await), "NoSuchKey");
    bench.put("a", bytes(10, 1)).await;
    assert_eq!(code(put("\"00\"").send().await), "PreconditionFailed");
    let head = bench.client.head_object().bucket(BUCKET).key("a").send().await.unwrap();
    put(head.e_tag().unwrap()).send().await.unwrap();
    assert_eq!(bench.read("a").await, bytes(20, 2));
}

#[tokio::test]
async fn if_match_deletes_only_the_object_it_names() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let delete = |etag: &str| bench.client.delete_object().bucket(BUCKET).key("a").if_match(etag);
    assert_eq!(code(delete("\"00\"").send().await), "PreconditionFailed");
    assert!(bench.exists("a").await);
    let head = bench.client.head_object().bucket(BUCKET).key("a").send().await.unwrap();
    delete(head.e_tag().unwrap()).send().await.unwrap();
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn reads_keep_their_conditions() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let head = bench.client.head_object().bucket(BUCKET).key("a").send().await.unwrap();
    let (etag, date) = (head.e_tag().unwrap().to_owned(), *head.last_modified().unwrap());
    let text =
        |seconds: i64| DateTime::from_secs(date.secs() + seconds).fmt(DateTimeFormat::HttpDate).unwrap();
    let get = bench.presigned_get("a").await;
    for (name, value, expected) in [
        ("if-match", etag.as_str(), 200),
        ("if-match", "\"00\"", 412),
        ("if-none-match", &etag, 304),
        ("if-none-match", "\"00\"", 200),
        ("if-modified-since", &text(0), 304),
        ("if-modified-since", &text(-1), 200),
        ("if-unmodified-since", &text(0), 200),
        ("if-unmodified-since", &text(-1), 412),
    ] {
        let answer = bench.builder(&get).header(name, value).send().await.unwrap();
        let (status, body) = refusal(answer).await;
        assert_eq!(status, expected, "{name}: {value}");
        assert!(status != 304 || body.is_empty());
    }
}
