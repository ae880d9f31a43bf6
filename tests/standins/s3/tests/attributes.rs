//! `GetObjectAttributes`.

use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ObjectAttributes,
};

use crate::support::{BUCKET, PART_BYTES, bytes, code, sha256, start};

const ALL: [ObjectAttributes; 4] = [
    ObjectAttributes::Etag,
    ObjectAttributes::Checksum,
    ObjectAttributes::ObjectSize,
    ObjectAttributes::ObjectParts,
];

#[tokio::test]
async fn an_object_has_size_etag_and_checksum() {
    let bench = start().await;
    let put = bench.client.put_object().bucket(BUCKET).key("a").body(bytes(100, 1).into());
    let put = put.checksum_sha256(sha256(&bytes(100, 1))).send().await.unwrap();
    let attributes = bench.client.get_object_attributes().bucket(BUCKET).key("a");
    let attributes = attributes.set_object_attributes(Some(ALL.to_vec())).send().await.unwrap();
    assert_eq!(attributes.object_size(), Some(100));
    // S3 has no quotes here, s3s has.
    assert_eq!(attributes.e_tag().unwrap().trim_matches('"'), put.e_tag().unwrap().trim_matches('"'));
    let checksum = attributes.checksum().unwrap();
    assert_eq!(checksum.checksum_sha256(), Some(sha256(&bytes(100, 1)).as_str()));
    assert_eq!(checksum.checksum_type(), Some(&ChecksumType::FullObject));
    assert!(attributes.object_parts().is_none());
}

#[tokio::test]
async fn only_what_is_asked_for_is_answered() {
    let bench = start().await;
    bench.put("a", bytes(100, 1)).await;
    let attributes = bench.client.get_object_attributes().bucket(BUCKET).key("a");
    let attributes = attributes.object_attributes(ObjectAttributes::ObjectSize).send().await.unwrap();
    assert_eq!(attributes.object_size(), Some(100));
    assert!(attributes.checksum().is_none() && attributes.e_tag().is_none());
}

#[tokio::test]
async fn a_composite_object_names_its_parts() {
    let bench = start().await;
    let create = bench.client.create_multipart_upload().bucket(BUCKET).key("a");
    let upload = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let id = upload.upload_id().unwrap();
    let mut completed = CompletedMultipartUpload::builder();
    for (number, size) in [(1, PART_BYTES), (2, 10)] {
        let part = bench.client.upload_part().bucket(BUCKET).key("a").upload_id(id).part_number(number);
        let part = part.checksum_algorithm(ChecksumAlgorithm::Sha256).body(bytes(size, 1).into());
        let part = part.send().await.unwrap();
        let named = CompletedPart::builder().part_number(number).e_tag(part.e_tag().unwrap());
        completed = completed.parts(named.checksum_sha256(part.checksum_sha256().unwrap()).build());
    }
    let complete = bench.client.complete_multipart_upload().bucket(BUCKET).key("a").upload_id(id);
    let done = complete.multipart_upload(completed.build()).send().await.unwrap();
    let attributes = bench.client.get_object_attributes().bucket(BUCKET).key("a");
    let attributes = attributes.set_object_attributes(Some(ALL.to_vec())).send().await.unwrap();
    let parts = attributes.object_parts().unwrap();
    assert_eq!(parts.total_parts_count(), Some(2));
    assert_eq!(parts.parts()[1].checksum_sha256(), Some(sha256(&bytes(10, 1)).as_str()));
    assert_eq!(parts.parts()[1].size(), Some(10));
    let whole = attributes.checksum().unwrap();
    assert_eq!(whole.checksum_type(), Some(&ChecksumType::Composite));
    assert_eq!(format!("{}-2", whole.checksum_sha256().unwrap()), done.checksum_sha256().unwrap());
}

#[tokio::test]
async fn a_missing_object_has_none() {
    let bench = start().await;
    let attributes = bench.client.get_object_attributes().bucket(BUCKET).key("no");
    assert_eq!(code(attributes.object_attributes(ObjectAttributes::Etag).send().await), "NoSuchKey");
}
