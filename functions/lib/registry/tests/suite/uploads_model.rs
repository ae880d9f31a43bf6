//! One upload session against the simplest model of one: the bytes that were acknowledged.

use http::{Method, StatusCode};
use proptest::prelude::*;

use crate::client::{Client, Reply, blob, broken_body, bytes_body, committing};
use crate::content::{sha256, sha512};
use crate::world::World;

/// What a chunk says about where it belongs.
#[derive(Clone, Copy, Debug)]
enum Claim {
    Nothing,
    Right,
    TooLate,
    TooEarly,
    TooLong,
}

/// Which digest a commit names.
#[derive(Clone, Copy, Debug)]
enum Named {
    Right,
    Wrong,
    /// Right, but with an algorithm that was not hashed on the way.
    RightByOtherAlgorithm,
    WrongByOtherAlgorithm,
}

#[derive(Clone, Debug)]
enum Step {
    Append { bytes: Vec<u8>, claim: Claim, is_broken: bool },
    Finish { bytes: Vec<u8>, claim: Claim, named: Named, is_broken: bool },
    Status,
    Cancel,
}

/// Where the session is in its life, and the bytes that it has.
#[derive(Clone, Debug, PartialEq)]
enum Model {
    Open(Vec<u8>),
    Committed(Vec<u8>, String),
    Gone,
}

fn claim() -> impl Strategy<Value = Claim> {
    prop_oneof![
        4 => Just(Claim::Nothing),
        4 => Just(Claim::Right),
        1 => Just(Claim::TooLate),
        1 => Just(Claim::TooEarly),
        1 => Just(Claim::TooLong),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..40);
    let named = prop_oneof![
        4 => Just(Named::Right),
        4 => Just(Named::Wrong),
        1 => Just(Named::RightByOtherAlgorithm),
        1 => Just(Named::WrongByOtherAlgorithm),
    ];
    let is_broken = || proptest::bool::weighted(0.2);
    prop_oneof![
        8 => (bytes(), claim(), is_broken())
            .prop_map(|(bytes, claim, is_broken)| Step::Append { bytes, claim, is_broken }),
        4 => (bytes(), claim(), named, is_broken())
            .prop_map(|(bytes, claim, named, is_broken)| Step::Finish { bytes, claim, named, is_broken }),
        2 => Just(Step::Status),
        1 => Just(Step::Cancel),
    ]
}

/// Returns the `Content-Range` of a chunk; a chunk of no bytes cannot have one.
fn content_range(claim: Claim, offset: usize, length: usize) -> Option<String> {
    let (start, length) = match claim {
        Claim::Nothing => return None,
        _ if length == 0 => return None,
        Claim::Right => (offset, length),
        Claim::TooLate => (offset + 1, length),
        Claim::TooEarly => (offset.checked_sub(1)?, length),
        Claim::TooLong => (offset, length + 1),
    };
    Some(format!("{start}-{}", start + length - 1))
}

/// Returns the status with which a chunk is refused whatever its bytes are, by its claim alone.
fn refusal(claim: Claim, range: Option<&str>) -> Option<u16> {
    range.and(match claim {
        Claim::TooLate | Claim::TooEarly => Some(416),
        Claim::TooLong => Some(400),
        Claim::Nothing | Claim::Right => None,
    })
}

/// The session, asked and modelled side by side.
struct Session {
    client: Client,
    location: String,
    model: Model,
}

impl Session {
    async fn take(&mut self, step: Step) {
        match step {
            Step::Append { bytes, claim, is_broken } => self.append(bytes, claim, is_broken).await,
            Step::Finish { bytes, claim, named, is_broken } => {
                self.finish(bytes, claim, named, is_broken).await;
            }
            Step::Status => self.assert_stands().await,
            Step::Cancel => {
                let reply = self.client.delete(&self.location).await;
                reply.expect(if matches!(self.model, Model::Open(_)) { 204 } else { 404 });
                if let Model::Open(_) = self.model {
                    self.model = Model::Gone;
                }
            }
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        range: Option<&str>,
        bytes: &[u8],
        is_broken: bool,
    ) -> Reply {
        let headers: Vec<_> = range.map(|range| ("content-range", range)).into_iter().collect();
        let body = if is_broken { broken_body(bytes.to_vec()) } else { bytes_body(bytes.to_vec()) };
        self.client.send(method, path, &headers, body).await
    }

    async fn append(&mut self, bytes: Vec<u8>, claim: Claim, is_broken: bool) {
        let offset = if let Model::Open(stored) = &self.model { stored.len() } else { 0 };
        let range = content_range(claim, offset, bytes.len());
        let reply = self.send(Method::PATCH, &self.location, range.as_deref(), &bytes, is_broken).await;
        let Model::Open(stored) = &mut self.model else {
            reply.expect(404);
            return;
        };
        if let Some(status) = refusal(claim, range.as_deref()) {
            reply.expect(status);
            return;
        }
        stored.extend(bytes);
        let reply = reply.expect(if is_broken { 400 } else { 202 });
        assert_eq!(reply.header("range"), standing(stored));
    }

    async fn finish(&mut self, bytes: Vec<u8>, claim: Claim, named: Named, is_broken: bool) {
        let stored = match &self.model {
            Model::Open(stored) => stored.clone(),
            Model::Committed(_, digest) => return self.finish_again(digest).await,
            Model::Gone => Vec::new(),
        };
        let range = content_range(claim, stored.len(), bytes.len());
        let whole = [stored.as_slice(), &bytes].concat();
        let digest = match named {
            Named::Right => sha256(&whole),
            Named::Wrong => sha256(b"something else"),
            Named::RightByOtherAlgorithm => sha512(&whole),
            Named::WrongByOtherAlgorithm => sha512(b"something else"),
        };
        let path = committing(&self.location, &digest);
        let reply = self.send(Method::PUT, &path, range.as_deref(), &bytes, is_broken).await;
        if self.model == Model::Gone {
            reply.expect(404);
        } else if let Some(status) = refusal(claim, range.as_deref()) {
            reply.expect(status);
        } else if is_broken {
            let reply = reply.expect(400);
            assert_eq!(reply.header("range"), standing(&stored));
        } else {
            self.committed(reply, named, whole, digest, stored.is_empty());
        }
    }

    /// A wrong digest leaves the session as it was, unless finding out has closed its object.
    fn committed(&mut self, reply: Reply, named: Named, whole: Vec<u8>, digest: String, is_first: bool) {
        match named {
            Named::Right | Named::RightByOtherAlgorithm => {
                reply.expect(201);
                self.model = Model::Committed(whole, digest);
            }
            Named::Wrong => drop(reply.expect(400)),
            Named::WrongByOtherAlgorithm => {
                reply.expect(400);
                if !is_first {
                    self.model = Model::Gone;
                }
            }
        }
    }

    async fn finish_again(&self, digest: &str) {
        self.client.put(&committing(&self.location, digest), "").await.expect(201);
        let other = sha256(b"something else");
        self.client.put(&committing(&self.location, &other), "").await.expect(404);
    }

    async fn assert_stands(&self) {
        let reply = self.client.get(&self.location).await;
        match &self.model {
            Model::Open(stored) => assert_eq!(reply.expect(204).header("range"), standing(stored)),
            Model::Committed(..) | Model::Gone => assert_eq!(reply.status, StatusCode::NOT_FOUND),
        }
    }

    async fn assert_blob(&self) {
        if let Model::Committed(bytes, digest) = &self.model {
            let reply = self.client.get(&blob("app", digest)).await.expect(200);
            assert_eq!(reply.body, bytes);
        }
    }
}

/// Returns how clients are told what is stored: `0-0` also for nothing.
fn standing(stored: &[u8]) -> String {
    format!("0-{}", stored.len().saturating_sub(1))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_session_has_exactly_the_bytes_that_were_acknowledged(
        steps in proptest::collection::vec(step(), 1..20),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let world = World::new();
            let client = world.client();
            let location = client.begin("app").await;
            let mut session = Session { client, location, model: Model::Open(Vec::new()) };
            for step in steps {
                session.take(step).await;
                session.assert_stands().await;
            }
            session.assert_blob().await;
            world.fsck().await;
        });
    }
}
