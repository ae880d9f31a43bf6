//! A registry in memory behind the function's two roles.

use std::sync::Arc;

use api::Function;
use api::Role;
use api::answer;
use lambda_http::LambdaEvent;
use registry::http::Service;
use registry::ports::Abilities;
use registry::testing::{MemoryItems, MemoryObjects, SeededRandom, SetClock};
use registry::{Lifetimes, Registry, Stores};
use serde_json::Value;

use crate::reply::Reply;

/// The deployed function, twice: what reads and what writes, on the same stores.
pub(crate) struct World {
    read: Function,
    write: Function,
}

impl World {
    pub(crate) fn new() -> Self {
        let stores = Stores {
            items: Arc::new(MemoryItems::default()),
            objects: Arc::new(MemoryObjects::default()),
            clock: Arc::new(SetClock::default()),
            random: Arc::new(SeededRandom::new(7)),
            abilities: Abilities::default(),
        };
        let service = Service::new(Registry::new(stores, Lifetimes::default()));
        let function = |role| Function::new(service.clone(), role);
        Self { read: function(Role::Read), write: function(Role::Write) }
    }

    /// Sends an event to the function that the template's routes would choose.
    pub(crate) async fn ask(&self, event: &Value) -> Reply {
        let method = event["httpMethod"].as_str().or(event["requestContext"]["http"]["method"].as_str());
        let function = if matches!(method.unwrap(), "GET" | "HEAD") { &self.read } else { &self.write };
        invoke(function, event).await
    }

    /// Sends an event to the function that only reads.
    pub(crate) async fn ask_reader(&self, event: &Value) -> Reply {
        invoke(&self.read, event).await
    }
}

/// From JSON to JSON, as the runtime does it.
async fn invoke(function: &Function, event: &Value) -> Reply {
    let payload = serde_json::from_str(&event.to_string()).unwrap();
    let answered = answer(function.clone(), LambdaEvent::new(payload, lambda_http::Context::default())).await;
    let Ok(answered) = answered;
    Reply::of(&serde_json::to_value(answered).unwrap())
}
