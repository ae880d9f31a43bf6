//! The registry as a function from request to response, without a socket.

use http::{Response, header};
use oci::{Endpoint, ErrorCode, Query};

use super::action::{Action, DeleteAction, PullAction, PushAction};
use super::entry::Entry;
use super::error::HttpError;
use super::head_length::HeadLength;
use super::request::Request;
use super::request_log::RequestLog;
use super::respond::{Body, complete, empty};
use super::room::ManifestRoom;
use super::{authorization, base, blobs, challenge, manifests, referrers, tags, token, uploads};
use crate::Registry;
use crate::access::{Access, Address, Caller, Delete, Denied, Gate, Permit, Pull, Push};

/// What a page of another site is told.
pub const FOREIGN_PAGE: &str = "a page of another site may change nothing here";

/// What somebody is told who asks for no host, or for something else than one.
pub const NO_HOST: &str =
    "a request names the host that it is for, once, and nothing but a host and its port";

/// Answers HTTP requests for a registry. Cloning it is cheap.
#[derive(Clone)]
pub struct Service {
    gate: Gate,
    entry: Entry,
    manifest_room: ManifestRoom,
    head_length: HeadLength,
}

impl Service {
    /// Returns the service of a registry that is open to everybody.
    pub fn new(registry: Registry) -> Self {
        Self::behind(Gate::open(registry))
    }

    /// Returns the service of a registry that these accounts guard.
    pub fn guarded(access: Access) -> Self {
        Self::behind(Gate::guarded(access))
    }

    fn behind(gate: Gate) -> Self {
        Self {
            gate,
            entry: Entry::default(),
            manifest_room: ManifestRoom::default(),
            head_length: HeadLength::default(),
        }
    }

    /// Returns the service with an edge of this host before it, for clients that came by another way.
    #[must_use]
    pub fn with_edge(self, host: Option<String>) -> Self {
        Self { entry: self.entry.with_edge(host), ..self }
    }

    /// Returns the service under this address, such as `https://registry.example.com`, whatever host clients ask.
    #[must_use]
    pub fn at(self, url: Option<String>) -> Self {
        Self { entry: self.entry.at(url), ..self }
    }

    /// Returns the service behind a proxy, or not: then that says which host clients ask (`X-Forwarded-Host`), and whether
    /// by TLS (`X-Forwarded-Proto`). Nobody else is believed.
    #[must_use]
    pub fn behind_proxy(self, is_behind_proxy: bool) -> Self {
        Self { entry: self.entry.behind_proxy(is_behind_proxy), ..self }
    }

    /// Returns how clients come to the service.
    pub fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Returns the service whose clients come by TLS, or not; without it, a proxy may say that they come to it by TLS.
    #[must_use]
    pub fn with_tls(self, is_tls: bool) -> Self {
        Self { entry: self.entry.with_tls(is_tls), ..self }
    }

    /// Returns the service whose answers to HEAD tell the length like this.
    #[must_use]
    pub fn with_head_length(self, head_length: HeadLength) -> Self {
        Self { head_length, ..self }
    }

    /// Answers a request. What goes wrong becomes an answer too.
    ///
    /// The request's extensions may hold the [`Address`] that it came from.
    pub async fn handle(&self, request: http::Request<Body>) -> Response<Body> {
        let has_no_body = request.method() == http::Method::HEAD && self.head_length == HeadLength::Header;
        let log = RequestLog::begin(&request);
        let mut response = match self.answer(request).await {
            Ok(response) => response,
            Err(error) => error.into_response(),
        };
        complete(&mut response);
        log.end(&response);
        if has_no_body { without_body(response) } else { response }
    }

    async fn answer(&self, request: http::Request<Body>) -> Result<Response<Body>, HttpError> {
        let (head, body) = request.into_parts();
        if !self.entry.names_hosts(&head.headers) {
            return Err(HttpError::new(ErrorCode::ParameterInvalid, NO_HOST));
        }
        if self.entry.crosses_sites(&head.method, &head.headers) {
            return Err(HttpError::new(ErrorCode::Denied, FOREIGN_PAGE));
        }
        let address = head.extensions.get::<Address>().cloned().unwrap_or_default();
        if let (token::PATH, Some(access)) = (head.uri.path(), self.gate.access()) {
            return token::answer(access, &self.gate, &head, &address, body).await;
        }
        let endpoint = Endpoint::parse(head.uri.path())?;
        let query = Query::parse(head.uri.query().unwrap_or_default());
        let action = Action::of(&head.method, endpoint.clone()).map_err(|methods| {
            let message = format!("{} is not possible here, only {methods}", head.method);
            HttpError::new(ErrorCode::Unsupported, message).with_header(header::ALLOW, methods)
        })?;
        let scope = action.scope();
        let request = Request { endpoint, query, head };
        let realm = || self.entry.origin(&request.head.headers);
        let denied = |denied: Denied| challenge::denied(denied, &self.gate, &realm(), scope.as_deref());
        let shown = authorization::shown(&request.head.headers);
        let caller = self.gate.caller(&shown, &address).await.map_err(denied)?;
        match self.dispatch(action, &caller, &request, body).await {
            Ok(answer) => answer,
            Err(error) => Err(denied(error)),
        }
    }

    /// Asks the gate, once, for the permit that the action takes, and has it carried out with that.
    async fn dispatch(
        &self,
        action: Action,
        caller: &Caller,
        request: &Request,
        body: Body,
    ) -> Result<Result<Response<Body>, HttpError>, Denied> {
        let goes_on = action.goes_on();
        Ok(match action {
            Action::Ping => self.gate.admit_known(caller).map(|()| Ok(base::ping()))?,
            Action::CatalogList => match tags::catalog_page(request) {
                Ok((limit, last)) => {
                    let (repositories, next) = self.gate.repository_list(caller, limit, last).await?;
                    Ok(tags::catalog(repositories, next, limit, request))
                }
                Err(error) => Err(error),
            },
            Action::Pull(name, action) => {
                self.pull(&self.gate.admit(caller, &name).await?, action, request).await
            }
            Action::Push(name, action) => {
                let permit = match goes_on {
                    true => self.gate.admit_late(caller, &name).await?,
                    false => self.gate.admit(caller, &name).await?,
                };
                self.push(&permit, action, request, body).await
            }
            Action::Delete(name, action) => delete(&self.gate.admit(caller, &name).await?, action).await,
        })
    }

    async fn pull(
        &self,
        permit: &Permit<Pull>,
        action: PullAction,
        request: &Request,
    ) -> Result<Response<Body>, HttpError> {
        match action {
            PullAction::ManifestGet(reference) => {
                manifests::get(permit, request, &reference, self.head_length).await
            }
            PullAction::BlobGet(digest) => blobs::get(permit, request, &digest, self.head_length).await,
            PullAction::TagList => tags::list(permit, request).await,
            PullAction::ReferrerList(digest) => referrers::list(permit, request, &digest).await,
        }
    }

    async fn push(
        &self,
        permit: &Permit<Push>,
        action: PushAction,
        request: &Request,
        body: Body,
    ) -> Result<Response<Body>, HttpError> {
        match action {
            PushAction::ManifestPut(reference) => {
                manifests::put(permit, &self.manifest_room, &reference, request, body).await
            }
            PushAction::UploadBegin => uploads::begin(permit, &self.entry, request, body).await,
            PushAction::UploadStatus(id) => uploads::get(permit, &id).await,
            PushAction::UploadAppend(id) => uploads::append(permit, &id, request, body).await,
            PushAction::UploadFinish(id) => uploads::finish(permit, &id, request, body).await,
            PushAction::UploadCancel(id) => uploads::cancel(permit, &id).await,
        }
    }
}

async fn delete(permit: &Permit<Delete>, action: DeleteAction) -> Result<Response<Body>, HttpError> {
    match action {
        DeleteAction::Manifest(reference) => manifests::delete(permit, &reference).await,
        DeleteAction::Blob(digest) => blobs::delete(permit, &digest).await,
    }
}

/// A HEAD has the headers of a GET, and no body; a body of known length tells that length.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut head, body) = response.into_parts();
    let length = http_body::Body::size_hint(&body).exact();
    if let (Some(length @ 1..), false) = (length, head.headers.contains_key(header::CONTENT_LENGTH)) {
        head.headers.insert(header::CONTENT_LENGTH, length.into());
    }
    Response::from_parts(head, empty())
}
