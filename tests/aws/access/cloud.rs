//! The stack's API: its functions in this process, behind the gateway's routes.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use api::{Function, Role};
use aws::environment::{Backend, Environment};
use aws::{Trust, item_of_image};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use bytes::Bytes;
use dynamodb_standin::DynamoDbStandin;
use gateway_standin::{Function as Deployed, Gateway, GatewayOptions, Route};
use http::{HeaderValue, Request};
use infra_tests::Template;
use lambda_http::request::LambdaRequest;
use lambda_http::{Context, LambdaEvent};
use registry::access::Access;
use registry::http::Service;
use registry::ports::{Item, ObjectScan};
use registry::testing::SetClock;
use s3_standin::S3Standin;
use secrets_standin::{SECRET_NAME, SecretsStandin};
use serde_json::Value;
use test_support::access::{Answer, Ask, OverHttp, PASSWORD, texts_of_stored};

const TABLE: &str = "slipway";
const BUCKET: &str = "slipway-objects";

const FUNCTIONS: [&str; 3] = ["ApiReadFunction", "ApiWriteFunction", "ApiTokenFunction"];

/// What the edge says whom it serves with.
const VIEWER_ADDRESS: &str = "x-viewer-address";

/// What the edge shows beside it.
const EDGE_KEY: (&str, &str) = ("x-slipway-edge", "a-key-of-letters-and-digits");

/// The services that all instances share, and the time.
pub(crate) struct Cloud {
    template: Template,
    dynamodb: DynamoDbStandin,
    s3: S3Standin,
    secrets: SecretsStandin,
    clock: Arc<SetClock>,
}

/// One instance of each function, with a gateway of their own.
pub(crate) struct Instances<'c> {
    cloud: &'c Cloud,
    /// The accounts, as the instance has them that makes tokens.
    pub(crate) access: Access,
    backend: Backend,
    http: OverHttp,
    _gateway: Gateway,
}

/// An instance of a function, and what it stands on.
struct Started {
    function: Function,
    access: Access,
    backend: Backend,
}

impl Cloud {
    pub(crate) async fn start() -> Self {
        let dynamodb = DynamoDbStandin::start(dynamodb_standin::Options::default()).await;
        dynamodb.create_table(TABLE);
        let keys = dynamodb.credentials();
        let options = s3_standin::Options {
            access_key: keys.access_key_id.clone(),
            secret_key: keys.secret_access_key.clone(),
            buckets: vec![BUCKET.to_owned()],
            ..s3_standin::Options::default()
        };
        let s3 = S3Standin::start(options).await.unwrap();
        // The first password, and what the signing key is made of.
        let secret = format!("{PASSWORD}{}", "0123456789abcdef".repeat(4));
        let anywhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let secrets = SecretsStandin::start(anywhere, &secret).await.unwrap();
        let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../infra/template.yaml");
        let template = Template::load(template).unwrap();
        Self { template, dynamodb, s3, secrets, clock: Arc::default() }
    }

    /// Lets time pass.
    pub(crate) fn turn(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Starts an instance of each function; they remember nothing yet.
    pub(crate) async fn instances(&self) -> Instances<'_> {
        let (mut deployed, mut last) = (HashMap::new(), None);
        for name in FUNCTIONS {
            let started = self.function(name).await;
            deployed.insert(name.to_owned(), invoked(started.function.clone()));
            last = Some(started);
        }
        let Started { access, backend, .. } = last.unwrap();
        let routes = self.template.routes().unwrap().into_iter().map(route).collect();
        let gateway = Gateway::start(GatewayOptions::new(routes, deployed)).await.unwrap();
        let http = OverHttp::new(gateway.url("").trim_end_matches('/'), VIEWER_ADDRESS);
        Instances { cloud: self, access, backend, http, _gateway: gateway }
    }

    /// Does what the function's own `main` does, with the environment that the template gives it.
    async fn function(&self, name: &str) -> Started {
        let variables = self.template.environment(name, &|name| self.value(name)).unwrap();
        let environment = Environment::from(|name| variables.get(name).cloned()).unwrap();
        let (role, trust) = match variables["SLIPWAY_ROLE"].as_str() {
            "read" => (Role::Read, Trust::Reading),
            "write" => (Role::Write, Trust::Rights),
            "token" => (Role::Token, Trust::Logins),
            other => panic!("{name} has the role {other}"),
        };
        let shared = self.sdk_config();
        let backend = environment.backend(&shared);
        let registry = backend.registry_at(Arc::clone(&self.clock) as _);
        let guard = environment.guard(&shared, registry, trust, None).await.unwrap();
        let access = guard.access().clone();
        let service = Service::guarded(access.clone()).with_edge(environment.edge_host);
        let function = Function::new(service, role).with_guard(guard).with_edge_key(environment.edge_key);
        Started { function, access, backend }
    }

    /// What CloudFormation fills in; other parameters have their defaults.
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "Table" => TABLE.to_owned(),
            "Bucket" | "BucketNameParameter.Value" => BUCKET.to_owned(),
            "RegistrySecret" => SECRET_NAME.to_owned(),
            "EdgeKey" => "edge".to_owned(),
            "{{resolve:secretsmanager:edge}}" => EDGE_KEY.1.to_owned(),
            "S3PathStyle" => "true".to_owned(),
            "S3Endpoint" => self.s3.endpoint(),
            "DynamodbEndpoint" => self.dynamodb.endpoint(),
            "SecretsEndpoint" => self.secrets.endpoint(),
            _ => return None,
        })
    }

    fn sdk_config(&self) -> SdkConfig {
        let keys = self.dynamodb.credentials();
        let keys = Credentials::new(&keys.access_key_id, &keys.secret_access_key, None, None, "tests");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.dynamodb.region().to_owned()))
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build()
    }
}

/// From an event to an answer, as the runtime does it.
fn invoked(function: Function) -> Deployed {
    Deployed::in_process(move |event| {
        let function = function.clone();
        async move {
            let event: LambdaRequest = serde_json::from_value(event).unwrap();
            let Ok(answer) = api::answer(function, LambdaEvent::new(event, Context::default())).await;
            serde_json::to_value(answer).unwrap()
        }
    })
}

fn route(route: infra_tests::Route) -> Route {
    let mut made = Route::new(&route.method, &route.path, &route.function);
    for (status, mappings) in route.response_headers {
        for mapping in mappings {
            let key = format!("{}:header.{}", mapping.action, mapping.header);
            made = made.with_mapping(status, &key, &mapping.source).unwrap();
        }
    }
    made
}

fn item(row: Value) -> Item {
    item_of_image(serde_json::from_value(row).unwrap()).unwrap()
}

impl Ask for Instances<'_> {
    /// As the edge does.
    async fn ask(&self, mut request: Request<Bytes>) -> Answer {
        request.headers_mut().insert(EDGE_KEY.0, HeaderValue::from_static(EDGE_KEY.1));
        self.http.ask(request).await
    }

    fn turn(&self, by: Duration) -> bool {
        self.cloud.turn(by);
        true
    }

    async fn stored(&self) -> Option<Vec<String>> {
        let items: Vec<Item> = self.cloud.dynamodb.items(TABLE).into_iter().map(item).collect();
        Some(texts_of_stored(&items, &self.backend.objects.scan().await.unwrap()))
    }
}
