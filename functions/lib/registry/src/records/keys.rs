//! Where each kind of item is kept. Persisted: keep stable.
//!
//! ```text
//! repository        R#<repo>               META
//! catalog           CAT#0                  <repo>
//! tag               R#<repo>#T             <tag>
//! tag history       R#<repo>#H             <tag>#<ulid>
//! manifest          R#<repo>#M             <digest>
//! edge to a target  R#<repo>#E             <target digest>#M#<manifest digest> | <manifest digest>#T#<tag>
//! link              R#<repo>#B             <digest>
//! blob              B#<digest>             BLOB
//! edge from a link  B#<digest>             L#<repo>
//! referrer          R#<repo>#S#<subject>   <artifact type, escaped>#<digest>
//! upload            U#<id>                 META
//! open upload       R#<repo>#U             <id>
//! suspect           Q#<shard>              <due, 13 digits>#<kind>#<what>
//! event             EV#<shard>             <ulid>
//! account           A#<account>            ACCOUNT
//! account in list   AL#0                   <account>
//! first account     AL#FIRST               META
//! member            A#<organisation>       M#<user>
//! membership        A#<user>               O#<organisation>
//! token             K#<id>                 META
//! token of account  A#<account>            K#<id>
//! trust             I#<sha256 of issuer>   <id>
//! trust of account  A#<account>            I#<sha256 of issuer>#<id>
//! attempts left     TH#<kind>#<who>        META
//! used identity     J#<sha256>             META
//! audit             AU#<day>               <ulid>
//! … logins          AU#<day>#login         <ulid>
//! ```
//!
//! `#` occurs in no repository name, tag, digest or upload id. The catalog is one partition, so that a page
//! in lexical order is one query; only the first push to a repository writes there.

use oci::{Digest, RepositoryName, Tag, UploadId};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ulid::Ulid;

use super::SuspectRecord;
use crate::access::AccountName;
use crate::ports::{Key, Timestamp};

/// The sort key of a repository and of an upload.
const META: &str = "META";

/// How many partitions the review queue and the event outbox have.
pub(crate) const SHARDS: u64 = 16;

const IN_ARTIFACT_TYPE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'+').remove(b'_');

/// The repository.
pub fn repository(name: &RepositoryName) -> Key {
    Key::new(format!("R#{name}"), META)
}

/// The partition of the catalog.
pub fn catalog_partition() -> String {
    "CAT#0".to_owned()
}

/// The repository's line in the catalog.
pub fn catalog(name: &RepositoryName) -> Key {
    Key::new(catalog_partition(), name.as_str())
}

/// The partition of the repository's tags.
pub fn tag_partition(name: &RepositoryName) -> String {
    format!("R#{name}#T")
}

/// The tag.
pub fn tag(name: &RepositoryName, tag: &Tag) -> Key {
    Key::new(tag_partition(name), tag.as_str())
}

/// The partition of the history of the repository's tags.
pub fn history_partition(name: &RepositoryName) -> String {
    format!("R#{name}#H")
}

/// The beginning of the tag's history.
pub fn history_of(tag: &Tag) -> String {
    format!("{tag}#")
}

/// One line of the tag's history.
pub fn history(name: &RepositoryName, tag: &Tag, id: Ulid) -> Key {
    Key::new(history_partition(name), format!("{}{id}", history_of(tag)))
}

/// The partition of the repository's manifests.
pub fn manifest_partition(name: &RepositoryName) -> String {
    format!("R#{name}#M")
}

/// The manifest.
pub fn manifest(name: &RepositoryName, digest: &Digest) -> Key {
    Key::new(manifest_partition(name), digest.as_str())
}

/// The partition of the repository's edges.
pub fn edge_partition(name: &RepositoryName) -> String {
    format!("R#{name}#E")
}

/// The beginning of all edges that lead to `target`.
pub fn edges_to(target: &Digest) -> String {
    format!("{target}#")
}

/// The beginning of all edges that lead from a manifest to `target`.
pub fn edges_from_manifests_to(target: &Digest) -> String {
    format!("{target}#M#")
}

/// The edge from a manifest to a blob or manifest.
pub fn edge_from_manifest(name: &RepositoryName, target: &Digest, manifest: &Digest) -> Key {
    Key::new(edge_partition(name), format!("{target}#M#{manifest}"))
}

/// The edge from a tag to a manifest.
pub fn edge_from_tag(name: &RepositoryName, target: &Digest, tag: &Tag) -> Key {
    Key::new(edge_partition(name), format!("{target}#T#{tag}"))
}

/// Who refers to the target of an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EdgeSource {
    /// A manifest.
    Manifest(Digest),
    /// A tag.
    Tag(Tag),
}

/// Returns target and source of an edge from its sort key.
pub fn parse_edge(sk: &str) -> Option<(Digest, EdgeSource)> {
    let mut parts = sk.splitn(3, '#');
    let target = parts.next()?.parse().ok()?;
    let source = match (parts.next()?, parts.next()?) {
        ("M", digest) => EdgeSource::Manifest(digest.parse().ok()?),
        ("T", tag) => EdgeSource::Tag(tag.parse().ok()?),
        _ => return None,
    };
    Some((target, source))
}

/// The partition of the repository's links.
pub fn link_partition(name: &RepositoryName) -> String {
    format!("R#{name}#B")
}

/// The link of the repository to the blob.
pub fn link(name: &RepositoryName, digest: &Digest) -> Key {
    Key::new(link_partition(name), digest.as_str())
}

/// The partition of the blob and its edges.
pub fn blob_partition(digest: &Digest) -> String {
    format!("B#{digest}")
}

/// The blob.
pub fn blob(digest: &Digest) -> Key {
    Key::new(blob_partition(digest), "BLOB")
}

/// The beginning of all edges from links to a blob.
pub const BLOB_EDGES: &str = "L#";

/// The edge from the repository's link to the blob.
pub fn blob_edge(digest: &Digest, name: &RepositoryName) -> Key {
    Key::new(blob_partition(digest), format!("{BLOB_EDGES}{name}"))
}

/// The partition of the referrers of a subject.
pub fn referrer_partition(name: &RepositoryName, subject: &Digest) -> String {
    format!("R#{name}#S#{subject}")
}

/// The beginning of all referrers of one artifact type.
pub fn referrers_of_type(artifact_type: &str) -> String {
    format!("{}#", utf8_percent_encode(artifact_type, IN_ARTIFACT_TYPE))
}

/// The referrer.
pub fn referrer(name: &RepositoryName, subject: &Digest, artifact_type: &str, digest: &Digest) -> Key {
    Key::new(referrer_partition(name, subject), format!("{}{digest}", referrers_of_type(artifact_type)))
}

/// The upload.
pub fn upload(id: &UploadId) -> Key {
    Key::new(format!("U#{id}"), META)
}

/// The partition of the repository's open uploads.
pub fn open_upload_partition(name: &RepositoryName) -> String {
    format!("R#{name}#U")
}

/// The upload among the open ones of its repository.
pub fn open_upload(name: &RepositoryName, id: &UploadId) -> Key {
    Key::new(open_upload_partition(name), id.as_str())
}

/// A partition of the review queue.
pub fn suspect_partition(shard: u64) -> String {
    format!("Q#{shard:02}")
}

/// Returns when a suspect is due, from its sort key.
pub fn parse_due(sk: &str) -> Option<Timestamp> {
    Some(Timestamp::from_millis(sk.split_once('#')?.0.parse().ok()?))
}

/// The suspect's place in the review queue; the same suspect has the same place when due at the same time.
pub fn suspect(due: Timestamp, suspect: &SuspectRecord) -> Key {
    let what = match suspect {
        SuspectRecord::Link { repository, digest } => format!("link#{repository}#{digest}"),
        SuspectRecord::Blob { digest } => format!("blob#{digest}"),
        SuspectRecord::Manifest { repository, digest } => format!("manifest#{repository}#{digest}"),
        SuspectRecord::ManifestObject { object, .. } => format!("object#{object}"),
        SuspectRecord::Upload { id, object } => format!("upload#{id}#{object}"),
        SuspectRecord::Adoption { id, object } => format!("adoption#{id}#{object}"),
        SuspectRecord::Repository { repository } => format!("repository#{repository}"),
        SuspectRecord::DeadObject { object, .. } => format!("dead#{object}"),
    };
    let shard =
        what.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))) % SHARDS;
    Key::new(suspect_partition(shard), format!("{:013}#{what}", due.as_millis()))
}

/// The event's place in the outbox.
pub fn event(id: Ulid) -> Key {
    let shard = u64::try_from(id.random() % u128::from(SHARDS)).unwrap_or_default();
    Key::new(format!("EV#{shard:02}"), id.to_string())
}

/// The user or organisation.
pub fn account(name: &AccountName) -> Key {
    Key::new(account_partition(name), "ACCOUNT")
}

/// The partition of everything that belongs to an account.
pub fn account_partition(name: &AccountName) -> String {
    format!("A#{name}")
}

/// The partition that lists accounts.
pub fn account_list_partition() -> String {
    "AL#0".to_owned()
}

/// The account's line in the list.
pub fn account_listed(name: &AccountName) -> Key {
    Key::new(account_list_partition(), name.as_str())
}

/// That the first account is made: whoever is not the one who writes it is not the first.
pub fn first_account() -> Key {
    Key::new("AL#FIRST", META)
}

/// The beginning of an organisation's members.
pub const MEMBERS: &str = "M#";

/// The user as a member of the organisation.
pub fn member(organisation: &AccountName, user: &AccountName) -> Key {
    Key::new(account_partition(organisation), format!("{MEMBERS}{user}"))
}

/// The beginning of a user's organisations.
pub const MEMBERSHIPS: &str = "O#";

/// The organisation in the list of those that the user is a member of.
pub fn membership(user: &AccountName, organisation: &AccountName) -> Key {
    Key::new(account_partition(user), format!("{MEMBERSHIPS}{organisation}"))
}

/// The token with this public part.
pub fn token(id: &str) -> Key {
    Key::new(format!("K#{id}"), META)
}

/// The beginning of an account's tokens.
pub const TOKENS: &str = "K#";

/// The token in the list of its owner's.
pub fn token_listed(owner: &AccountName, id: &str) -> Key {
    Key::new(account_partition(owner), format!("{TOKENS}{id}"))
}

/// The partition of what is trusted from an issuer; `issuer` is the hash of its URL.
pub fn trust_partition(issuer: &str) -> String {
    format!("I#{issuer}")
}

/// What is trusted from an issuer.
pub fn trust(issuer: &str, id: &str) -> Key {
    Key::new(trust_partition(issuer), id)
}

/// The beginning of what an account trusts.
pub const TRUSTS: &str = "I#";

/// What is trusted, in the list of the account that trusts.
pub fn trust_listed(owner: &AccountName, issuer: &str, id: &str) -> Key {
    Key::new(account_partition(owner), format!("{TRUSTS}{issuer}#{id}"))
}

/// How many attempts somebody has left; `who` holds no `#`.
pub fn attempts(kind: &str, who: &str) -> Key {
    Key::new(format!("TH#{kind}#{who}"), META)
}

/// That an identity token with this hash was used.
pub fn used(sha256: &str) -> Key {
    Key::new(format!("J#{sha256}"), META)
}

/// The partition of what happened on a day; days are counted from 1970.
pub fn audit_partition(day: u64) -> String {
    format!("AU#{day:06}")
}

/// The partition of the logins of a day that succeeded: they are most of what happens.
pub fn audit_login_partition(day: u64) -> String {
    format!("AU#{day:06}#login")
}

/// Something that happened.
pub fn audit(at: Timestamp, id: Ulid) -> Key {
    Key::new(audit_partition(at.day()), id.to_string())
}

/// A login that succeeded.
pub fn audit_login(at: Timestamp, id: Ulid) -> Key {
    Key::new(audit_login_partition(at.day()), id.to_string())
}
