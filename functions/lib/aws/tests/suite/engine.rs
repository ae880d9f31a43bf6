//! Programs that stand in for DynamoDB and S3 and that others wrote; `tests/setup.sh` installs them.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws::{Clients, DynamoDb, S3, Settings};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
};
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Credentials, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_smithy_async::time::SharedTimeSource;
use tempfile::TempDir;
use test_support::daemon::Daemon;
use test_support::require::skip;

use crate::world::{Stores, config};

/// The region in which a bucket needs no location.
const REGION: &str = "us-east-1";

/// A running program with nothing in it, stopped when dropped.
pub(crate) struct Engine {
    endpoint: String,
    worlds: AtomicUsize,
    reads: Reads,
    _daemon: Daemon,
    _folder: TempDir,
}

/// Counts objects that are read.
#[derive(Clone, Debug, Default)]
struct Reads(Arc<AtomicUsize>);

impl Intercept for Reads {
    fn name(&self) -> &'static str {
        "reads"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        if request.method() == "GET" && request.uri().contains("/data/") {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

impl Engine {
    /// Starts the program; where it is not installed, says that `test` is skipped.
    pub(crate) fn start(test: &str, name: &str) -> Option<Self> {
        let program = installed(name);
        if !program.exists() {
            skip(test, name, &format!("there is no {}", program.display()));
            return None;
        }
        let (folder, address) = (tempfile::tempdir().unwrap(), free_address());
        let port = address.port().to_string();
        let mut command = Command::new(program);
        match name {
            "moto" => command.args(["--host", "127.0.0.1", "--port", &port]),
            _ => command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port).env("IOT_MTLS_ENABLED", "0"),
        };
        command.env("TMPDIR", folder.path()).current_dir(folder.path());
        let listens = || TcpStream::connect(address).is_ok();
        let daemon = Daemon::start(&mut command, &folder.path().join("log"), listens)
            .unwrap_or_else(|log| panic!("{name}: {log}"));
        let endpoint = format!("http://{address}");
        Some(Self {
            endpoint,
            worlds: AtomicUsize::new(0),
            reads: Reads::default(),
            _daemon: daemon,
            _folder: folder,
        })
    }

    /// Returns how many objects the adapters have read.
    pub(crate) fn reads(&self) -> usize {
        self.reads.0.load(Ordering::Relaxed)
    }

    /// Makes a table and a bucket, and returns the adapters on them.
    pub(crate) async fn stores(&self) -> Stores {
        let name = &format!("world-{}", self.worlds.fetch_add(1, Ordering::Relaxed));
        let (keys, endpoint) =
            (Credentials::new("test", "test", None, None, "tests"), Some(self.endpoint.clone()));
        let settings = Settings {
            table: name.clone(),
            bucket: name.clone(),
            dynamodb_endpoint: endpoint.clone(),
            s3_endpoint: endpoint,
            is_path_style: true,
        };
        let Clients { dynamodb, s3 } =
            Clients::new(&config(keys, REGION, SharedTimeSource::default()), &settings);
        create_table(&dynamodb, name).await;
        s3.create_bucket().bucket(name).send().await.unwrap();
        let counting = s3.config().to_builder().interceptor(self.reads.clone()).build();
        Stores {
            items: Arc::new(DynamoDb::new(dynamodb, name)),
            objects: Arc::new(S3::new(aws_sdk_s3::Client::from_conf(counting), name)),
            bucket_url: format!("{}/{name}", self.endpoint),
        }
    }
}

/// Creates the table of `infra/template.yaml`, as far as the adapter asks of it.
async fn create_table(dynamodb: &aws_sdk_dynamodb::Client, name: &str) {
    let mut table = dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
    for (key, kind) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let string =
            AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S);
        let part = KeySchemaElement::builder().attribute_name(key).key_type(kind);
        table = table.attribute_definitions(string.build().unwrap()).key_schema(part.build().unwrap());
    }
    table.send().await.unwrap();
}

/// Returns where `tests/setup.sh` puts the program.
fn installed(name: &str) -> PathBuf {
    let program = if name == "moto" { "moto_server" } else { name };
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    target.join("test-tools/engines/bin").join(program)
}

fn free_address() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}
