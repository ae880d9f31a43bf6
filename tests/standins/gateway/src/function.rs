//! Lambda functions: real binaries under the emulator, or closures of a test.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::pool::Pool;
use crate::{FunctionOptions, InvokeError, MAX_PAYLOAD_BYTES, Report};

/// A Lambda function; clones are the same function, and its processes end with the last of them.
#[derive(Clone)]
pub struct Function(Arc<Inner>);

struct Inner {
    runs: Runs,
    invocations: AtomicU64,
    errors: AtomicU64,
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
    reports: Mutex<Vec<Report>>,
}

enum Runs {
    Emulated(Box<Pool>),
    InProcess(Box<dyn Fn(Value) -> BoxFuture<'static, Value> + Send + Sync>),
}

/// Bytes of HTTP bodies that went through a function, without their base64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BodyBytes {
    /// Bytes of request bodies.
    pub request: u64,
    /// Bytes of response bodies.
    pub response: u64,
}

impl Function {
    /// Returns a function that runs as processes; the first starts with the first event.
    pub fn start(options: FunctionOptions) -> io::Result<Self> {
        Ok(Self::new(Runs::Emulated(Box::new(Pool::new(options)?))))
    }

    /// Returns a function that runs `handler` in this process.
    ///
    /// An object with `errorType` is a function error, as the runtimes report it.
    pub fn in_process<H, A>(handler: H) -> Self
    where
        H: Fn(Value) -> A + Send + Sync + 'static,
        A: Future<Output = Value> + Send + 'static,
    {
        Self::new(Runs::InProcess(Box::new(move |event| Box::pin(handler(event)))))
    }

    fn new(runs: Runs) -> Self {
        Self(Arc::new(Inner {
            runs,
            invocations: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
            reports: Mutex::default(),
        }))
    }

    /// Invokes the function synchronously.
    pub async fn invoke(&self, event: &Value) -> Result<Value, InvokeError> {
        let payload = event.to_string();
        if payload.len() > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::EventTooLarge);
        }
        add(&self.0.invocations, 1);
        let answer = self.answer(event, payload).await.inspect_err(|_| add(&self.0.errors, 1))?;
        add(&self.0.response_bytes, body_bytes(&answer));
        Ok(answer)
    }

    /// Gives every event to a new process, which ends with the answer: what it kept is gone.
    pub fn restart_always(&self, always: bool) {
        if let Runs::Emulated(pool) = &self.0.runs {
            pool.restart_always(always);
        }
    }

    /// Returns how often the function was invoked.
    pub fn invocations(&self) -> u64 {
        self.0.invocations.load(Ordering::Relaxed)
    }

    /// Returns how many invocations gave no answer; an event that is too large is no invocation.
    pub fn errors(&self) -> u64 {
        self.0.errors.load(Ordering::Relaxed)
    }

    /// Returns how many bytes of bodies went through the function.
    pub fn bytes(&self) -> BodyBytes {
        BodyBytes {
            request: self.0.request_bytes.load(Ordering::Relaxed),
            response: self.0.response_bytes.load(Ordering::Relaxed),
        }
    }

    /// Returns what the emulator reported of each invocation so far; empty for a function in this process.
    pub fn reports(&self) -> Vec<Report> {
        self.0.reports.lock().unwrap().clone()
    }

    /// Returns how many processes were started.
    pub fn processes_started(&self) -> u64 {
        if let Runs::Emulated(pool) = &self.0.runs { pool.started() } else { 0 }
    }

    /// Returns the last lines that the function and the emulator wrote.
    pub fn log(&self) -> Vec<String> {
        if let Runs::Emulated(pool) = &self.0.runs { pool.log() } else { Vec::new() }
    }

    async fn answer(&self, event: &Value, payload: String) -> Result<Value, InvokeError> {
        add(&self.0.request_bytes, body_bytes(event));
        let (answer, size_bytes) = match &self.0.runs {
            Runs::InProcess(handler) => sized(handler(event.clone()).await),
            Runs::Emulated(pool) => self.emulated(pool, payload).await?,
        };
        if size_bytes > MAX_PAYLOAD_BYTES {
            return Err(InvokeError::AnswerTooLarge);
        }
        if is_function_error(&answer) { Err(InvokeError::Function(answer)) } else { Ok(answer) }
    }

    async fn emulated(&self, pool: &Pool, payload: String) -> Result<(Value, usize), InvokeError> {
        let (answer, report) = pool.invoke(payload.into_bytes()).await.map_err(InvokeError::Broken)?;
        self.0.reports.lock().unwrap().extend(report);
        let value = serde_json::from_slice(&answer);
        let value = value.map_err(|_| InvokeError::Broken(String::from_utf8_lossy(&answer).into_owned()))?;
        Ok((value, answer.len()))
    }
}

fn sized(answer: Value) -> (Value, usize) {
    let size_bytes = answer.to_string().len();
    (answer, size_bytes)
}

fn is_function_error(answer: &Value) -> bool {
    answer.get("errorType").is_some() && answer.get("statusCode").is_none()
}

/// The size of the body in an event or an answer, without its base64.
fn body_bytes(payload: &Value) -> u64 {
    let body = payload.get("body").and_then(Value::as_str).unwrap_or_default();
    let bytes = if payload.get("isBase64Encoded") == Some(&Value::Bool(true)) {
        body.trim_end_matches('=').len() * 3 / 4
    } else {
        body.len()
    };
    bytes as u64
}

fn add(counter: &AtomicU64, value: u64) {
    counter.fetch_add(value, Ordering::Relaxed);
}
