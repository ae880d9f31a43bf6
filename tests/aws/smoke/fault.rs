//! One thing that goes wrong between a client and a registry.

use http::Method;

use crate::accounts::Accounts;
use crate::edge::Edge;
use crate::message::{Reply, Request};

type Before = Box<dyn Fn(&mut Request) -> Option<Reply> + Send + Sync>;
type After = Box<dyn Fn(&Request, &mut Reply) + Send + Sync>;
type Early = Box<dyn Fn(&Request) -> Option<Reply> + Send + Sync>;

/// What the proxy does besides passing everything on.
#[derive(Default)]
pub(crate) struct Fault {
    pub(crate) edge: Option<Edge>,
    pub(crate) accounts: Option<Accounts>,
    pub(crate) before: Option<Before>,
    pub(crate) after: Option<After>,
    pub(crate) early: Option<Early>,
}

impl Fault {
    /// Nothing goes wrong.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Answers itself, or changes the request.
    pub(crate) fn before(change: impl Fn(&mut Request) -> Option<Reply> + Send + Sync + 'static) -> Self {
        Self { before: Some(Box::new(change)), ..Self::default() }
    }

    /// Changes the reply.
    pub(crate) fn after(change: impl Fn(&Request, &mut Reply) + Send + Sync + 'static) -> Self {
        Self { after: Some(Box::new(change)), ..Self::default() }
    }

    /// Answers such requests itself.
    pub(crate) fn answer(reply: Reply, to: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        Self::before(move |request| to(request).then(|| reply.clone()))
    }

    /// Answers such requests while their bodies still come; they are not seen yet.
    pub(crate) fn early(reply: Reply, to: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Self {
        let early: Early = Box::new(move |request| to(request).then(|| reply.clone()));
        Self { early: Some(early), ..Self::default() }
    }

    /// The same behind an edge that offers direct uploads.
    pub(crate) fn direct(self) -> Self {
        self.behind(Edge::new())
    }

    /// The same before a registry that asks for accounts.
    pub(crate) fn asking(self) -> Self {
        Self { accounts: Some(Accounts::default()), ..self }
    }

    /// The same behind this edge.
    pub(crate) fn behind(self, edge: Edge) -> Self {
        Self { edge: Some(edge), ..self }
    }

    pub(crate) fn reply_early(&self, request: &Request) -> Option<Reply> {
        self.early.as_ref()?(request)
    }

    pub(crate) fn reply_before(&self, request: &mut Request) -> Option<Reply> {
        self.before.as_ref()?(request)
    }

    pub(crate) fn change_after(&self, request: &Request, reply: &mut Reply) {
        if let Some(change) = &self.after {
            change(request, reply);
        }
    }
}

/// Whether this is a PUT with a body of this size to an upload URL.
pub(crate) fn is_put_of(request: &Request, size_bytes: usize) -> bool {
    request.method == Method::PUT && request.is_upload() && request.body.len() == size_bytes
}

/// Whether this is a PATCH with a body of this size, and a length.
pub(crate) fn is_patch_of(request: &Request, size_bytes: usize) -> bool {
    request.method == Method::PATCH && request.body.len() == size_bytes && !request.is_chunked()
}
