//! The stand-in, asked by the client that the functions use.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::net::{Ipv4Addr, SocketAddr};

use aws_sdk_secretsmanager::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_secretsmanager::{Client, config};
use secrets_standin::{SECRET_NAME, SecretsStandin};

async fn start() -> (SecretsStandin, Client) {
    let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let standin = SecretsStandin::start(anywhere, "first").await.unwrap();
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(config::retry::RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(standin.endpoint());
    (standin, Client::from_conf(config.build()))
}

/// Returns the value of a stage, or the name of the error.
async fn value(client: &Client, id: &str, stage: Option<&str>) -> Result<GetSecretValueOutput, String> {
    let get = client.get_secret_value().secret_id(id).set_version_stage(stage.map(str::to_owned));
    get.send().await.map_err(|error| error.code().unwrap_or_default().to_owned())
}

async fn secret(client: &Client, stage: Option<&str>) -> Result<String, String> {
    Ok(value(client, SECRET_NAME, stage).await?.secret_string.unwrap())
}

#[tokio::test]
async fn the_first_value_is_the_current_one_and_there_is_none_before() {
    let (_standin, client) = start().await;
    assert_eq!(secret(&client, None).await.unwrap(), "first");
    assert_eq!(secret(&client, Some("AWSCURRENT")).await.unwrap(), "first");
    assert_eq!(secret(&client, Some("AWSPREVIOUS")).await, Err("ResourceNotFoundException".to_owned()));
    assert_eq!(secret(&client, Some("AWSPENDING")).await, Err("ResourceNotFoundException".to_owned()));
}

#[tokio::test]
async fn a_rotation_keeps_the_last_value_and_no_other() {
    let (standin, client) = start().await;
    let before = value(&client, SECRET_NAME, None).await.unwrap();
    standin.rotate("second");
    assert_eq!(secret(&client, None).await.unwrap(), "second");
    let previous = value(&client, SECRET_NAME, Some("AWSPREVIOUS")).await.unwrap();
    assert_eq!(previous.secret_string, before.secret_string);
    assert_eq!(previous.version_id, before.version_id);
    standin.rotate("third");
    assert_eq!(secret(&client, None).await.unwrap(), "third");
    assert_eq!(secret(&client, Some("AWSPREVIOUS")).await.unwrap(), "second");
    assert_eq!(standin.reads(), 5);
}

#[tokio::test]
async fn the_secret_goes_by_its_name_and_its_arn_alone() {
    let (_standin, client) = start().await;
    let arn = value(&client, SECRET_NAME, None).await.unwrap().arn.unwrap();
    assert_eq!(value(&client, &arn, None).await.unwrap().secret_string.unwrap(), "first");
    let other = arn.replace(SECRET_NAME, "Another");
    for id in ["", "Another", "RegistrySecret-a1b2c3", &other] {
        let refused = value(&client, id, None).await.unwrap_err();
        assert_eq!(refused, "ResourceNotFoundException", "{id:?}");
    }
}

#[tokio::test]
async fn other_operations_are_refused() {
    let (_standin, client) = start().await;
    let refused = client.put_secret_value().secret_id(SECRET_NAME).secret_string("x").send().await;
    assert_eq!(refused.unwrap_err().code(), Some("UnknownOperationException"));
}
