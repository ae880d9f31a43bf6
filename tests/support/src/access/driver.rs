//! Asks a service the cells of the matrix, and compares.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use http::Method;

use super::ask::{Answer, Ask, bearer, challenge_word, text_of};
use super::cast::{Cast, index, send, token};
use super::cells::{Cell, Expected};
use super::deeds::{Deed, Session, Source, UploadDeed};
use super::report::Report;
use super::table::{Place, Role, State, Way};
use crate::content::sha256;

const OF_INDEX: (&str, &str) = ("content-type", "application/vnd.oci.image.index.v1+json");

/// What a request of a cell needs.
struct Prepared {
    repository: String,
    /// A tag that is there, if the cell needs one.
    tag: String,
    /// A blob or manifest that is there, if the cell needs one.
    digest: String,
    /// The path of an upload session.
    session: String,
    /// Bytes that nobody has sent yet.
    fresh: Bytes,
}

struct Driver<'a, A> {
    service: &'a A,
    cast: &'a Cast,
    tokens: HashMap<(Role, String), String>,
    number: usize,
    report: Report,
}

/// Asks all cells: first those that are to be refused, after which nothing may have changed, then the others.
///
/// Those come before whose access tokens were made beforehand: the tokens do not last for ever.
pub async fn run<A: Ask>(service: &A, cast: &Cast, cells: &[Cell]) -> Report {
    let mut driver = Driver { service, cast, tokens: HashMap::new(), number: 0, report: Report::default() };
    let is_void = |cell: &&Cell| cell.role.state() == State::Void;
    let (first, then): (Vec<&Cell>, Vec<&Cell>) = cells.iter().partition(is_void);
    for cells in [first, then] {
        driver.all(&cells).await;
    }
    driver.report
}

impl<A: Ask> Driver<'_, A> {
    async fn all(&mut self, cells: &[&Cell]) {
        let (allowed, refused): (Vec<&Cell>, Vec<&Cell>) =
            cells.iter().partition(|cell| cell.expected().is_allowed());
        for role in Role::all() {
            let of_role: Vec<&Cell> = refused.iter().copied().filter(|cell| cell.role == role).collect();
            self.tokens.clear();
            self.refused(role, &of_role).await;
        }
        for role in Role::all() {
            self.tokens.clear();
            for cell in allowed.iter().filter(|cell| cell.role == role) {
                self.cell(cell).await;
            }
        }
    }

    async fn refused(&mut self, role: Role, cells: &[&Cell]) {
        if cells.is_empty() {
            return;
        }
        let before = self.service.stored().await;
        let mut answers = BTreeMap::new();
        for cell in cells {
            let Some((answer, repository)) = self.cell(cell).await else { continue };
            // Whoever may not even look is told the same of what there is and what there is not.
            let Some(place) = cell.place.filter(|place| !role.may(*place, "pull") && *place != Place::Own)
            else {
                continue;
            };
            let text = text_of(&answer).replace(&repository, "<name>");
            let first = answers.entry((cell.way, cell.deed)).or_insert((place, text.clone()));
            if first.1 != text {
                self.report.wrong.push(format!("{cell:?}: {text:?}, but in {}: {:?}", first.0, first.1));
            }
        }
        if let (Some(before), Some(after)) = (before, self.service.stored().await) {
            let (before, after) = (BTreeSet::from_iter(before), BTreeSet::from_iter(after));
            let new: Vec<&String> = after.difference(&before).collect();
            let gone: Vec<&String> = before.difference(&after).collect();
            if !new.is_empty() || !gone.is_empty() {
                self.report.wrong.push(format!("what {role:?} was refused left {new:?} and took {gone:?}"));
            }
        }
    }

    /// Asks one cell, and returns the answer and the repository that it was about.
    async fn cell(&mut self, cell: &Cell) -> Option<(Answer, String)> {
        let expected = cell.expected();
        let Some(prepared) = self.prepared(cell, expected.is_allowed()).await else {
            self.report.skipped += 1;
            return None;
        };
        let (method, path, header, body) = request(cell.deed, self.cast, &prepared);
        let Some(authorization) = self.authorization(cell, &method, &path).await else {
            self.report.skipped += 1;
            return None;
        };
        let shown = Some(authorization.as_str()).filter(|text| !text.is_empty());
        let answer = send(self.service, method, &path, shown, header, body).await;
        self.report.asked += 1;
        self.report.refused += usize::from(!expected.is_allowed());
        if let Some(why) = why_wrong(&expected, &answer) {
            self.report.wrong.push(format!("{cell:?}: {why}: {path} was answered {}", text_of(&answer)));
        }
        Some((answer, prepared.repository))
    }

    /// Gets ready what an allowed cell needs, so that no two of them meet.
    async fn prepared(&mut self, cell: &Cell, is_allowed: bool) -> Option<Prepared> {
        self.number += 1;
        let (number, cast) = (self.number, self.cast);
        let place = cell.place.unwrap_or(Place::Opened);
        let mut repository = place.name(cell.role);
        let session = self.session(cell, place, is_allowed).await?;
        if is_allowed && !place.exists() && cell.deed.permission() == Some("push") && !cell.deed.goes_on() {
            repository = format!("{repository}-{number}");
        }
        let mut prepared = Prepared {
            repository,
            tag: "v1".to_owned(),
            digest: sha256(&cast.image),
            session,
            fresh: format!("bytes for cell {number}").into(),
        };
        let tag = format!("t{number}");
        match cell.deed {
            Deed::BlobGet | Deed::BlobHead | Deed::BlobRange => prepared.digest = sha256(&cast.config),
            Deed::Mount(source) => {
                prepared.digest = match source.place().filter(|_| is_allowed) {
                    Some(from) => cast.blob(self.service, &from.name(cell.role), &prepared.fresh).await,
                    None => sha256(&cast.config),
                };
            }
            Deed::BlobDelete if is_allowed && place.exists() => {
                prepared.digest = cast.blob(self.service, &prepared.repository, &prepared.fresh).await;
            }
            Deed::BlobDelete => prepared.digest = sha256(&cast.config),
            Deed::TagDelete | Deed::ManifestDelete | Deed::ManifestPutByOldTag
                if is_allowed && place.exists() =>
            {
                prepared.digest = cast.index(self.service, &prepared.repository, &tag).await;
                prepared.tag = tag;
            }
            Deed::ManifestPutByNewTag => prepared.tag = tag,
            _ => {}
        }
        Some(prepared)
    }

    async fn session(&mut self, cell: &Cell, place: Place, is_allowed: bool) -> Option<String> {
        let here = place.name(cell.role);
        let Deed::Upload(deed, session) = cell.deed else { return Some(String::new()) };
        if session == Session::Others || !is_allowed {
            return self.cast.others_sessions.get(&here).cloned();
        }
        let begun_in = match session {
            Session::OfElsewhere => cell.other_place(place)?,
            _ => place,
        };
        let location = match cell.role.state() {
            State::Live => {
                let repository = begun_in.name(cell.role);
                let path = format!("/v2/{repository}/blobs/uploads/");
                let beginning = Cell { place: Some(begun_in), ..*cell };
                let authorization = self.authorization(&beginning, &Method::POST, &path).await?;
                self.cast.begin(self.service, &repository, &authorization).await
            }
            _ => {
                let number = if session == Session::OfElsewhere { 4 } else { deed as usize };
                self.cast.sessions.get(&begun_in)?[number].clone()
            }
        };
        let id = location.rsplit('/').next()?;
        Some(format!("/v2/{here}/blobs/uploads/{id}"))
    }

    /// Returns what is shown; an access token is fetched as the challenge says.
    async fn authorization(&mut self, cell: &Cell, method: &Method, path: &str) -> Option<String> {
        if cell.way == Way::Nothing {
            return Some(String::new());
        }
        if let Some(shown) = self.cast.shown(cell.role, cell.way) {
            return Some(shown.to_owned());
        }
        if cell.way != Way::Bearer || cell.role.state() != State::Live {
            return None;
        }
        let refusal = send(self.service, method.clone(), path, None, None, Bytes::new()).await;
        let mut query = match challenge_word(&refusal, "scope") {
            Some(scope) => format!("scope={scope}"),
            None => format!("scope=repository:{}:pull", cell.place.unwrap_or(Place::Opened).name(cell.role)),
        };
        if let Deed::Mount(source) = cell.deed {
            let from = source.place().unwrap_or(Place::Elsewhere);
            query.push_str(&format!("&scope=repository:{}:pull", from.name(cell.role)));
        }
        let key = (cell.role, query);
        if let Some(token) = self.tokens.get(&key) {
            return Some(bearer(token));
        }
        let token = token(self.service, self.cast.shown(cell.role, Way::Basic), &key.1).await;
        if token.is_none() {
            self.report.wrong.push(format!("{cell:?}: /token?{} gives no token", key.1));
        }
        self.tokens.insert(key, token.clone()?);
        token.as_deref().map(bearer)
    }
}

/// Returns method, path, a header and body.
fn request(
    deed: Deed,
    cast: &Cast,
    prepared: &Prepared,
) -> (Method, String, Option<(&'static str, &'static str)>, Bytes) {
    let Prepared { repository, tag, digest, session, fresh } = prepared;
    let (manifests, blobs) = (format!("/v2/{repository}/manifests"), format!("/v2/{repository}/blobs"));
    let image = sha256(&cast.image);
    let index = index(&format!("{fresh:?}"));
    let plain = |method: Method, path: String| (method, path, None, Bytes::new());
    let put =
        |reference: &str| (Method::PUT, format!("{manifests}/{reference}"), Some(OF_INDEX), index.clone());
    match deed {
        Deed::Ping => plain(Method::GET, "/v2/".to_owned()),
        Deed::Catalog => plain(Method::GET, "/v2/_catalog".to_owned()),
        Deed::ManifestGetByTag => plain(Method::GET, format!("{manifests}/v1")),
        Deed::ManifestGetByDigest => plain(Method::GET, format!("{manifests}/{image}")),
        Deed::ManifestHeadByTag => plain(Method::HEAD, format!("{manifests}/v1")),
        Deed::ManifestHeadByDigest => plain(Method::HEAD, format!("{manifests}/{image}")),
        Deed::BlobGet => plain(Method::GET, format!("{blobs}/{digest}")),
        Deed::BlobRange => {
            (Method::GET, format!("{blobs}/{digest}"), Some(("range", "bytes=0-0")), Bytes::new())
        }
        Deed::BlobHead => plain(Method::HEAD, format!("{blobs}/{digest}")),
        Deed::TagList => plain(Method::GET, format!("/v2/{repository}/tags/list")),
        Deed::ReferrerList => plain(Method::GET, format!("/v2/{repository}/referrers/{image}")),
        Deed::ManifestPutByNewTag | Deed::ManifestPutByOldTag => put(tag),
        Deed::ManifestPutByDigest => put(&sha256(&index)),
        Deed::UploadBegin => plain(Method::POST, format!("{blobs}/uploads/")),
        Deed::PostWhole => {
            (Method::POST, format!("{blobs}/uploads/?digest={}", sha256(fresh)), None, fresh.clone())
        }
        Deed::Mount(source) => {
            let from = match source {
                Source::Anywhere => String::new(),
                Source::Nowhere => format!("&from={}", Place::Elsewhere.name(Role::Anonymous)),
                named => format!("&from={}", named.place().unwrap().name(Role::Anonymous)),
            };
            plain(Method::POST, format!("{blobs}/uploads/?mount={digest}{from}"))
        }
        Deed::Upload(UploadDeed::Status, _) => plain(Method::GET, session.clone()),
        Deed::Upload(UploadDeed::Append, _) => (Method::PATCH, session.clone(), None, fresh.clone()),
        Deed::Upload(UploadDeed::Finish, _) => {
            (Method::PUT, format!("{session}?digest={}", sha256(fresh)), None, fresh.clone())
        }
        Deed::Upload(UploadDeed::Cancel, _) => plain(Method::DELETE, session.clone()),
        Deed::TagDelete => plain(Method::DELETE, format!("{manifests}/{tag}")),
        Deed::ManifestDelete => plain(Method::DELETE, format!("{manifests}/{digest}")),
        Deed::BlobDelete => plain(Method::DELETE, format!("{blobs}/{digest}")),
    }
}

/// Returns what is wrong with the answer.
fn why_wrong(expected: &Expected, answer: &Answer) -> Option<String> {
    let status = answer.status().as_u16();
    let is_right = match expected {
        Expected::Allowed(statuses) => statuses.contains(&status),
        Expected::Denied => status == 403,
        Expected::Unauthorized(word) => {
            status == 401
                && answer.headers().contains_key("www-authenticate")
                && challenge_word(answer, "error").as_deref() == *word
        }
    };
    (!is_right).then(|| format!("expected {expected:?}"))
}
