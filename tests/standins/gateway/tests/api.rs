//! An API with one function, which keeps the events that it gets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use gateway_standin::{Function, Gateway, GatewayOptions, Manners, Route};
use serde_json::{Value, json};

use crate::wire::{Answer, send};

pub(crate) struct Api {
    gateway: Gateway,
    pub(crate) function: Function,
    events: Arc<Mutex<Vec<Value>>>,
}

impl Api {
    /// Starts an API whose only route is `$default` and whose function always answers `reply`.
    pub(crate) async fn answering(reply: Value) -> Self {
        Self::configured(reply, |_| {}).await
    }

    pub(crate) async fn mannered(reply: Value, manners: Manners) -> Self {
        Self::configured(reply, |options| options.manners = manners).await
    }

    /// Starts an API with the routes given; the function answers 200.
    pub(crate) async fn routed(routes: &[(&str, &str)]) -> Self {
        let routes = routes.iter().map(|(method, path)| Route::new(method, path, "function")).collect();
        Self::configured(ok(), |options| options.routes = routes).await
    }

    pub(crate) async fn configured(reply: Value, change: impl FnOnce(&mut GatewayOptions)) -> Self {
        let events = Arc::new(Mutex::new(Vec::new()));
        let kept = events.clone();
        let function = Function::in_process(move |event| {
            kept.lock().unwrap().push(event);
            let reply = reply.clone();
            async move { reply }
        });
        let functions = HashMap::from([("function".to_owned(), function.clone())]);
        let mut options = GatewayOptions::new(vec![Route::new("ANY", "$default", "function")], functions);
        change(&mut options);
        Self { gateway: Gateway::start(options).await.unwrap(), function, events }
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.request("GET", target, &[], b"").await
    }

    /// Sends a request; a body gets its Content-Length.
    pub(crate) async fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\n", self.gateway.address());
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        send(self.gateway.address(), &head, body).await
    }

    pub(crate) async fn send(&self, head: &str, body: &[u8]) -> Answer {
        send(self.gateway.address(), head, body).await
    }

    pub(crate) fn host(&self) -> String {
        self.gateway.address().to_string()
    }

    /// Returns the only event that the function got.
    pub(crate) fn event(&self) -> Value {
        let events = self.events.lock().unwrap();
        assert_eq!(events.len(), 1, "events of the function");
        events[0].clone()
    }

    /// Returns the event of a request.
    pub(crate) async fn event_of(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let api = Self::answering(ok()).await;
        api.request(method, target, headers, body).await;
        api.event()
    }
}

pub(crate) fn ok() -> Value {
    json!({ "statusCode": 200 })
}
