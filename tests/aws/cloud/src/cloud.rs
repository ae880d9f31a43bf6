//! All parts together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dynamodb_standin::DynamoDbStandin;
use gateway_standin::{Function, Manners};
use s3_standin::S3Standin;
use secrets_standin::SecretsStandin;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::accounts::{Accounts, Credential, authorization};
use crate::deployment::{BUCKET, Deployment, Services, TABLE};
use crate::entry::{Changes, Entry, Way};
use crate::lambda;
use crate::programs::Programs;
use crate::pump::{self, Bus};
use crate::relay::Relay;
use crate::signing::Signer;
use crate::stack::Stack;

/// Which parts there are.
#[derive(Clone, Debug)]
pub struct CloudOptions {
    /// Whether there is an edge.
    pub has_edge: bool,
    /// Whether there is a relay behind the edge.
    pub has_relay: bool,
    /// Whether the edge checks capabilities and signs for S3 itself, instead of the registry: `Uploads=capability`.
    pub has_capability: bool,
    /// Whether a HEAD tells its length by the content: `HeadLength=content`.
    pub has_counted_heads: bool,
    /// Whether every request meets a new process, so that nothing can be remembered.
    pub is_forgetful: bool,
    /// In what the gateway differs from AWS's.
    pub manners: Manners,
    /// How clients come by a login.
    pub credential: Credential,
    /// What comes with the keys of the functions' roles, and is in every URL that they sign.
    pub session_token: String,
}

impl Default for CloudOptions {
    /// The stack as it is deployed by default.
    fn default() -> Self {
        Self {
            has_edge: true,
            has_relay: false,
            has_capability: false,
            has_counted_heads: false,
            is_forgetful: false,
            manners: Manners::default(),
            credential: Credential::None,
            session_token: session_token(TOKEN_CHARS),
        }
    }
}

/// About as long as Lambda's.
const TOKEN_CHARS: usize = 1_200;

/// Returns a session token of so many characters, like those of AWS: base64.
pub fn session_token(chars: usize) -> String {
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(chars).collect();
    STANDARD.encode(bytes)[..chars].to_owned()
}

/// The functions of the template: their programs, and how many events each takes at once.
const FUNCTIONS: [(&str, &str, usize); 5] = [
    ("ApiReadFunction", "api", 8),
    ("ApiWriteFunction", "api", 8),
    ("ApiTokenFunction", "api", 4),
    ("EventsFunction", "events", 4),
    ("ScheduledFunction", "scheduled", 1),
];

/// A running stack; everything ends when it is dropped.
pub struct Cloud {
    way: Way,
    entry: Entry,
    stack: Stack,
    _relay: Option<Relay>,
    functions: BTreeMap<&'static str, Function>,
    lambda: SocketAddr,
    signer: Signer,
    s3: Arc<S3Standin>,
    dynamodb: Arc<DynamoDbStandin>,
    bus: Bus,
    accounts: Accounts,
    environment: BTreeMap<String, String>,
    _folder: TempDir,
    // Last, because the others run on it.
    _runtime: Runtime,
}

impl Cloud {
    /// Deploys.
    pub fn start(programs: &Programs, options: &CloudOptions) -> Result<Self> {
        let runtime = Runtime::new()?;
        let folder = tempfile::Builder::new().prefix("cloud-").tempdir()?;
        let dynamodb = runtime.block_on(DynamoDbStandin::start(dynamodb_standin::Options {
            credentials: dynamodb_standin::Credentials {
                session_token: Some(options.session_token.clone()),
                ..dynamodb_standin::Credentials::default()
            },
            ..dynamodb_standin::Options::default()
        }));
        dynamodb.create_table(TABLE);
        let keys = dynamodb.credentials().clone();
        let s3 = runtime.block_on(S3Standin::start(s3_standin::Options {
            buckets: vec![BUCKET.to_owned()],
            access_key: keys.access_key_id.clone(),
            secret_key: keys.secret_access_key.clone(),
            session_token: keys.session_token.clone(),
            // The edge shows its header to S3 only where it is told to.
            refuse_cf_id: true,
            ..s3_standin::Options::default()
        }))?;
        let bus = Bus::default();
        let bus_endpoint = runtime.block_on(bus.listen())?;
        let accounts = runtime.block_on(Accounts::start())?;

        let stack = Stack::load()?;
        let services = Services {
            dynamodb: &dynamodb,
            s3: &s3,
            secrets: &accounts.secrets,
            bus_endpoint: &bus_endpoint,
        };
        let deployment = Deployment::new(&services, options);
        let environment = deployment.relay_environment();
        let injected = match options.credential {
            Credential::None => None,
            Credential::Injected => {
                Some(authorization(&runtime.block_on(accounts.personal_token(&environment))?))
            }
        };
        let _entered = runtime.enter();
        let mut functions = BTreeMap::new();
        for (name, program, instances) in FUNCTIONS {
            let function = stack.function(name, program, programs, &deployment, instances)?;
            function.restart_always(options.is_forgetful);
            functions.insert(name, function);
        }
        let relay = match options.has_relay {
            true => Some(Relay::start(programs, folder.path(), &environment)?),
            false => None,
        };
        let entry = Entry {
            programs: programs.clone(),
            folder: folder.path().to_owned(),
            routes: stack.routes()?,
            functions: functions.iter().map(|(name, one)| ((*name).to_owned(), one.clone())).collect(),
            deployment,
            relay_host: relay.as_ref().map_or_else(String::new, |relay| relay.host.clone()),
            authorization: injected,
        };
        let as_deployed = Changes { manners: options.manners, ..Changes::default() };
        let way = runtime.block_on(entry.open(&as_deployed, options.has_edge))?;
        let signer = Signer::new(&s3.endpoint(), dynamodb.region(), keys, BUCKET);
        let (s3, dynamodb) = (Arc::new(s3), Arc::new(dynamodb));
        let lambda = runtime.block_on(lambda::listen(functions.clone()))?;
        let events = functions["EventsFunction"].clone();
        runtime.spawn(pump::bucket_events(Arc::clone(&s3), events.clone()));
        runtime.spawn(pump::outbox_stream(Arc::clone(&dynamodb), events));
        drop(_entered);
        Ok(Self {
            way,
            entry,
            stack,
            _relay: relay,
            functions,
            lambda,
            signer,
            s3,
            dynamodb,
            bus,
            accounts,
            environment,
            _folder: folder,
            _runtime: runtime,
        })
    }

    /// Returns host and port of the API itself.
    pub fn api_address(&self) -> String {
        self.way.gateway.address().to_string()
    }

    /// Returns host and port of Lambda's API, which invokes functions by their names in the template.
    pub fn lambda_address(&self) -> String {
        self.lambda.to_string()
    }

    /// Returns host and port that clients use: the edge, where there is one.
    pub fn address(&self) -> String {
        self.way.address()
    }

    /// Opens another way in, with an edge, before the same functions and storage.
    pub fn open(&self, changes: &Changes) -> Result<Way> {
        self._runtime.block_on(self.entry.open(changes, true))
    }

    /// Starts a function as the template has it with other values of its parameters and resources.
    ///
    /// # Panics
    /// When the template has no such function.
    pub fn redeployed(&self, name: &str, values: &[(&'static str, &str)]) -> Result<Function> {
        let known = FUNCTIONS.into_iter().find(|(known, ..)| *known == name);
        let (name, program, instances) = known.unwrap_or_else(|| panic!("no function {name}"));
        self.stack.function(
            name,
            program,
            &self.entry.programs,
            &self.entry.deployment.with(values),
            instances,
        )
    }

    /// Returns the password that the user `admin` begins with.
    pub fn first_password(&self) -> &str {
        &self.accounts.first_password
    }

    /// Returns the stand-in for Secrets Manager.
    pub fn secrets(&self) -> &SecretsStandin {
        &self.accounts.secrets
    }

    /// Makes a personal token of `admin`, and returns what `Authorization` has to be for it.
    pub fn authorization(&self) -> Result<String> {
        let token = self._runtime.block_on(self.accounts.personal_token(&self.environment))?;
        Ok(authorization(&token))
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
        self.way.edge.as_ref().map_or(Ok(Value::Null), crate::edge::Edge::counts)
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
