//! The way of one request: the guard, the plan of faults, the operation, the counts.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use s3s::access::{S3Access, S3AccessContext};
use s3s::service::S3Service;
use s3s::{S3Result, StdError, s3_error};

use crate::calls::Calls;
use crate::faults::{Fault, Faults};
use crate::guard::Guard;
use crate::store::lock;

/// The operations whose own body a [`Fault::CutAtByte`] cuts.
const RECEIVING: [&str; 2] = ["PutObject", "UploadPart"];

/// Why a body or a connection ends early.
#[derive(Debug)]
pub(crate) enum Ended {
    AsPlanned,
    Broken(StdError),
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AsPlanned => f.write_str("cut as planned"),
            Self::Broken(source) => source.fmt(f),
        }
    }
}

impl std::error::Error for Ended {}

/// What was planned for one request; known when its operation is, before its body is read.
#[derive(Default)]
struct Exchange {
    is_lost: bool,
    cut_request_at: Option<u64>,
    cut_response_at: Option<u64>,
    was_cut: bool,
}

type SharedExchange = Arc<Mutex<Exchange>>;

/// Counts the calls whose signature is right, and meets them with the faults planned for them.
pub(crate) struct Access {
    pub(crate) calls: Arc<Calls>,
    pub(crate) faults: Arc<Faults>,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        let operation = context.s3_op().name().to_owned();
        self.calls.called(&operation);
        let is_conditional =
            ["if-match", "if-none-match"].iter().any(|name| context.headers().contains_key(*name));
        let Some(fault) = self.faults.next(&operation, is_conditional) else { return Ok(()) };
        if let Some(error) = fault.error() {
            return Err(error);
        }
        if let Fault::Delayed(time) = fault {
            tokio::time::sleep(time).await;
        } else if let Some(exchange) = context.extensions_mut().get::<SharedExchange>() {
            lock(exchange).plan(&fault, RECEIVING.contains(&operation.as_str()));
        }
        Ok(())
    }
}

impl Exchange {
    fn plan(&mut self, fault: &Fault, is_receiving: bool) {
        match fault {
            Fault::AppliedThenLost => self.is_lost = true,
            Fault::CutAtByte(at) if is_receiving => self.cut_request_at = Some(*at),
            Fault::CutAtByte(at) => self.cut_response_at = Some(*at),
            Fault::Refused { .. } | Fault::Throttled | Fault::Conflict | Fault::Delayed(_) => {}
        }
    }
}

/// Answers requests.
pub(crate) struct Gate {
    pub(crate) guard: Guard,
    pub(crate) service: S3Service,
    pub(crate) calls: Arc<Calls>,
}

impl Gate {
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Result<Response<Metered>, Ended> {
        let exchange = SharedExchange::default();
        let (mut parts, body) = request.into_parts();
        if let Err(refusal) = self.guard.check(&parts) {
            let answer = refusal.to_http_response().map_err(|error| Ended::Broken(Box::new(error)))?;
            return Ok(answer.map(|body| self.metered(body, &exchange, Direction::Response)));
        }
        parts.extensions.insert(exchange.clone());
        let body = s3s::Body::from(body);
        let body = s3s::Body::http_body(self.metered(body, &exchange, Direction::Request));
        let answer = self.service.call(Request::from_parts(parts, body)).await;
        let answer = answer.map_err(|error| Ended::Broken(error.into()))?;
        let is_cut = {
            let exchange = lock(&exchange);
            exchange.is_lost || exchange.was_cut
        };
        match is_cut {
            true => Err(Ended::AsPlanned),
            false => Ok(answer.map(|body| self.metered(body, &exchange, Direction::Response))),
        }
    }

    fn metered(&self, body: s3s::Body, exchange: &SharedExchange, direction: Direction) -> Metered {
        let (calls, exchange) = (self.calls.clone(), exchange.clone());
        Metered { body, calls, exchange, direction, passed_bytes: 0 }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Request,
    Response,
}

/// A body that counts its bytes, and ends in an error where a fault says so.
pub(crate) struct Metered {
    body: s3s::Body,
    calls: Arc<Calls>,
    exchange: SharedExchange,
    direction: Direction,
    passed_bytes: u64,
}

impl Metered {
    fn cut_at(&self) -> Option<u64> {
        let exchange = lock(&self.exchange);
        match self.direction {
            Direction::Request => exchange.cut_request_at,
            Direction::Response => exchange.cut_response_at,
        }
    }

    /// Lets pass what lies before the cut.
    fn pass(&mut self, mut data: Bytes) -> Bytes {
        if let Some(at) = self.cut_at() {
            let left = usize::try_from(at - self.passed_bytes).unwrap_or(usize::MAX);
            data.truncate(left);
        }
        self.passed_bytes += data.len() as u64;
        match self.direction {
            Direction::Request => self.calls.received(data.len()),
            Direction::Response => self.calls.sent(data.len()),
        }
        data
    }
}

impl Body for Metered {
    type Data = Bytes;
    type Error = Ended;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Ended>>> {
        let this = self.get_mut();
        if this.cut_at() == Some(this.passed_bytes) {
            let was_cut = std::mem::replace(&mut lock(&this.exchange).was_cut, true);
            if !was_cut && this.direction == Direction::Response {
                // One turn of waiting, in which hyper sends what it holds.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(Some(Err(Ended::AsPlanned)));
        }
        let frame = std::task::ready!(Pin::new(&mut this.body).poll_frame(context));
        Poll::Ready(frame.map(|frame| match frame {
            Ok(frame) => Ok(frame.map_data(|data| this.pass(data))),
            Err(source) => Err(Ended::Broken(source)),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
