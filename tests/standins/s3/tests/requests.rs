//! Requests signed in their headers, and those that are not signed at all.

use aws_sdk_s3::config::Credentials;
use s3_standin::Options;

use crate::support::{BUCKET, bytes, client, code, refusal, start, start_with};

const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

#[tokio::test]
async fn an_anonymous_request_is_refused() {
    let bench = start().await;
    bench.put("a", bytes(10, 1)).await;
    let url = format!("{}/{BUCKET}/a", bench.standin.endpoint());
    for request in [bench.http.get(&url), bench.http.put(&url).body("x"), bench.http.delete(&url)] {
        let (status, code) = refusal(request.send().await.unwrap()).await;
        assert_eq!((status.as_u16(), code.as_str()), (403, "AccessDenied"));
    }
    assert_eq!(bench.read("a").await, bytes(10, 1));
    assert_eq!(bench.standin.calls().count("DeleteObject"), 0);
}

#[tokio::test]
async fn a_wrong_secret_is_signature_does_not_match() {
    let bench = start().await;
    let wrong = Options { secret_key: "wrong".to_owned(), ..Options::default() };
    let other = client(&bench.standin.endpoint(), &wrong);
    assert_eq!(code(other.list_objects_v2().bucket(BUCKET).send().await), "SignatureDoesNotMatch");
}

#[tokio::test]
async fn an_unknown_access_key_is_refused() {
    let bench = start().await;
    let wrong = Options { access_key: "AKIDOTHER".to_owned(), ..Options::default() };
    let other = client(&bench.standin.endpoint(), &wrong);
    assert!(
        ["InvalidAccessKeyId", "NotSignedUp"]
            .contains(&code(other.list_objects_v2().bucket(BUCKET).send().await).as_str())
    );
}

#[tokio::test]
async fn a_session_token_must_come_in_the_header() {
    let session = Options { session_token: Some("the-token".to_owned()), ..Options::default() };
    let bench = start_with(session).await;
    bench.put("a", bytes(10, 1)).await;
    let without =
        client(&bench.standin.endpoint(), &Options { session_token: None, ..bench.options.clone() });
    assert_eq!(code(without.list_objects_v2().bucket(BUCKET).send().await), "InvalidAccessKeyId");
    let credentials = Credentials::new(
        &bench.options.access_key,
        &bench.options.secret_key,
        Some("other".to_owned()),
        None,
        "test",
    );
    let config = crate::support::config(&bench.standin.endpoint(), &bench.options);
    let other = aws_sdk_s3::Client::from_conf(config.credentials_provider(credentials).build());
    assert_eq!(code(other.list_objects_v2().bucket(BUCKET).send().await), "InvalidToken");
}

#[tokio::test]
async fn a_signed_request_is_accepted_as_it_was_signed_and_not_otherwise() {
    let bench = start().await;
    let path = format!("/{BUCKET}/a");
    let mut headers = bench.signed("PUT", &path, &[("content-length", "3")], UNSIGNED);
    let answer = bench.raw(&format!("PUT {path}"), &headers, b"abc").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    headers.push(("x-amz-meta-added".to_owned(), "later".to_owned()));
    let answer = bench.raw(&format!("PUT {path}"), &headers, b"xyz").await;
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("not signed"), "{answer}");
    assert_eq!(bench.read("a").await, b"abc");
}

#[tokio::test]
async fn a_signed_put_without_a_length_is_refused_too() {
    let bench = start().await;
    let path = format!("/{BUCKET}/a");
    let headers = bench.signed("PUT", &path, &[("transfer-encoding", "chunked")], UNSIGNED);
    let answer = bench.raw(&format!("PUT {path}"), &headers, b"3\r\nabc\r\n0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 501"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_is_refused() {
    let bench = start().await;
    let path = format!("/{BUCKET}/a");
    let other = sha2::Sha256::default();
    let payload = hex::encode(sha2::Digest::finalize(other));
    let headers = bench.signed("PUT", &path, &[("content-length", "3")], &payload);
    let answer = bench.raw(&format!("PUT {path}"), &headers, b"abc").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("XAmzContentSHA256Mismatch"), "{answer}");
    assert!(!bench.exists("a").await);
}

#[tokio::test]
async fn signature_version_2_is_refused() {
    let bench = start().await;
    let url = format!("{}/{BUCKET}/a", bench.standin.endpoint());
    let header = bench.http.get(&url).header("authorization", "AWS AKIDSTANDIN:c2lnbmF0dXJl");
    assert_eq!(refusal(header.send().await.unwrap()).await.1, "InvalidRequest");
    let query = bench.http.get(format!("{url}?AWSAccessKeyId=AKIDSTANDIN&Expires=9999999999&Signature=abc"));
    assert_eq!(refusal(query.send().await.unwrap()).await.1, "InvalidRequest");
}

#[tokio::test]
async fn a_form_upload_is_refused() {
    let bench = start().await;
    let url = format!("{}/{BUCKET}", bench.standin.endpoint());
    let form = bench.http.post(url).header("content-type", "multipart/form-data; boundary=x").body("--x--");
    assert_eq!(refusal(form.send().await.unwrap()).await.0, 501);
}
