//! All parts together.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use dynamodb_standin::DynamoDbStandin;
use gateway_standin::{Function, Gateway, GatewayOptions, Manners};
use s3_standin::S3Standin;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::capability;
use crate::edge::{Edge, Terms};
use crate::lambda;
use crate::programs::Programs;
use crate::pump::{self, Bus};
use crate::relay::Relay;
use crate::signing::Signer;
use crate::stack::{Deployment, Stack};

const TABLE: &str = "slipway";
const BUCKET: &str = "slipway-objects";

/// Which parts there are.
#[derive(Clone, Debug)]
pub struct CloudOptions {
    /// Whether there is an edge.
    pub has_edge: bool,
    /// Whether there is a relay behind the edge.
    pub has_relay: bool,
    /// Whether the edge checks capabilities and signs for S3 itself, instead of the registry: `Uploads=capability`.
    pub has_capability: bool,
    /// Whether every request meets a new process, so that nothing can be remembered.
    pub is_forgetful: bool,
    /// In what the gateway differs from AWS's.
    pub manners: Manners,
}

impl Default for CloudOptions {
    /// The stack as it is deployed by default.
    fn default() -> Self {
        Self {
            has_edge: true,
            has_relay: false,
            has_capability: false,
            is_forgetful: false,
            manners: Manners::default(),
        }
    }
}

/// A running stack; everything ends when it is dropped.
pub struct Cloud {
    edge: Option<Edge>,
    _relay: Option<Relay>,
    gateway: Gateway,
    functions: BTreeMap<&'static str, Function>,
    lambda: SocketAddr,
    signer: Signer,
    s3: Arc<S3Standin>,
    dynamodb: Arc<DynamoDbStandin>,
    bus: Bus,
    _folder: TempDir,
    // Last, because the others run on it.
    _runtime: Runtime,
}

impl Cloud {
    /// Deploys.
    pub fn start(programs: &Programs, options: &CloudOptions) -> Result<Self> {
        let runtime = Runtime::new()?;
        let folder = tempfile::Builder::new().prefix("cloud-").tempdir()?;
        let dynamodb = runtime.block_on(DynamoDbStandin::start(dynamodb_standin::Options::default()));
        dynamodb.create_table(TABLE);
        let keys = dynamodb.credentials().clone();
        let s3 = runtime.block_on(S3Standin::start(s3_standin::Options {
            buckets: vec![BUCKET.to_owned()],
            access_key: keys.access_key_id.clone(),
            secret_key: keys.secret_access_key,
            ..s3_standin::Options::default()
        }))?;
        let bus = Bus::default();
        let bus_endpoint = runtime.block_on(bus.listen())?;

        let stack = Stack::load()?;
        let deployment = deployment(&dynamodb, &s3, &bus_endpoint, options);
        let _entered = runtime.enter();
        let mut functions = BTreeMap::new();
        for (name, program, instances) in [
            ("ApiReadFunction", "api", 8),
            ("ApiWriteFunction", "api", 8),
            ("EventsFunction", "events", 4),
            ("ScheduledFunction", "scheduled", 1),
        ] {
            let function = stack.function(name, program, programs, &deployment, instances)?;
            function.restart_always(options.is_forgetful);
            functions.insert(name, function);
        }
        let by_name: HashMap<String, Function> =
            functions.iter().map(|(name, function)| ((*name).to_owned(), function.clone())).collect();
        let gateway =
            GatewayOptions { manners: options.manners, ..GatewayOptions::new(stack.routes()?, by_name) };
        let gateway = runtime.block_on(Gateway::start(gateway))?;

        let relay = match options.has_relay {
            true => Some(Relay::start(programs, folder.path(), &relay_environment(&deployment))?),
            false => None,
        };
        let relay_url = relay.as_ref().map_or_else(String::new, |relay| relay.url.clone());
        let edge = match options.has_edge {
            true => {
                let origins = [
                    ("api", gateway.url("").trim_end_matches('/').to_owned()),
                    ("s3", s3.endpoint()),
                    ("relay", relay_url),
                ];
                let origins = origins.each_ref().map(|(name, url)| (*name, url.as_str()));
                Some(Edge::start(programs, folder.path(), origins, &edge_terms(&dynamodb, options))?)
            }
            false => None,
        };
        let keys = dynamodb.credentials();
        let key = (keys.access_key_id.as_str(), keys.secret_access_key.as_str());
        let signer = Signer::new(&s3.endpoint(), dynamodb.region(), key, BUCKET);
        let (s3, dynamodb) = (Arc::new(s3), Arc::new(dynamodb));
        let lambda = runtime.block_on(lambda::listen(functions.clone()))?;
        let events = functions["EventsFunction"].clone();
        runtime.spawn(pump::bucket_events(Arc::clone(&s3), events.clone()));
        runtime.spawn(pump::outbox_stream(Arc::clone(&dynamodb), events));
        drop(_entered);
        Ok(Self {
            edge,
            _relay: relay,
            gateway,
            functions,
            lambda,
            signer,
            s3,
            dynamodb,
            bus,
            _folder: folder,
            _runtime: runtime,
        })
    }

    /// Returns host and port of the API itself.
    pub fn api_address(&self) -> String {
        self.gateway.address().to_string()
    }

    /// Returns host and port of Lambda's API, which invokes functions by their names in the template.
    pub fn lambda_address(&self) -> String {
        self.lambda.to_string()
    }

    /// Returns host and port that clients use: the edge, where there is one.
    pub fn address(&self) -> String {
        match &self.edge {
            Some(edge) => edge.url.trim_start_matches("http://").to_owned(),
            None => self.api_address(),
        }
    }

    /// Returns a function by its name in the template.
    pub fn function(&self, name: &str) -> &Function {
        &self.functions[name]
    }

    /// Returns which functions failed, and how often.
    pub fn failures(&self) -> BTreeMap<&'static str, u64> {
        let errors = self.functions.iter().map(|(name, function)| (*name, function.errors()));
        errors.filter(|(_, errors)| *errors > 0).collect()
    }

    /// Invokes a function, outside of any request.
    pub fn invoke(&self, name: &str, event: &Value) -> Result<Value> {
        let invoked = self._runtime.block_on(self.function(name).invoke(event));
        invoked.map_err(|error| anyhow::anyhow!("{name}: {error:?}"))
    }

    /// Returns a URL for a PUT of `key`, good for `lifetime` from `began` on.
    pub fn signed_put(&self, key: &str, began: SystemTime, lifetime: Duration) -> Result<String> {
        self._runtime.block_on(self.signer.put(key, began, lifetime))
    }

    /// Returns a URL for a GET of `key`, good for `lifetime` from `began` on.
    pub fn signed_get(&self, key: &str, began: SystemTime, lifetime: Duration) -> Result<String> {
        self._runtime.block_on(self.signer.get(key, began, lifetime))
    }

    /// Returns the bucket.
    pub fn s3(&self) -> &S3Standin {
        &self.s3
    }

    /// Returns the table.
    pub fn dynamodb(&self) -> &DynamoDbStandin {
        &self.dynamodb
    }

    /// Returns what the edge has counted.
    pub fn edge_counts(&self) -> Result<Value> {
        self.edge.as_ref().map_or(Ok(Value::Null), Edge::counts)
    }

    /// Returns what was told on the event bus.
    pub fn bus_entries(&self) -> Vec<Value> {
        self.bus.entries()
    }

    /// Returns every broken promise and all garbage that the check finds in storage.
    pub fn fsck(&self) -> Result<Value> {
        self.invoke("ScheduledFunction", &json!({ "job": "fsck", "deep": true }))
    }
}

fn deployment(
    dynamodb: &DynamoDbStandin,
    s3: &S3Standin,
    bus_endpoint: &str,
    options: &CloudOptions,
) -> Deployment {
    let keys = dynamodb.credentials();
    let edge = if options.has_edge { "yes" } else { "no" };
    let values = [
        ("Table", TABLE),
        ("Bucket", BUCKET),
        ("BucketNameParameter.Value", BUCKET),
        ("Access", "open"),
        ("WithEdge", edge),
        ("Uploads", if options.has_capability { "capability" } else { "presigned" }),
        ("CapabilityKey", "the-secret"),
        ("{{resolve:secretsmanager:the-secret}}", capability::KEY),
        ("S3PathStyle", "true"),
        ("LogFilter", "warn"),
    ];
    let mut values: HashMap<_, _> =
        values.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
    values.insert("S3Endpoint", s3.endpoint());
    values.insert("DynamodbEndpoint", dynamodb.endpoint());
    let credentials = [
        ("AWS_REGION", dynamodb.region()),
        ("AWS_ACCESS_KEY_ID", &keys.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key),
        ("AWS_ENDPOINT_URL_EVENTBRIDGE", bus_endpoint),
    ];
    let credentials =
        credentials.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Deployment { values, credentials }
}

/// The same as edge.yaml gives it, but for a bucket that is named in the path.
fn edge_terms(dynamodb: &DynamoDbStandin, options: &CloudOptions) -> Terms {
    let uploads_path = format!("/{BUCKET}/uploads/");
    if !options.has_capability {
        return Terms { settings: json!({ "uploadsPath": uploads_path }), access_control: None };
    }
    let keys = dynamodb.credentials();
    Terms {
        settings: json!({
            "uploadsPath": uploads_path, "uploads": "capability", "capabilityKey": capability::KEY,
        }),
        access_control: Some(json!({
            "accessKeyId": keys.access_key_id, "secretAccessKey": keys.secret_access_key,
            "region": dynamodb.region(),
        })),
    }
}

/// The same as relay.yaml gives it.
fn relay_environment(deployment: &Deployment) -> BTreeMap<String, String> {
    let own = [
        ("SLIPWAY_TABLE", "Table"),
        ("SLIPWAY_BUCKET", "Bucket"),
        ("SLIPWAY_ACCESS", "Access"),
        ("SLIPWAY_S3_ENDPOINT", "S3Endpoint"),
        ("SLIPWAY_S3_PATH_STYLE", "S3PathStyle"),
        ("SLIPWAY_DYNAMODB_ENDPOINT", "DynamodbEndpoint"),
        ("SLIPWAY_LOG", "LogFilter"),
    ];
    let mut environment: BTreeMap<_, _> = own
        .into_iter()
        .map(|(variable, name)| (variable.to_owned(), deployment.values[name].clone()))
        .collect();
    environment.insert("SLIPWAY_ROLE".to_owned(), "write".to_owned());
    environment.insert("SLIPWAY_UPLOADS".to_owned(), "inline".to_owned());
    environment.extend(deployment.credentials.clone());
    environment
}
