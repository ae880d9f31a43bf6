//! Flexible checksums and Content-MD5, in headers and trailers: compared before anything is visible.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};

use crate::support::{BUCKET, Bench, bytes, code, sha256, start, streaming};

const CHUNKED: &str = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";

#[tokio::test]
async fn a_sha256_is_answered_and_kept() {
    let bench = start().await;
    for body in [bytes(1000, 1).into(), streaming(bytes(1000, 1))] {
        let put = bench.client.put_object().bucket(BUCKET).key("a").body(body);
        let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
        assert_eq!(put.checksum_sha256(), Some(sha256(&bytes(1000, 1)).as_str()));
        assert_eq!(put.checksum_type(), Some(&ChecksumType::FullObject));
        let head = bench.client.head_object().bucket(BUCKET).key("a");
        let head = head.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
        assert_eq!(head.checksum_sha256(), Some(sha256(&bytes(1000, 1)).as_str()));
    }
}

#[tokio::test]
async fn a_checksum_is_shown_only_to_who_asks_and_never_beside_a_range() {
    let bench = start().await;
    let put = bench.client.put_object().bucket(BUCKET).key("a").body(bytes(1000, 1).into());
    put.checksum_sha256(sha256(&bytes(1000, 1))).send().await.unwrap();
    let url = bench.presigned_get("a").await;
    let plain = bench.send(&url, Vec::new()).await;
    assert!(!plain.headers().contains_key("x-amz-checksum-sha256"));
    let get = bench.client.get_object().bucket(BUCKET).key("a").checksum_mode(ChecksumMode::Enabled);
    assert!(get.clone().send().await.unwrap().checksum_sha256().is_some());
    assert!(get.range("bytes=0-9").send().await.unwrap().checksum_sha256().is_none());
}

#[tokio::test]
async fn every_algorithm_of_the_sdk_is_computed_as_the_sdk_does() {
    let bench = start().await;
    let algorithms = [
        ChecksumAlgorithm::Crc32,
        ChecksumAlgorithm::Crc32C,
        ChecksumAlgorithm::Crc64Nvme,
        ChecksumAlgorithm::Sha1,
        ChecksumAlgorithm::Sha256,
    ];
    for algorithm in algorithms {
        for body in [bytes(100_000, 1).into(), streaming(bytes(100_000, 1))] {
            let put = bench.client.put_object().bucket(BUCKET).key("a").body(body);
            put.checksum_algorithm(algorithm.clone()).send().await.unwrap();
            // The SDK compares what it reads with the checksum that comes with it.
            let get = bench.client.get_object().bucket(BUCKET).key("a").checksum_mode(ChecksumMode::Enabled);
            let read = get.send().await.unwrap().body.collect().await.unwrap().to_vec();
            assert_eq!(read, bytes(100_000, 1), "{algorithm}");
        }
    }
}

#[tokio::test]
async fn without_a_checksum_s3_adds_crc64nvme() {
    let bench = start().await;
    let put = bench.presigned_put("a").await;
    assert_eq!(bench.send(&put, b"123456789".to_vec()).await.status(), 200);
    let head = bench.client.head_object().bucket(BUCKET).key("a");
    let head = head.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    // The check value of the CRC-64/NVME catalogue entry: ae8b14860a799888.
    assert_eq!(head.checksum_crc64_nvme(), Some("rosUhgp5mIg="));
}

#[tokio::test]
async fn a_wrong_sha256_is_bad_digest_and_leaves_nothing() {
    let bench = start().await;
    let put = bench.client.put_object().bucket(BUCKET).key("a").body(bytes(1000, 1).into());
    assert_eq!(code(put.checksum_sha256(sha256(b"other")).send().await), "BadDigest");
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn a_wrong_sha256_leaves_the_object_before_it() {
    let bench = start().await;
    bench.put("a", bytes(10, 9)).await;
    let put = bench.client.put_object().bucket(BUCKET).key("a").body(bytes(1000, 1).into());
    assert_eq!(code(put.checksum_sha256(sha256(b"other")).send().await), "BadDigest");
    assert_eq!(bench.read("a").await, bytes(10, 9));
}

/// Puts `abc` in one chunk with this trailer, as an SDK does over TLS.
async fn put_with_trailer(bench: &Bench, announced: &str, trailer: &str) -> String {
    let path = format!("/{BUCKET}/a");
    let body = format!("3\r\nabc\r\n0\r\n{trailer}\r\n\r\n");
    let length = body.len().to_string();
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("content-length", &length),
        ("x-amz-decoded-content-length", "3"),
        ("x-amz-trailer", announced),
    ];
    let headers = bench.signed("PUT", &path, &headers, CHUNKED);
    bench.raw(&format!("PUT {path}"), &headers, body.as_bytes()).await
}

#[tokio::test]
async fn a_right_trailer_is_accepted() {
    let bench = start().await;
    let trailer = format!("x-amz-checksum-sha256:{}", sha256(b"abc"));
    let answer = put_with_trailer(&bench, "x-amz-checksum-sha256", &trailer).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(bench.read("a").await, b"abc");
}

#[tokio::test]
async fn a_wrong_trailer_is_bad_digest_and_leaves_nothing() {
    let bench = start().await;
    let trailer = format!("x-amz-checksum-sha256:{}", sha256(b"abd"));
    let answer = put_with_trailer(&bench, "x-amz-checksum-sha256", &trailer).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("BadDigest"), "{answer}");
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn an_announced_trailer_that_does_not_come_is_refused() {
    let bench = start().await;
    for trailer in ["", "x-amz-checksum-crc32:NSRBwg=="] {
        let answer = put_with_trailer(&bench, "x-amz-checksum-sha256", trailer).await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("MalformedTrailerError"), "{answer}");
    }
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn a_chunked_body_shorter_than_it_says_is_refused() {
    let bench = start().await;
    let path = format!("/{BUCKET}/a");
    let body = b"3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n";
    let headers = [
        ("content-encoding", "aws-chunked"),
        ("content-length", &body.len().to_string()),
        ("x-amz-decoded-content-length", "4"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
    ];
    let headers = bench.signed("PUT", &path, &headers, CHUNKED);
    let answer = bench.raw(&format!("PUT {path}"), &headers, body).await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("IncompleteBody"), "{answer}");
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn content_md5_is_compared() {
    let bench = start().await;
    let put = |md5: &str| {
        bench.client.put_object().bucket(BUCKET).key("a").body(b"abc".to_vec().into()).content_md5(md5)
    };
    assert_eq!(code(put("AAAAAAAAAAAAAAAAAAAAAA==").send().await), "BadDigest");
    assert_eq!(code(put("AAAA").send().await), "InvalidDigest");
    assert!(!bench.exists("a").await);
    put("kAFQmDzST7DWlj99KOF/cg==").send().await.unwrap();
    assert!(bench.exists("a").await);
}

#[tokio::test]
async fn a_checksum_that_cannot_be_one_is_an_invalid_request() {
    let bench = start().await;
    let put = || bench.client.put_object().bucket(BUCKET).key("a").body(b"abc".to_vec().into());
    for value in ["AAAA", "not base64"] {
        assert_eq!(code(put().checksum_sha256(value).send().await), "InvalidRequest", "{value}");
    }
    let two = put().checksum_sha256(sha256(b"abc")).checksum_crc32("NSRBwg==");
    assert_eq!(code(two.send().await), "InvalidRequest");
}

#[tokio::test]
async fn an_algorithm_without_a_value_is_an_invalid_request() {
    let bench = start().await;
    let path = format!("/{BUCKET}/a");
    let headers = [("content-length", "3"), ("x-amz-sdk-checksum-algorithm", "SHA256")];
    let headers = bench.signed("PUT", &path, &headers, "UNSIGNED-PAYLOAD");
    let answer = bench.raw(&format!("PUT {path}"), &headers, b"abc").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("InvalidRequest"), "{answer}");
}
