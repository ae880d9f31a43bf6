//! Parts of blobs, by which a client resumes a pull (end-2; RFC 9110 section 14).

use crate::client::{Repository, Request};
use crate::content::fresh_bytes;

cases! { "Pulling blobs":
    Should first_bytes_are_returned,
    Should single_byte_is_returned,
    Should open_range_runs_to_the_end,
    Should suffix_range_is_the_tail,
    Should suffix_longer_than_the_blob_is_all_of_it,
    Should range_beyond_the_end_is_cut,
    Should range_behind_the_end_is_416,
    Should range_of_the_empty_blob_is_416,
    Should unknown_range_unit_is_ignored,
    Should malformed_range_is_ignored_or_refused,
    Should parts_make_the_blob,
    Should head_ignores_the_range,
    Should if_range_with_another_entity_tag_gets_the_whole,
    Should if_range_with_the_entity_tag_gets_the_part,
    Slipway part_is_announced_like_the_whole,
    Slipway several_ranges_get_the_whole,
    Slipway ranges_are_announced,
}

const SIZE: usize = 1000;

/// Pulling blobs, end-2: "A registry SHOULD support the `Range` request header in accordance with RFC 9110
/// (section 14)": 206, `Content-Range`, and the bytes asked for.
fn first_bytes_are_returned(repository: &Repository<'_>) {
    expect_part(repository, "bytes=0-99", 0, 99);
}

/// Pulling blobs, end-2: first and last position are inclusive.
fn single_byte_is_returned(repository: &Repository<'_>) {
    expect_part(repository, "bytes=0-0", 0, 0);
    expect_part(repository, "bytes=999-999", 999, 999);
}

/// Pulling blobs, end-2: without a last position the range runs to the end, as a client resumes.
fn open_range_runs_to_the_end(repository: &Repository<'_>) {
    expect_part(repository, "bytes=0-", 0, SIZE - 1);
    expect_part(repository, "bytes=600-", 600, SIZE - 1);
}

/// Pulling blobs, end-2: without a first position the range is that many bytes of the end.
fn suffix_range_is_the_tail(repository: &Repository<'_>) {
    expect_part(repository, "bytes=-100", 900, SIZE - 1);
}

/// Pulling blobs, end-2: RFC 9110 (section 14.1.2): a suffix longer than the content is all of it.
fn suffix_longer_than_the_blob_is_all_of_it(repository: &Repository<'_>) {
    expect_part(repository, "bytes=-5000", 0, SIZE - 1);
}

/// Pulling blobs, end-2: RFC 9110 (section 14.1.2): a last position behind the end is the end.
fn range_beyond_the_end_is_cut(repository: &Repository<'_>) {
    expect_part(repository, "bytes=900-1999", 900, SIZE - 1);
}

/// Pulling blobs, end-2: RFC 9110 (section 15.5.17): a range without a byte of the content is 416 with its
/// size.
fn range_behind_the_end_is_416(repository: &Repository<'_>) {
    let (_, blob) = push_a_blob(repository);
    for range in ["bytes=1000-", "bytes=1000-1001", "bytes=99999999999999-", "bytes=-0"] {
        ranged(repository, &blob, range).expect(416).expect_header("Content-Range", "bytes */1000");
    }
}

/// Pulling blobs, end-2: RFC 9110 (section 14.1.2): the empty blob has no first byte.
fn range_of_the_empty_blob_is_416(repository: &Repository<'_>) {
    let blob = format!("blobs/{}", repository.push_blob(b""));
    ranged(repository, &blob, "bytes=0-9").expect(416).expect_header("Content-Range", "bytes */0");
}

/// Pulling blobs, end-2: RFC 9110 (section 14.2): a unit that is not understood "MUST" be ignored.
fn unknown_range_unit_is_ignored(repository: &Repository<'_>) {
    let (bytes, blob) = push_a_blob(repository);
    ranged(repository, &blob, "pages=1-2").expect(200).expect_body(&bytes);
}

/// Pulling blobs, end-2: RFC 9110 (section 14.2): "MAY ignore or reject" a range that is not one.
fn malformed_range_is_ignored_or_refused(repository: &Repository<'_>) {
    let (bytes, blob) = push_a_blob(repository);
    for range in ["bytes=", "bytes=a-b", "bytes=--5", "bytes 0-9", "bytes=99999999999999999999999-"] {
        let reply = ranged(repository, &blob, range).send().expect_one_of(&[200, 400, 416]);
        assert!(
            reply.status != 200 || reply.body == bytes,
            "{range} is neither ignored nor refused: {reply}"
        );
    }
}

/// Use cases, resumable pull: a client "keeps the partial data and uses http `Range` requests" for the rest.
fn parts_make_the_blob(repository: &Repository<'_>) {
    let bytes = fresh_bytes(5_000_001);
    let blob = format!("blobs/{}", repository.push_blob(&bytes));
    let mut pulled = Vec::new();
    for range in ["bytes=0-1", "bytes=2-1999999", "bytes=2000000-3999999", "bytes=4000000-"] {
        pulled.extend(ranged(repository, &blob, range).expect(206).body);
    }
    assert!(pulled == bytes, "the parts are {} bytes and not the blob", pulled.len());
}

/// Checking if content exists, end-2: RFC 9110 (section 14.2) defines ranges for GET alone.
fn head_ignores_the_range(repository: &Repository<'_>) {
    let (_, blob) = push_a_blob(repository);
    let request = repository.head(&blob).header("Range", "bytes=0-9");
    request.expect(200).expect_header("Content-Length", "1000");
}

/// Pulling blobs, end-2: RFC 9110 (section 13.1.5): the part of other content than the client has is of no
/// use.
fn if_range_with_another_entity_tag_gets_the_whole(repository: &Repository<'_>) {
    let (bytes, blob) = push_a_blob(repository);
    let request = ranged(repository, &blob, "bytes=0-9").header("If-Range", "\"another\"");
    request.expect(200).expect_body(&bytes);
}

/// Pulling blobs, end-2: RFC 9110 (section 13.1.5): the part of the same content is sent.
fn if_range_with_the_entity_tag_gets_the_part(repository: &Repository<'_>) {
    let (bytes, blob) = push_a_blob(repository);
    let etag = repository.head(&blob).expect(200).header("ETag").to_owned();
    let request = ranged(repository, &blob, "bytes=0-9").header("If-Range", &etag);
    request.expect(206).expect_body(&bytes[..10]);
}

/// Pulling blobs, end-2: a 206 carries its own length, and the digest of the whole blob.
fn part_is_announced_like_the_whole(repository: &Repository<'_>) {
    let (bytes, blob) = push_a_blob(repository);
    let reply = ranged(repository, &blob, "bytes=100-199").expect(206);
    reply.expect_header("Content-Length", "100").expect_digest_of(&bytes);
}

/// Pulling blobs, end-2: containers/image asks for several ranges and takes the whole blob for an answer.
fn several_ranges_get_the_whole(repository: &Repository<'_>) {
    let (bytes, blob) = push_a_blob(repository);
    ranged(repository, &blob, "bytes=0-9,20-29").expect(200).expect_body(&bytes);
}

/// Pulling blobs, end-2: oras resumes only where `Accept-Ranges: bytes` says that it may.
fn ranges_are_announced(repository: &Repository<'_>) {
    let (_, blob) = push_a_blob(repository);
    repository.get(&blob).expect(200).expect_header("Accept-Ranges", "bytes");
    repository.head(&blob).expect(200).expect_header("Accept-Ranges", "bytes");
}

fn push_a_blob(repository: &Repository<'_>) -> (Vec<u8>, String) {
    let bytes = fresh_bytes(SIZE);
    let digest = repository.push_blob(&bytes);
    (bytes, format!("blobs/{digest}"))
}

fn ranged(repository: &Repository<'_>, path: &str, range: &str) -> Request {
    repository.get(path).header("Range", range)
}

#[track_caller]
fn expect_part(repository: &Repository<'_>, range: &str, first: usize, last: usize) {
    let (bytes, blob) = push_a_blob(repository);
    let reply = ranged(repository, &blob, range).expect(206).expect_body(&bytes[first..=last]);
    reply.expect_header("Content-Range", &format!("bytes {first}-{last}/{SIZE}"));
}
