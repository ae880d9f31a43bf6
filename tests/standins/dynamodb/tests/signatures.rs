//! Who is let in.

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{Builder, ConfigBag, Intercept, Region, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_async::time::StaticTimeSource;
use dynamodb_standin::{Credentials, Options};

use crate::world::{TABLE, World, code, key, provider};

async fn answer(client: &Client) -> String {
    let get = client.get_item().table_name(TABLE).set_key(Some(key("a", "1")));
    get.send().await.map_or_else(|error| code(&error), |_| "let in".to_owned())
}

async fn answer_to(change: impl FnOnce(Builder) -> Builder) -> String {
    let world = World::new().await;
    answer(&world.client_with(change)).await
}

#[tokio::test]
async fn the_right_key_is_let_in() {
    assert_eq!(answer_to(|config| config).await, "let in");
}

#[tokio::test]
async fn an_unknown_access_key_is_not_recognised() {
    let credentials = Credentials { access_key_id: "OTHER".to_owned(), ..Credentials::default() };
    let code = answer_to(|config| config.credentials_provider(provider(&credentials))).await;
    assert_eq!(code, "UnrecognizedClientException");
}

#[tokio::test]
async fn a_wrong_secret_makes_an_invalid_signature() {
    let credentials = Credentials { secret_access_key: "other".to_owned(), ..Credentials::default() };
    let code = answer_to(|config| config.credentials_provider(provider(&credentials))).await;
    assert_eq!(code, "InvalidSignatureException");
}

#[tokio::test]
async fn a_temporary_key_needs_its_token() {
    let with_token = |token: Option<&str>| Credentials {
        session_token: token.map(str::to_owned),
        ..Credentials::default()
    };
    let options = Options { credentials: with_token(Some("token")), ..Options::default() };
    let world = World::with(options).await;
    assert_eq!(answer(&world.client).await, "let in");
    for token in [None, Some("other")] {
        let client = world.client_with(|config| config.credentials_provider(provider(&with_token(token))));
        assert_eq!(answer(&client).await, "UnrecognizedClientException", "{token:?}");
    }
}

#[tokio::test]
async fn a_token_for_a_key_without_one_is_not_recognised() {
    let credentials = Credentials { session_token: Some("token".to_owned()), ..Credentials::default() };
    let code = answer_to(|config| config.credentials_provider(provider(&credentials))).await;
    assert_eq!(code, "UnrecognizedClientException");
}

#[tokio::test]
async fn another_region_makes_an_invalid_signature() {
    let code = answer_to(|config| config.region(Region::new("eu-west-1"))).await;
    assert_eq!(code, "InvalidSignatureException");
}

#[tokio::test]
async fn a_clock_that_is_sixteen_minutes_off_makes_an_invalid_signature() {
    let minute = Duration::from_secs(60);
    let table = [
        (SystemTime::now() - 16 * minute, "InvalidSignatureException"),
        (SystemTime::now() - 10 * minute, "let in"),
        (SystemTime::now() + 10 * minute, "let in"),
        (SystemTime::now() + 16 * minute, "InvalidSignatureException"),
    ];
    for (time, expected) in table {
        let code = answer_to(|config| config.time_source(StaticTimeSource::new(time))).await;
        assert_eq!(code, expected, "{time:?}");
    }
}

/// Changes a header after the request was signed; none removes it.
#[derive(Clone, Copy, Debug)]
struct Changed(&'static str, Option<&'static str>);

impl Intercept for Changed {
    fn name(&self) -> &'static str {
        "Changed"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let headers = context.request_mut().headers_mut();
        let Changed(name, value) = *self;
        match value {
            Some(value) => drop(headers.try_insert(name, value)?),
            None => drop(headers.remove(name).ok_or("the header is there")?),
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_header_changed_after_signing_is_noticed() {
    let table = [
        (Changed("authorization", None), "MissingAuthenticationTokenException"),
        (Changed("authorization", Some("Basic YTpi")), "MissingAuthenticationTokenException"),
        (Changed("authorization", Some("AWS4-HMAC-SHA256 Credential=a")), "IncompleteSignatureException"),
        (Changed("x-amz-date", None), "IncompleteSignatureException"),
        (Changed("x-amz-date", Some("20260230T000000Z")), "InvalidSignatureException"),
        (Changed("x-amz-target", Some("DynamoDB_20120810.DeleteItem")), "InvalidSignatureException"),
        (Changed("x-amz-target", None), "InvalidSignatureException"),
        (Changed("x-amz-unsigned", Some("x")), "InvalidSignatureException"),
        (Changed("x-unsigned", Some("x")), "let in"),
    ];
    for (changed, expected) in table {
        let code = answer_to(|config| config.interceptor(changed)).await;
        assert_eq!(code, expected, "{changed:?}");
    }
}

/// Sends another body than the signed one.
#[derive(Debug)]
struct OtherBody;

impl Intercept for OtherBody {
    fn name(&self) -> &'static str {
        "OtherBody"
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = request.body().bytes().ok_or("the body is in memory")?;
        let other = String::from_utf8(body.to_vec())?.replace(r#""a""#, r#""b""#);
        assert_ne!(other.as_bytes(), body);
        *request.body_mut() = other.into();
        Ok(())
    }
}

#[tokio::test]
async fn another_body_than_the_signed_one_is_noticed() {
    assert_eq!(answer_to(|config| config.interceptor(OtherBody)).await, "InvalidSignatureException");
}

#[tokio::test]
async fn a_request_that_is_not_let_in_is_not_counted_and_takes_no_fault() {
    let world = World::new().await;
    world.standin.faults().plan("GetItem", 1, dynamodb_standin::Fault::Throttled);
    let client = world.client_with(|config| config.interceptor(Changed("authorization", None)));
    assert_eq!(answer(&client).await, "MissingAuthenticationTokenException");
    assert_eq!((world.standin.calls().total(), world.standin.faults().pending()), (0, 1));
}
