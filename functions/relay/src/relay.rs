//! What the relay answers, and what it leaves to the API.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use http::{Request, Response};
use oci::{Endpoint, ErrorCode};
use registry::http::{Action, Body, PushAction, Service, refusal};
use tokio::sync::Semaphore;

/// How many appends are under way at once; others wait. Each holds about 20 MB, and the container has 512 MB.
const APPENDS_MAX: usize = 12;

/// The relay. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Relay {
    service: Service,
    places: Arc<Semaphore>,
}

impl Relay {
    pub(crate) fn new(service: Service) -> Self {
        Self { service, places: Arc::new(Semaphore::new(APPENDS_MAX)) }
    }

    /// Answers; what goes wrong is an answer too.
    pub(crate) async fn answer(self, request: Request<Body>) -> Response<Body> {
        match action(&request) {
            Some(Action::Push(_, PushAction::UploadAppend(_))) => {
                let _place = self.places.acquire().await;
                self.service.handle(request).await
            }
            // What is no action at all is for the service too, which says why.
            Some(Action::Ping) | None => self.service.handle(request).await,
            Some(_) => {
                refusal(ErrorCode::Unsupported, "this is the registry's relay, which only appends to uploads")
            }
        }
    }
}

fn action(request: &Request<Body>) -> Option<Action> {
    let endpoint = Endpoint::parse(request.uri().path()).ok()?;
    Action::of(request.method(), endpoint).ok()
}
