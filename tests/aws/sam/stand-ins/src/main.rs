//! Runs stand-ins of S3, DynamoDB and Secrets Manager until Ctrl-C or SIGTERM, and prints the variables that lead to them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::Result;
use clap::Parser;
use dynamodb_standin::{Credentials, DynamoDbStandin};
use s3_standin::S3Standin;
use secrets_standin::SecretsStandin;
use tokio::signal::unix::{SignalKind, signal};

const TABLE: &str = "slipway";
const BUCKET: &str = "slipway-objects";
const REGION: &str = "eu-central-1";
const ACCESS_KEY: &str = "LOCALKEY";
const SECRET_KEY: &str = "local-secret";
const FIRST_PASSWORD: &str = "LocalFirstPassword123456";
const SIGNING_KEY: &str = "LocalSigningKeyThatSignsNothingOfAnyWorthToAnybody";

#[derive(Parser)]
#[command(about = "Runs stand-ins of S3, DynamoDB and Secrets Manager, and prints where they are")]
struct Options {
    /// Address to listen on; containers reach the docker bridge's, but not the loopback's
    #[arg(default_value_t = IpAddr::from(Ipv4Addr::LOCALHOST))]
    address: IpAddr,
}

#[tokio::main]
async fn main() -> Result<()> {
    let address = SocketAddr::from((Options::parse().address, 0));
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let s3 = start_s3(address).await?;
    let dynamodb = start_dynamodb(address).await;
    let secrets = SecretsStandin::start(address, &format!("{FIRST_PASSWORD}{SIGNING_KEY}")).await?;
    print!("{}", variables(&s3.endpoint(), &dynamodb.endpoint(), &secrets.endpoint()));
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn start_s3(address: SocketAddr) -> Result<S3Standin> {
    let options = s3_standin::Options {
        listen: address,
        buckets: vec![BUCKET.to_owned()],
        access_key: ACCESS_KEY.to_owned(),
        secret_key: SECRET_KEY.to_owned(),
        ..s3_standin::Options::default()
    };
    Ok(S3Standin::start(options).await?)
}

async fn start_dynamodb(address: SocketAddr) -> DynamoDbStandin {
    let credentials = Credentials {
        access_key_id: ACCESS_KEY.to_owned(),
        secret_access_key: SECRET_KEY.to_owned(),
        session_token: None,
    };
    let options = dynamodb_standin::Options { address, region: REGION.to_owned(), credentials };
    let dynamodb = DynamoDbStandin::start(options).await;
    dynamodb.create_table(TABLE);
    dynamodb
}

/// In the shell's own words, to be sourced.
fn variables(s3: &str, dynamodb: &str, secrets: &str) -> String {
    [
        ("S3_ENDPOINT", s3),
        ("DYNAMODB_ENDPOINT", dynamodb),
        ("SECRETS_ENDPOINT", secrets),
        ("FIRST_PASSWORD", FIRST_PASSWORD),
        ("TABLE", TABLE),
        ("BUCKET", BUCKET),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", ACCESS_KEY),
        ("AWS_SECRET_ACCESS_KEY", SECRET_KEY),
    ]
    .map(|(name, value)| format!("export {name}={value}\n"))
    .concat()
}
