//! Uploads in parts.

use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
};
use s3_standin::Options;

use crate::support::{
    BUCKET, Bench, PART_BYTES, bytes, code, minute, refusal, sha256, start, start_with, streaming,
};

/// An upload to key `a`, with the parts it has got.
struct Upload {
    bench: Bench,
    id: String,
    algorithm: Option<ChecksumAlgorithm>,
}

impl Upload {
    async fn of(bench: Bench, algorithm: Option<ChecksumAlgorithm>) -> Self {
        let create = bench.client.create_multipart_upload().bucket(BUCKET).key("a");
        let upload = create.set_checksum_algorithm(algorithm.clone()).send().await.unwrap();
        assert_eq!(upload.checksum_algorithm(), algorithm.as_ref());
        Self { id: upload.upload_id().unwrap().to_owned(), bench, algorithm }
    }

    async fn part(&self, number: i32, bytes: Vec<u8>) -> CompletedPart {
        let part =
            self.bench.client.upload_part().bucket(BUCKET).key("a").upload_id(&self.id).part_number(number);
        let part =
            part.set_checksum_algorithm(self.algorithm.clone()).body(bytes.into()).send().await.unwrap();
        let completed = CompletedPart::builder().part_number(number).e_tag(part.e_tag().unwrap());
        match self.algorithm {
            Some(_) => completed
                .set_checksum_sha256(part.checksum_sha256().map(str::to_owned))
                .set_checksum_crc64_nvme(part.checksum_crc64_nvme().map(str::to_owned)),
            None => completed,
        }
        .build()
    }

    fn complete(
        &self,
        parts: &[CompletedPart],
    ) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder
    {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.to_vec())).build();
        let complete =
            self.bench.client.complete_multipart_upload().bucket(BUCKET).key("a").upload_id(&self.id);
        complete.multipart_upload(parts)
    }
}

#[tokio::test]
async fn parts_become_one_object() {
    let upload = Upload::of(start().await, None).await;
    let second = upload.part(2, bytes(1000, 2)).await;
    let first = upload.part(1, bytes(PART_BYTES, 1)).await;
    assert!(!upload.bench.exists("a").await, "nothing is visible before");
    let done = upload.complete(&[first, second]).send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""), "{:?}", done.e_tag());
    assert_eq!(upload.bench.read("a").await, [bytes(PART_BYTES, 1), bytes(1000, 2)].concat());
}

#[tokio::test]
async fn a_range_may_cross_parts() {
    let bench = start().await;
    bench.multipart("a", &[bytes(PART_BYTES, 1), bytes(1000, 2)]).await;
    let range = format!("bytes={}-{}", PART_BYTES - 5, PART_BYTES + 4);
    let answer = bench.client.get_object().bucket(BUCKET).key("a").range(range).send().await.unwrap();
    let expected = [&bytes(PART_BYTES, 1)[PART_BYTES - 5..], &bytes(1000, 2)[..5]].concat();
    assert_eq!(answer.body.collect().await.unwrap().to_vec(), expected);
}

#[tokio::test]
async fn only_the_parts_that_are_named_count() {
    let upload = Upload::of(start().await, None).await;
    let first = upload.part(3, bytes(PART_BYTES, 1)).await;
    upload.part(5, bytes(1000, 2)).await;
    let last = upload.part(7, bytes(1000, 3)).await;
    upload.complete(&[first, last]).send().await.unwrap();
    assert_eq!(upload.bench.read("a").await, [bytes(PART_BYTES, 1), bytes(1000, 3)].concat());
}

#[tokio::test]
async fn a_part_that_comes_again_replaces_the_first() {
    let upload = Upload::of(start().await, None).await;
    let replaced = upload.part(1, bytes(100, 1)).await;
    let part = upload.part(1, bytes(100, 2)).await;
    assert_eq!(code(upload.complete(&[replaced]).send().await), "InvalidPart");
    upload.complete(&[part]).send().await.unwrap();
    assert_eq!(upload.bench.read("a").await, bytes(100, 2));
}

#[tokio::test]
async fn a_wrong_etag_is_invalid_part_and_does_not_consume_the_upload() {
    let upload = Upload::of(start().await, None).await;
    let part = upload.part(1, bytes(100, 1)).await;
    let wrong = CompletedPart::builder().part_number(1).e_tag("\"00000000000000000000000000000000\"").build();
    assert_eq!(code(upload.complete(&[wrong]).send().await), "InvalidPart");
    let missing = CompletedPart::builder().part_number(2).e_tag(part.e_tag().unwrap()).build();
    assert_eq!(code(upload.complete(&[missing]).send().await), "InvalidPart");
    assert!(!upload.bench.exists("a").await);
    upload.complete(&[part]).send().await.unwrap();
    assert!(upload.bench.exists("a").await);
}

#[tokio::test]
async fn parts_must_be_named_in_order_and_once() {
    let upload = Upload::of(start().await, None).await;
    let first = upload.part(1, bytes(PART_BYTES, 1)).await;
    let second = upload.part(2, bytes(PART_BYTES, 2)).await;
    let reversed = upload.complete(&[second.clone(), first.clone()]).send().await;
    assert_eq!(code(reversed), "InvalidPartOrder");
    let twice = upload.complete(&[first.clone(), first.clone(), second]).send().await;
    assert_eq!(code(twice), "InvalidPartOrder");
    assert_eq!(code(upload.complete(&[]).send().await), "MalformedXML");
}

#[tokio::test]
async fn a_small_part_must_be_the_last_one() {
    let upload = Upload::of(start().await, None).await;
    let first = upload.part(1, bytes(PART_BYTES - 1, 1)).await;
    let second = upload.part(2, bytes(10, 2)).await;
    assert_eq!(code(upload.complete(&[first, second]).send().await), "EntityTooSmall");
}

#[tokio::test]
async fn a_part_number_is_between_1_and_10000() {
    let upload = Upload::of(start().await, None).await;
    for number in [0, 10_001] {
        let part = upload.bench.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload.id);
        let part = part.part_number(number).body(bytes(1, 1).into());
        assert_eq!(code(part.send().await), "InvalidArgument", "{number}");
    }
}

#[tokio::test]
async fn a_wrong_sha256_of_a_part_is_refused() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let part =
        || upload.bench.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload.id).part_number(1);
    assert_eq!(
        code(part().checksum_sha256(sha256(b"other")).body(bytes(100, 1).into()).send().await),
        "BadDigest"
    );
    let presigned = part().checksum_sha256(sha256(b"other")).presigned(minute()).await.unwrap();
    let (status, code) = refusal(upload.bench.send(&presigned, bytes(100, 1)).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (400, "BadDigest"));
    let parts = upload.bench.client.list_parts().bucket(BUCKET).key("a").upload_id(&upload.id);
    assert!(parts.send().await.unwrap().parts().is_empty());
}

#[tokio::test]
async fn a_presigned_part_carries_bytes() {
    let upload = Upload::of(start().await, None).await;
    let part = upload.bench.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload.id).part_number(1);
    let presigned = part.presigned(minute()).await.unwrap();
    let answer = upload.bench.send(&presigned, bytes(100, 1)).await;
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    let part = CompletedPart::builder().part_number(1).e_tag(etag).build();
    upload.complete(&[part]).send().await.unwrap();
    assert_eq!(upload.bench.read("a").await, bytes(100, 1));
}

#[tokio::test]
async fn a_part_has_a_checksum_in_answers_and_lists() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let part = upload.part(1, bytes(100, 1)).await;
    assert_eq!(part.checksum_sha256(), Some(sha256(&bytes(100, 1)).as_str()));
    let listed = upload.bench.client.list_parts().bucket(BUCKET).key("a").upload_id(&upload.id);
    let listed = listed.send().await.unwrap();
    assert_eq!(listed.parts()[0].checksum_sha256(), part.checksum_sha256());
    assert_eq!(listed.parts()[0].e_tag(), part.e_tag());
    assert_eq!(listed.parts()[0].size(), Some(100));
    assert_eq!(listed.checksum_type(), Some(&ChecksumType::Composite));
}

#[tokio::test]
async fn a_part_in_chunks_has_its_trailer_compared() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let part = upload.bench.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload.id).part_number(1);
    let part = part.checksum_algorithm(ChecksumAlgorithm::Sha256).body(streaming(bytes(100_000, 1)));
    assert_eq!(part.send().await.unwrap().checksum_sha256(), Some(sha256(&bytes(100_000, 1)).as_str()));
}

#[tokio::test]
async fn a_sha256_upload_takes_no_other_checksum_and_no_part_without() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let part =
        || upload.bench.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload.id).part_number(1);
    assert_eq!(code(part().body(bytes(100, 1).into()).send().await), "InvalidRequest", "the SDK's own crc32");
    let presigned = part().presigned(minute()).await.unwrap();
    let (status, code) = refusal(upload.bench.send(&presigned, bytes(100, 1)).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (400, "InvalidRequest"), "none");
}

#[tokio::test]
async fn a_sha256_upload_has_a_composite_checksum() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let parts = [upload.part(1, bytes(PART_BYTES, 1)).await, upload.part(2, bytes(10, 2)).await];
    let raw = parts
        .iter()
        .flat_map(|part| base64_simd::STANDARD.decode_to_vec(part.checksum_sha256().unwrap()).unwrap());
    let raw: Vec<u8> = raw.collect();
    let expected = format!("{}-2", sha256(&raw));
    let done = upload.complete(&parts).send().await.unwrap();
    assert_eq!(done.checksum_sha256(), Some(expected.as_str()));
    assert_eq!(done.checksum_type(), Some(&ChecksumType::Composite));
    let head = upload.bench.client.head_object().bucket(BUCKET).key("a").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(head.send().await.unwrap().checksum_sha256(), Some(expected.as_str()));
}

#[tokio::test]
async fn a_composite_checksum_needs_the_checksum_of_each_part() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let part = upload.part(1, bytes(100, 1)).await;
    let bare = CompletedPart::builder().part_number(1).e_tag(part.e_tag().unwrap());
    assert_eq!(code(upload.complete(&[bare.clone().build()]).send().await), "InvalidRequest");
    let wrong = bare.checksum_sha256(sha256(b"other")).build();
    assert_eq!(code(upload.complete(&[wrong]).send().await), "InvalidPart");
    upload.complete(&[part]).send().await.unwrap();
}

#[tokio::test]
async fn the_checksum_of_the_whole_is_compared_at_complete() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let part = upload.part(1, bytes(100, 1)).await;
    let wrong =
        upload.complete(std::slice::from_ref(&part)).checksum_sha256(format!("{}-1", sha256(b"other")));
    assert_eq!(code(wrong.send().await), "BadDigest");
    let raw = base64_simd::STANDARD.decode_to_vec(part.checksum_sha256().unwrap()).unwrap();
    let right = upload.complete(&[part]).checksum_sha256(format!("{}-1", sha256(&raw)));
    right.send().await.unwrap();
}

#[tokio::test]
async fn the_size_of_the_whole_is_compared_at_complete() {
    let upload = Upload::of(start().await, None).await;
    let part = upload.part(1, bytes(100, 1)).await;
    let wrong = upload.complete(std::slice::from_ref(&part)).mpu_object_size(99);
    assert_eq!(code(wrong.send().await), "InvalidRequest");
    upload.complete(&[part]).mpu_object_size(100).send().await.unwrap();
}

#[tokio::test]
async fn sha256_cannot_be_of_the_full_object_at_multipart() {
    let bench = start().await;
    let create = bench.client.create_multipart_upload().bucket(BUCKET).key("a");
    for algorithm in [ChecksumAlgorithm::Sha256, ChecksumAlgorithm::Sha1] {
        let create = create.clone().checksum_algorithm(algorithm).checksum_type(ChecksumType::FullObject);
        assert_eq!(code(create.send().await), "InvalidRequest");
    }
    let composite = create.clone().checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
    assert_eq!(code(composite.checksum_type(ChecksumType::Composite).send().await), "InvalidRequest");
    let nameless = create.clone().checksum_type(ChecksumType::FullObject);
    assert_eq!(code(nameless.send().await), "InvalidRequest");
    let crc32 = create.checksum_algorithm(ChecksumAlgorithm::Crc32).checksum_type(ChecksumType::FullObject);
    assert_eq!(crc32.send().await.unwrap().checksum_type(), Some(&ChecksumType::FullObject));
}

#[tokio::test]
async fn a_crc_of_the_full_object_is_the_crc_of_its_bytes() {
    let parts = [bytes(PART_BYTES, 1), bytes(100_000, 2)];
    for algorithm in [Some(ChecksumAlgorithm::Crc64Nvme), None] {
        let upload = Upload::of(start().await, algorithm).await;
        let completed = [upload.part(1, parts[0].clone()).await, upload.part(2, parts[1].clone()).await];
        let done = upload.complete(&completed).send().await.unwrap();
        assert_eq!(done.checksum_type(), Some(&ChecksumType::FullObject));
        let whole = upload.bench.client.put_object().bucket(BUCKET).key("whole").body(parts.concat().into());
        let whole = whole.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await.unwrap();
        assert_eq!(done.checksum_crc64_nvme(), whole.checksum_crc64_nvme());
    }
}

#[tokio::test]
async fn a_complete_that_is_repeated_gets_the_same_answer_or_none() {
    for repeat_complete in [true, false] {
        let bench = start_with(Options { repeat_complete, ..Options::default() }).await;
        let upload = Upload::of(bench, None).await;
        let part = upload.part(1, bytes(100, 1)).await;
        let first = upload.complete(std::slice::from_ref(&part)).send().await.unwrap();
        let again = upload.complete(&[part]).if_none_match("*").send().await;
        match repeat_complete {
            true => assert_eq!(again.unwrap().e_tag(), first.e_tag()),
            false => assert_eq!(code(again), "NoSuchUpload"),
        }
        let other = CompletedPart::builder().part_number(1).e_tag("\"00\"").build();
        assert_eq!(code(upload.complete(&[other]).send().await), "NoSuchUpload");
    }
}

#[tokio::test]
async fn an_aborted_upload_is_no_such_upload() {
    let upload = Upload::of(start().await, None).await;
    let part = upload.part(1, bytes(100, 1)).await;
    let abort = || upload.bench.client.abort_multipart_upload().bucket(BUCKET).key("a").upload_id(&upload.id);
    abort().send().await.unwrap();
    assert_eq!(code(abort().send().await), "NoSuchUpload");
    let list = upload.bench.client.list_parts().bucket(BUCKET).key("a").upload_id(&upload.id);
    assert_eq!(code(list.send().await), "NoSuchUpload");
    assert_eq!(code(upload.complete(&[part]).send().await), "NoSuchUpload");
    let part = upload.bench.client.upload_part().bucket(BUCKET).key("a").upload_id(&upload.id).part_number(2);
    assert_eq!(code(part.body(bytes(100, 1).into()).send().await), "NoSuchUpload");
}

#[tokio::test]
async fn an_upload_belongs_to_its_key() {
    let upload = Upload::of(start().await, None).await;
    let part = upload.bench.client.upload_part().bucket(BUCKET).key("b").upload_id(&upload.id).part_number(1);
    assert_eq!(code(part.body(bytes(100, 1).into()).send().await), "NoSuchUpload");
}

#[tokio::test]
async fn a_part_may_be_copied_from_a_range_of_an_object() {
    let upload = Upload::of(start().await, Some(ChecksumAlgorithm::Sha256)).await;
    let source = bytes(PART_BYTES + 1000, 1);
    upload.bench.put("source", source.clone()).await;
    let mut parts = Vec::new();
    for (number, range) in [(1, 0..PART_BYTES), (2, PART_BYTES..PART_BYTES + 10)] {
        let copy = upload.bench.client.upload_part_copy().bucket(BUCKET).key("a").upload_id(&upload.id);
        let copy = copy.part_number(number).copy_source("standin/source");
        let copy =
            copy.copy_source_range(format!("bytes={}-{}", range.start, range.end - 1)).send().await.unwrap();
        let result = copy.copy_part_result().unwrap();
        assert_eq!(result.checksum_sha256(), Some(sha256(&source[range]).as_str()));
        let part = CompletedPart::builder().part_number(number).e_tag(result.e_tag().unwrap());
        parts.push(part.checksum_sha256(result.checksum_sha256().unwrap()).build());
    }
    upload.complete(&parts).send().await.unwrap();
    assert_eq!(upload.bench.read("a").await, source[..PART_BYTES + 10]);
}

#[tokio::test]
async fn a_copied_range_must_lie_in_its_source() {
    let upload = Upload::of(start().await, None).await;
    upload.bench.put("source", bytes(100, 1)).await;
    for range in ["bytes=0-100", "bytes=50-", "50-60", "bytes=60-50"] {
        let copy = upload.bench.client.upload_part_copy().bucket(BUCKET).key("a").upload_id(&upload.id);
        let copy = copy.part_number(1).copy_source("standin/source").copy_source_range(range);
        assert_eq!(code(copy.send().await), "InvalidArgument", "{range}");
    }
}
