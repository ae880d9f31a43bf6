//! The stand-ins that all cases share, and what each case has of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use api::{Function, Role};
use async_trait::async_trait;
use aws::Trust;
use aws::environment::{Backend, Environment};
use aws::item_of_image;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedAsyncSleep, SharedCredentialsProvider};
use dynamodb_standin::DynamoDbStandin;
use events::Reactions;
use registry::http::Service as Registry;
use registry::ports::{Item, ItemScan, Key, StoreError};
use s3_standin::S3Standin;
use secrets_standin::{SECRET_NAME, SecretsStandin};
use serde_json::Value;
use test_support::access::PASSWORD;
use tokio::task::JoinSet;

use crate::clock::Clock;
use crate::fault::Service;
use crate::layer::{Forward, Layer, forward};

/// A table and a bucket with nothing in them.
const EMPTY: &str = "empty";

/// How long the API functions may run (`infra/template.yaml`).
const LAMBDA_TIMEOUT: Duration = Duration::from_secs(29);

/// The stand-ins.
pub(crate) struct Cloud {
    dynamodb: Arc<DynamoDbStandin>,
    s3: S3Standin,
    secrets: SecretsStandin,
    forward: Forward,
    worlds: AtomicUsize,
}

/// A table and a bucket, with functions that reach them through a layer of faults.
pub(crate) struct World {
    pub(crate) layer: Layer,
    /// What the functions have.
    pub(crate) backend: Backend,
    /// The same stores without the layer.
    pub(crate) direct: Backend,
    /// The table's and the bucket's.
    pub(crate) name: String,
    pub(crate) events: Reactions,
    settled: Functions,
    functions: Functions,
    environment: Environment,
    shared: SdkConfig,
    /// The name of the world that this one was made like.
    origin: String,
    dynamodb: Arc<DynamoDbStandin>,
    _tasks: JoinSet<()>,
}

/// All items of a table at once.
pub(crate) struct Items(pub(crate) Vec<Item>);

#[async_trait]
impl ItemScan for Items {
    async fn scan(&self, after: Option<&Key>, _limit: usize) -> Result<Vec<Item>, StoreError> {
        Ok(if after.is_none() { self.0.clone() } else { Vec::new() })
    }
}

/// The two deployments of the API function.
#[derive(Clone)]
pub(crate) struct Functions {
    pub(crate) read: Function,
    pub(crate) write: Function,
    clock: Clock,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let dynamodb = DynamoDbStandin::start(dynamodb_standin::Options::default()).await;
        dynamodb.create_table(EMPTY);
        let keys = dynamodb.credentials();
        let options = s3_standin::Options {
            access_key: keys.access_key_id.clone(),
            secret_key: keys.secret_access_key.clone(),
            buckets: vec![EMPTY.to_owned()],
            ..s3_standin::Options::default()
        };
        let s3 = S3Standin::start(options).await.unwrap();
        // The first password, and what the signing key is made of.
        let secret = format!("{PASSWORD}{}", "0123456789abcdef".repeat(4));
        let secrets = SecretsStandin::start(([127, 0, 0, 1], 0).into(), &secret).await.unwrap();
        Self { dynamodb: Arc::new(dynamodb), s3, secrets, forward: forward(), worlds: AtomicUsize::new(0) }
    }

    /// Returns a world with nothing in it.
    pub(crate) async fn world(&self) -> World {
        self.world_like(EMPTY).await
    }

    /// Returns a world in which everything is as it is in this one now.
    pub(crate) async fn copy(&self, world: &World) -> World {
        self.world_like(&world.name).await
    }

    async fn world_like(&self, origin: &str) -> World {
        let name = &format!("world-{}", self.worlds.fetch_add(1, Ordering::Relaxed));
        self.dynamodb.copy_table(origin, name);
        self.s3.copy_bucket(origin, name);
        let (layer, mut tasks) = (Layer::default(), JoinSet::new());
        let mut door =
            async |service, upstream| layer.listen(service, upstream, self.forward.clone(), &mut tasks).await;
        let dynamodb = door(Service::DynamoDb, self.dynamodb.endpoint()).await;
        let s3 = door(Service::S3, self.s3.endpoint()).await;
        let bus = door(Service::EventBridge, String::new()).await;
        let clock = layer.clock.clone();
        let shared = self.sdk_config(&clock);
        let secrets = self.secrets.endpoint();
        let environment = |dynamodb: &str, s3: &str| environment(name, dynamodb, s3, &secrets);
        let backend = environment(&dynamodb, &s3).backend(&shared);
        let environment = environment(&self.dynamodb.endpoint(), &self.s3.endpoint());
        let direct = environment.backend(&shared);
        let bus = aws_sdk_eventbridge::config::Builder::from(&shared).endpoint_url(bus);
        let events = Reactions::new(&backend, bus);
        let (settled, functions) = (Functions::new(&direct, &clock), Functions::new(&backend, &clock));
        let (name, origin) = (name.to_owned(), origin.to_owned());
        let dynamodb = Arc::clone(&self.dynamodb);
        World {
            layer,
            backend,
            direct,
            name,
            origin,
            events,
            settled,
            functions,
            environment,
            shared,
            dynamodb,
            _tasks: tasks,
        }
    }

    fn sdk_config(&self, clock: &Clock) -> SdkConfig {
        let keys = self.dynamodb.credentials();
        let keys = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.dynamodb.region().to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .sleep_impl(SharedAsyncSleep::new(clock.clone()))
            .build()
    }
}

impl World {
    /// Returns every row that was in the table at the start, as the stream brought it.
    pub(crate) fn first_rows(&self) -> Vec<Value> {
        self.dynamodb.items(&self.origin)
    }

    /// Returns every row of the table.
    pub(crate) fn rows(&self) -> Vec<Value> {
        self.dynamodb.items(&self.name)
    }

    /// Returns every item, without a call of the SDK.
    pub(crate) fn items(&self) -> Items {
        let item = |row| item_of_image(serde_json::from_value(row).unwrap()).unwrap();
        Items(self.dynamodb.items(&self.name).into_iter().map(item).collect())
    }

    /// The functions whose storage may fail.
    pub(crate) fn functions(&self) -> Functions {
        self.functions.clone()
    }

    /// A function that has accounts, on one of the two stores. It has just started, and its secret cannot fail.
    pub(crate) async fn guarded(&self, backend: &Backend, role: Role) -> Function {
        let trust = if role == Role::Token { Trust::Logins } else { Trust::Rights };
        let guard = self.environment.guard(&self.shared, backend.registry(), trust, None).await.unwrap();
        let clock = self.layer.clock.clone();
        Function::new(Registry::guarded(guard.access().clone()), role)
            .with_guard(guard)
            .with_timer(move |duration| Box::pin(clock.timeout(duration)))
    }

    /// Functions that prepare, and look at what came of it.
    pub(crate) fn settled(&self) -> Functions {
        self.settled.clone()
    }
}

impl Functions {
    fn new(backend: &Backend, clock: &Clock) -> Self {
        let function = |role| {
            let (service, clock) = (Registry::new(backend.registry()), clock.clone());
            Function::new(service, role).with_timer(move |duration| Box::pin(clock.timeout(duration)))
        };
        Self { read: function(Role::Read), write: function(Role::Write), clock: clock.clone() }
    }

    /// Waits until Lambda ends a function that has begun now.
    pub(crate) fn ended_by_lambda(&self) -> impl Future<Output = ()> + Send + use<> {
        ended_by_lambda(&self.clock)
    }
}

/// Waits until Lambda ends a function that has begun now.
pub(crate) fn ended_by_lambda(clock: &Clock) -> impl Future<Output = ()> + Send + use<> {
    clock.timeout(LAMBDA_TIMEOUT)
}

fn environment(name: &str, dynamodb: &str, s3: &str, secrets: &str) -> Environment {
    let variables = [
        ("SLIPWAY_TABLE", name),
        ("SLIPWAY_BUCKET", name),
        ("SLIPWAY_DYNAMODB_ENDPOINT", dynamodb),
        ("SLIPWAY_S3_ENDPOINT", s3),
        ("SLIPWAY_S3_PATH_STYLE", "true"),
        ("SLIPWAY_UPLOADS", "presigned"),
        ("SLIPWAY_SECRET", SECRET_NAME),
        ("SLIPWAY_SECRETS_ENDPOINT", secrets),
    ];
    let value =
        |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Environment::from(value).unwrap()
}
