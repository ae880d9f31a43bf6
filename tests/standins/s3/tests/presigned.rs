//! Presigned URLs: what they carry, and every way to spoil one.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::presigning::PresigningConfig;
use s3_standin::Options;

use crate::support::{BUCKET, bytes, client, minute, refusal, sha256, start, start_with};

const YESTERDAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_presigned_put_and_get_carry_bytes() {
    let bench = start().await;
    let put = bench.presigned_put("a").await;
    assert_eq!(bench.send(&put, bytes(70_000, 1)).await.status(), 200);
    let get = bench.presigned_get("a").await;
    let answer = bench.send(&get, Vec::new()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.bytes().await.unwrap(), bytes(70_000, 1));
}

#[tokio::test]
async fn a_presigned_head_has_the_length_and_no_body() {
    let bench = start().await;
    bench.put("a", bytes(1234, 1)).await;
    let head = bench.client.head_object().bucket(BUCKET).key("a").presigned(minute()).await.unwrap();
    let answer = bench.send(&head, Vec::new()).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-length"], "1234");
}

#[tokio::test]
async fn a_presigned_get_may_change_the_headers_of_its_answer() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let get = bench.client.get_object().bucket(BUCKET).key("a");
    let get = get.response_content_type("application/x-test").response_cache_control("no-store");
    let answer = bench.send(&get.presigned(minute()).await.unwrap(), Vec::new()).await;
    assert_eq!(answer.headers()["content-type"], "application/x-test");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let head = bench.client.head_object().bucket(BUCKET).key("a").response_content_type("application/x-test");
    let answer = bench.send(&head.presigned(minute()).await.unwrap(), Vec::new()).await;
    assert_eq!(answer.headers()["content-type"], "application/x-test");
}

#[tokio::test]
async fn a_tampered_key_or_parameter_is_refused() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    bench.put("b", bytes(10, 1)).await;
    let get = bench.client.get_object().bucket(BUCKET).key("a").response_content_type("text/plain");
    let url = get.presigned(minute()).await.unwrap().uri().to_owned();
    for tampered in [
        url.replace("/a?", "/b?"),
        url.replace("text%2Fplain", "text%2Fhtml"),
        format!("{url}&digest=sha256%3A00"),
    ] {
        assert_ne!(tampered, url);
        let (status, code) = refusal(bench.http.get(&tampered).send().await.unwrap()).await;
        assert_eq!((status.as_u16(), code.as_str()), (403, "SignatureDoesNotMatch"), "{tampered}");
    }
}

#[tokio::test]
async fn the_method_is_signed() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let get = bench.presigned_get("a").await;
    let answer = bench.http.delete(get.uri()).send().await.unwrap();
    assert_eq!(refusal(answer).await.1, "SignatureDoesNotMatch");
    assert!(bench.exists("a").await);
}

#[tokio::test]
async fn an_expired_url_is_refused() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let expired = PresigningConfig::builder().start_time(SystemTime::now() - YESTERDAY);
    let expired = expired.expires_in(Duration::from_secs(60)).build().unwrap();
    let get = bench.client.get_object().bucket(BUCKET).key("a").presigned(expired).await.unwrap();
    let (status, code) = refusal(bench.send(&get, Vec::new()).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (403, "AccessDenied"));
}

#[tokio::test]
async fn a_url_of_more_than_a_week_is_refused() {
    let bench = start().await;
    let get = bench.presigned_get("a").await;
    let url = get.uri().replace("X-Amz-Expires=60", "X-Amz-Expires=604801");
    let (status, code) = refusal(bench.http.get(url).send().await.unwrap()).await;
    assert_eq!((status.as_u16(), code.as_str()), (400, "AuthorizationQueryParametersError"));
}

#[tokio::test]
async fn a_url_signed_with_another_secret_is_refused() {
    let bench = start().await;
    let wrong = Options { secret_key: "wrong".to_owned(), ..Options::default() };
    let other = client(&bench.standin.endpoint(), &wrong);
    let put = other.put_object().bucket(BUCKET).key("a").presigned(minute()).await.unwrap();
    let (status, code) = refusal(bench.send(&put, bytes(10, 1)).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (403, "SignatureDoesNotMatch"));
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn an_authorization_beside_the_url_is_refused() {
    let bench = start().await;
    let put = bench.presigned_put("a").await;
    for authorization in ["Basic dXNlcjpwYXNz", "Bearer token"] {
        let request = bench.builder(&put).header("authorization", authorization).body(bytes(10, 1));
        let (status, code) = refusal(request.send().await.unwrap()).await;
        assert_eq!((status.as_u16(), code.as_str()), (400, "InvalidArgument"));
    }
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn an_unsigned_amz_header_is_refused_and_any_other_is_not() {
    let bench = start().await;
    let put = bench.presigned_put("a").await;
    for (name, value) in [
        ("x-amz-meta-colour", "blue"),
        ("x-amz-acl", "public-read"),
        ("x-amz-checksum-sha256", &sha256(&bytes(10, 1))),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-copy-source", "standin/b"),
    ] {
        let request = bench.builder(&put).header(name, value).body(bytes(10, 1));
        let (status, code) = refusal(request.send().await.unwrap()).await;
        assert_eq!((status.as_u16(), code.as_str()), (403, "AccessDenied"), "{name}");
    }
    assert!(!bench.exists("a").await);
    let request = bench.builder(&put).header("content-type", "text/plain").header("x-other", "1");
    assert_eq!(request.body(bytes(10, 1)).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn an_unsigned_cf_id_passes_unless_it_is_to_be_refused() {
    for (refuse_cf_id, expected) in [(false, 200), (true, 403)] {
        let bench = start_with(Options { refuse_cf_id, ..Options::default() }).await;
        let put = bench.presigned_put("a").await;
        let request = bench.builder(&put).header("x-amz-cf-id", "abc").body(bytes(10, 1));
        assert_eq!(request.send().await.unwrap().status(), expected);
    }
}

#[tokio::test]
async fn a_checksum_in_the_query_is_signed_but_not_compared() {
    let bench = start().await;
    let put = bench.client.put_object().bucket(BUCKET).key("a").customize().mutate_request(|request| {
        let uri = format!("{}&x-amz-checksum-sha256={}", request.uri(), "AAAA");
        request.set_uri(uri).unwrap();
    });
    let put = put.presigned(minute()).await.unwrap();
    assert!(put.uri().contains("x-amz-checksum-sha256=AAAA"), "{}", put.uri());
    assert_eq!(bench.send(&put, bytes(10, 1)).await.status(), 200);
    let changed = put.uri().replace("sha256=AAAA", "sha256=BBBB");
    let answer = bench.http.put(changed).body(bytes(10, 1)).send().await.unwrap();
    assert_eq!(refusal(answer).await.1, "SignatureDoesNotMatch");
}

#[tokio::test]
async fn a_signed_checksum_header_is_compared_before_anything_is_visible() {
    let bench = start().await;
    let put = bench.client.put_object().bucket(BUCKET).key("a").checksum_sha256(sha256(&bytes(10, 1)));
    let put = put.presigned(minute()).await.unwrap();
    assert!(put.headers().any(|(name, _)| name == "x-amz-checksum-sha256"), "the SDK signs it as a header");
    let (status, code) = refusal(bench.send(&put, bytes(10, 2)).await).await;
    assert_eq!((status.as_u16(), code.as_str()), (400, "BadDigest"));
    assert!(!bench.exists("a").await);
    let unsaid = bench.http.put(put.uri()).body(bytes(10, 1)).send().await.unwrap();
    assert_eq!(unsaid.status(), 403, "the signed header must come");
    assert_eq!(bench.send(&put, bytes(10, 1)).await.status(), 200);
}

#[tokio::test]
async fn a_body_without_a_length_is_refused() {
    let bench = start().await;
    let put = bench.presigned_put("a").await;
    let path = put.uri().strip_prefix(&bench.standin.endpoint()).unwrap().to_owned();
    let host = ("host".to_owned(), bench.standin.address().to_string());
    let chunked = [host.clone(), ("transfer-encoding".to_owned(), "chunked".to_owned())];
    let answer = bench.raw(&format!("PUT {path}"), &chunked, b"3\r\nabc\r\n0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 501") && answer.contains("Transfer-Encoding"), "{answer}");
    let answer = bench.raw(&format!("PUT {path}"), &[host], b"").await;
    assert!(answer.starts_with("HTTP/1.1 411") && answer.contains("MissingContentLength"), "{answer}");
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn a_put_of_more_than_5_gib_is_refused_by_its_length() {
    let bench = start().await;
    let put = bench.presigned_put("a").await;
    let path = put.uri().strip_prefix(&bench.standin.endpoint()).unwrap().to_owned();
    let length = ((5_u64 << 30) + 1).to_string();
    let headers =
        [("host".to_owned(), bench.standin.address().to_string()), ("content-length".to_owned(), length)];
    let answer = bench.raw(&format!("PUT {path}"), &headers, b"").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("EntityTooLarge"), "{answer}");
}

#[tokio::test]
async fn a_session_token_must_come_and_be_right() {
    let session = Options { session_token: Some("the-token".to_owned()), ..Options::default() };
    let bench = start_with(session.clone()).await;
    let put = bench.presigned_put("a").await;
    assert!(put.uri().contains("X-Amz-Security-Token=the-token"));
    assert_eq!(bench.send(&put, bytes(10, 1)).await.status(), 200);
    for (token, expected) in [(None, (403, "InvalidAccessKeyId")), (Some("other"), (400, "InvalidToken"))] {
        let options = Options { session_token: token.map(str::to_owned), ..session.clone() };
        let other = client(&bench.standin.endpoint(), &options);
        let put = other.put_object().bucket(BUCKET).key("b").presigned(minute()).await.unwrap();
        let (status, code) = refusal(bench.send(&put, bytes(10, 1)).await).await;
        assert_eq!((status.as_u16(), code.as_str()), expected, "{token:?}");
    }
    assert!(!bench.exists("b").await);
}

#[tokio::test]
async fn a_token_that_belongs_to_no_session_is_refused() {
    let bench = start().await;
    let session = Options { session_token: Some("the-token".to_owned()), ..Options::default() };
    let other = client(&bench.standin.endpoint(), &session);
    let put = other.put_object().bucket(BUCKET).key("a").presigned(minute()).await.unwrap();
    assert_eq!(refusal(bench.send(&put, bytes(10, 1)).await).await.1, "InvalidToken");
}

#[tokio::test]
async fn a_bucket_may_be_in_the_host_name() {
    let domain = "s3.eu-central-1.amazonaws.test";
    let bench =
        start_with(Options { virtual_host_domain: Some(domain.to_owned()), ..Options::default() }).await;
    let config = crate::support::config(&format!("http://{domain}"), &bench.options).force_path_style(false);
    let client = aws_sdk_s3::Client::from_conf(config.build());
    let put = client.put_object().bucket(BUCKET).key("a").presigned(minute()).await.unwrap();
    let host = format!("{BUCKET}.{domain}");
    let path = put.uri().strip_prefix(&format!("http://{host}")).unwrap().to_owned();
    let url = format!("{}{path}", bench.standin.endpoint());
    let answer = bench.http.put(&url).header("host", &host).body(bytes(10, 1)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(bench.read("a").await, bytes(10, 1), "by path style");
    let answer = bench.http.put(&url).body(bytes(10, 1)).send().await.unwrap();
    assert!(answer.status().is_client_error(), "the host is signed");
}
