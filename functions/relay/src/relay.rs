//! What the relay answers, and what it leaves to the API.

#[cfg(test)]
mod tests;

use http::{Request, Response};
use oci::{Endpoint, ErrorCode};
use registry::access::Address;
use registry::http::{Action, Body, PushAction, Service, refusal};

use crate::places::{Placement, Places};

/// The relay. Cloning it is cheap.
#[derive(Clone)]
pub(crate) struct Relay {
    service: Service,
    places: Places,
}

impl Relay {
    pub(crate) fn new(service: Service) -> Self {
        Self { service: service.behind_proxy(true), places: Places::new() }
    }

    /// Answers; what goes wrong is an answer too.
    pub(crate) async fn answer(self, request: Request<Body>) -> Response<Body> {
        match action(&request) {
            Some(Action::Push(_, PushAction::UploadAppend(_))) => self.append(request).await,
            // What is no action at all is for the service too, which says why.
            Some(Action::Ping) | None => self.service.handle(request).await,
            Some(_) => {
                refusal(ErrorCode::Unsupported, "this is the registry's relay, which only appends to uploads")
            }
        }
    }

    async fn append(self, request: Request<Body>) -> Response<Body> {
        let address = request.extensions().get::<Address>().cloned().unwrap_or_default();
        let placement = Placement::default();
        let request = request.map(|body| self.places.placed(address, body, &placement));
        let answer = self.service.handle(request).await;
        if placement.is_lost() { repeatable(answer) } else { answer }
    }
}

/// A client that was slow, or waited, did nothing wrong; with 503 some clients try again.
fn repeatable(answer: Response<Body>) -> Response<Body> {
    let message = "all places of the relay are taken, and slow uploads give theirs away; try again later";
    let mut busy = refusal(ErrorCode::Unavailable, message);
    // They say where the upload stands.
    busy.headers_mut().extend(answer.into_parts().0.headers);
    busy
}

fn action(request: &Request<Body>) -> Option<Action> {
    let endpoint = Endpoint::parse(request.uri().path()).ok()?;
    Action::of(request.method(), endpoint).ok()
}
