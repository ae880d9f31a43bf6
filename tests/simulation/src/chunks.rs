//! How clients upload in chunks, and hold the registry to what it has acknowledged (P7).

use http::Method;
use registry::ports::{Clock, Timestamp};

use crate::client::{Ask, Client, committing};

/// How many requests a client makes before it gives up.
const TRIES: usize = 10;

/// A session as its client knows it.
struct Session {
    location: String,
    /// When it expires, or later.
    ends: Timestamp,
    /// How many bytes the registry has said that it has.
    acknowledged: usize,
    /// Whether a commit was sent, of which nobody knows what became.
    may_be_over: bool,
}

impl Client {
    /// POST, `PATCH`es that go on where the registry stands, and a PUT with what is left.
    ///
    /// A client that has heard nothing cuts the same bytes elsewhere the next time, while the request that it gave up may
    /// be at work still.
    pub(crate) async fn upload_in_chunks(&self, repository: usize, number: usize) -> bool {
        let content = &self.world.universe.blobs[number];
        let Some(location) = self.begin(repository).await else { return false };
        let ends = self.world.clock.now().after(self.world.plan.lifetimes.upload);
        let mut session = Session { location, ends, acknowledged: 0, may_be_over: false };
        for _ in 0..TRIES {
            let offset = session.acknowledged;
            let rest = content.bytes.slice(offset..);
            if rest.is_empty() || self.dice.one_in(4) {
                let ask = Ask::new(Method::PUT, committing(&session.location, content));
                let ask = if rest.is_empty() { ask } else { ask.with(rest).at(offset) };
                let asked = self.world.clock.now();
                match self.ask_for_a_promise(repository, number, ask, 201).await {
                    Some(201) => return true,
                    Some(status) => self.judge_commit(&session, status, asked),
                    None => {}
                }
                session.may_be_over = true;
            } else {
                // Of one byte nobody is told: `0-0` is said of none, too.
                let end = (2 + self.dice.below(rest.len())).min(rest.len());
                let ask =
                    Ask::new(Method::PATCH, session.location.clone()).with(rest.slice(..end)).at(offset);
                match self.send(ask).await.map(|reply| reply.status) {
                    Some(202) => {
                        session.acknowledged = offset + end;
                        continue;
                    }
                    Some(404) => return self.judge_end(&session),
                    _ => {}
                }
            }
            match self.offset(&session.location).await {
                Some(Some(offset)) => self.judge_offset(&mut session, offset),
                Some(None) => return self.judge_end(&session),
                None => return false,
            }
        }
        false
    }

    /// Returns how many bytes of the upload are stored, or none if it is over.
    async fn offset(&self, location: &str) -> Option<Option<usize>> {
        for _ in 0..TRIES {
            let Some(reply) = self.get(location.to_owned()).await else { continue };
            match reply.status {
                204 => {
                    let last: usize = reply.header("range").strip_prefix("0-")?.parse().ok()?;
                    return Some(Some(if last == 0 { 0 } else { last + 1 }));
                }
                404 => return Some(None),
                _ => {}
            }
        }
        None
    }

    /// What was acknowledged stays; more may have come.
    fn judge_offset(&self, session: &mut Session, offset: usize) {
        if offset < session.acknowledged {
            let Session { location, acknowledged, .. } = session;
            self.world.ledger.accuse(format!("{location} has {offset} bytes of {acknowledged} acknowledged"));
        }
        session.acknowledged = offset;
    }

    /// A session lives until it is committed or expires.
    fn judge_end(&self, session: &Session) -> bool {
        if !session.may_be_over && self.world.clock.now() < session.ends {
            self.world.ledger.accuse(format!("{} is gone before its time", session.location));
        }
        false
    }

    /// The right bytes have the right digest, and nobody is told that they are gone. Whose commit takes longer than a
    /// lease, or is followed by a deletion, may find that what it has committed is over again.
    fn judge_commit(&self, session: &Session, status: u16, asked: Timestamp) {
        let now = self.world.clock.now();
        let is_prompt = now < asked.after(self.world.plan.lifetimes.lease) && now < session.ends;
        let may_be_over = session.may_be_over || !is_prompt || self.world.weather.has_deletions;
        if status == 400 || status == 404 && !may_be_over {
            self.world.ledger.accuse(format!("the commit of {} was answered {status}", session.location));
        }
    }
}
