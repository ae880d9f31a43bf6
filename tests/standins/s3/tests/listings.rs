//! Lists: objects, parts, uploads.

use aws_sdk_s3::types::EncodingType;

use crate::support::{BUCKET, Bench, bytes, code, start};

async fn with_keys(keys: &[&str]) -> Bench {
    let bench = start().await;
    for key in keys {
        bench.put(key, bytes(1, 1)).await;
    }
    bench
}

/// All keys and common prefixes, page by page, with the number of entries of each page.
async fn pages(
    bench: &Bench,
    ask: impl Fn(
        aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder,
    ) -> aws_sdk_s3::operation::list_objects_v2::builders::ListObjectsV2FluentBuilder,
) -> (Vec<String>, Vec<String>, Vec<i32>) {
    let (mut keys, mut prefixes, mut counts, mut token) = (Vec::new(), Vec::new(), Vec::new(), None);
    loop {
        let list = ask(bench.client.list_objects_v2().bucket(BUCKET)).set_continuation_token(token);
        let page = list.send().await.unwrap();
        keys.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        prefixes.extend(page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap().to_owned()));
        counts.push(page.key_count().unwrap());
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            return (keys, prefixes, counts);
        }
    }
}

#[tokio::test]
async fn pages_of_ten_hold_every_key_once_in_order() {
    let keys: Vec<_> = (0..25).map(|n| format!("k{n:02}")).collect();
    let bench = with_keys(&keys.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (found, _, counts) = pages(&bench, |list| list.max_keys(10)).await;
    assert_eq!(found, keys);
    assert_eq!(counts, [10, 10, 5]);
}

#[tokio::test]
async fn a_last_page_that_is_full_is_the_last() {
    let bench = with_keys(&["a", "b"]).await;
    assert_eq!(pages(&bench, |list| list.max_keys(2)).await.2, [2]);
}

#[tokio::test]
async fn keys_come_in_the_order_of_their_bytes() {
    let bench = with_keys(&["b", "a", "B", "a/b", "a0", "a-b", "\u{1f980}", "\u{ffee}", "ä"]).await;
    let (found, _, _) = pages(&bench, |list| list).await;
    assert_eq!(found, ["B", "a", "a-b", "a/b", "a0", "b", "ä", "\u{ffee}", "\u{1f980}"]);
}

#[tokio::test]
async fn start_after_need_not_be_there() {
    let bench = with_keys(&["a", "b", "c"]).await;
    assert_eq!(pages(&bench, |list| list.start_after("a")).await.0, ["b", "c"]);
    assert_eq!(pages(&bench, |list| list.start_after("aa")).await.0, ["b", "c"]);
    assert!(pages(&bench, |list| list.start_after("c")).await.0.is_empty());
}

#[tokio::test]
async fn a_prefix_limits_the_list() {
    let bench = with_keys(&["a/1", "b/1", "b/2", "b", "c"]).await;
    assert_eq!(pages(&bench, |list| list.prefix("b/")).await.0, ["b/1", "b/2"]);
    assert_eq!(pages(&bench, |list| list.prefix("b/").start_after("a")).await.0, ["b/1", "b/2"]);
}

#[tokio::test]
async fn a_delimiter_folds_what_is_below_it() {
    let bench = with_keys(&["a", "d/1", "d/2", "d/e/3", "e/4", "f"]).await;
    let (keys, prefixes, _) = pages(&bench, |list| list.delimiter("/")).await;
    assert_eq!((keys, prefixes), (vec!["a".into(), "f".into()], vec!["d/".into(), "e/".into()]));
    let (keys, prefixes, _) = pages(&bench, |list| list.delimiter("/").prefix("d/")).await;
    assert_eq!((keys, prefixes), (vec!["d/1".into(), "d/2".into()], vec!["d/e/".into()]));
}

#[tokio::test]
async fn a_folded_prefix_counts_once_and_is_not_repeated_on_the_next_page() {
    let bench = with_keys(&["a", "d/1", "d/2", "d/3", "e/4", "f"]).await;
    let (keys, prefixes, counts) = pages(&bench, |list| list.delimiter("/").max_keys(2)).await;
    assert_eq!((keys, prefixes), (vec!["a".into(), "f".into()], vec!["d/".into(), "e/".into()]));
    assert_eq!(counts, [2, 2]);
}

#[tokio::test]
async fn names_can_come_percent_encoded() {
    let bench = with_keys(&["a b/ü"]).await;
    let list =
        bench.client.list_objects_v2().bucket(BUCKET).encoding_type(EncodingType::Url).send().await.unwrap();
    assert_eq!(list.contents()[0].key(), Some("a%20b/%C3%BC"));
}

#[tokio::test]
async fn a_page_has_at_most_1000_keys_and_a_token_must_be_one() {
    let bench = with_keys(&["a"]).await;
    let list = bench.client.list_objects_v2().bucket(BUCKET);
    assert_eq!(list.clone().max_keys(5000).send().await.unwrap().max_keys(), Some(1000));
    assert_eq!(code(list.clone().continuation_token("nonsense").send().await), "InvalidArgument");
    assert_eq!(list.max_keys(0).send().await.unwrap().is_truncated(), Some(false));
}

#[tokio::test]
async fn uploads_are_listed_in_pages_until_they_are_gone() {
    let bench = start().await;
    let mut ids = Vec::new();
    for key in ["b", "a", "a"] {
        let upload = bench.client.create_multipart_upload().bucket(BUCKET).key(key).send().await.unwrap();
        ids.push((key, upload.upload_id().unwrap().to_owned()));
    }
    let first = bench.client.list_multipart_uploads().bucket(BUCKET).max_uploads(2).send().await.unwrap();
    let keys: Vec<_> = first.uploads().iter().filter_map(|upload| upload.key()).collect();
    assert_eq!((keys, first.is_truncated()), (vec!["a", "a"], Some(true)));
    let next = bench.client.list_multipart_uploads().bucket(BUCKET);
    let next = next.set_key_marker(first.next_key_marker().map(str::to_owned));
    let next =
        next.set_upload_id_marker(first.next_upload_id_marker().map(str::to_owned)).send().await.unwrap();
    assert_eq!(next.uploads()[0].upload_id(), Some(ids[0].1.as_str()));
    assert_eq!((next.uploads().len(), next.is_truncated()), (1, Some(false)));
    let prefixed = bench.client.list_multipart_uploads().bucket(BUCKET).prefix("b").send().await.unwrap();
    assert_eq!(prefixed.uploads().len(), 1);
    for (key, id) in ids {
        bench.client.abort_multipart_upload().bucket(BUCKET).key(key).upload_id(id).send().await.unwrap();
    }
    let none = bench.client.list_multipart_uploads().bucket(BUCKET).send().await.unwrap();
    assert!(none.uploads().is_empty());
}

#[tokio::test]
async fn parts_are_listed_in_pages() {
    let bench = start().await;
    let upload = bench.client.create_multipart_upload().bucket(BUCKET).key("a").send().await.unwrap();
    let id = upload.upload_id().unwrap();
    for number in [3, 1, 2] {
        let part = bench.client.upload_part().bucket(BUCKET).key("a").upload_id(id).part_number(number);
        part.body(bytes(1, 1).into()).send().await.unwrap();
    }
    let list = bench.client.list_parts().bucket(BUCKET).key("a").upload_id(id);
    let numbers = |parts: &[aws_sdk_s3::types::Part]| -> Vec<_> {
        parts.iter().filter_map(|part| part.part_number()).collect()
    };
    let first = list.clone().max_parts(2).send().await.unwrap();
    assert_eq!((numbers(first.parts()), first.is_truncated()), (vec![1, 2], Some(true)));
    let next = list.part_number_marker(first.next_part_number_marker().unwrap()).send().await.unwrap();
    assert_eq!((numbers(next.parts()), next.is_truncated()), (vec![3], Some(false)));
}
