//! Rows that cannot be read: their keys, and other rows, say part of what was in them.

use oci::{Digest, RepositoryName, Tag};

use super::manifests::copy_elsewhere;
use super::plan::Plan;
use super::tags::tag_from_edge;
use crate::jobs::fsck::shelf::Shelf;
use crate::ports::{Key, Version, Write};
use crate::records::{LinkOrigin, LinkRecord, LinkState, Record, SuspectRecord, keys};

/// Takes unreadable rows out of the way, and writes again what can be known of them.
pub(super) fn plan(plan: &mut Plan<'_>, has_quarantine: bool) {
    for row in std::mem::take(&mut plan.unreadable) {
        let name = format!("item {}/{}", row.key.pk, row.key.sk);
        let problem = row.problem.clone();
        if !has_quarantine || is_last_account(plan, &row.key) {
            plan.lost(name, problem, "restore it from a backup");
            plan.untouched.insert(row.key);
            continue;
        }
        match fate(plan, &row.key) {
            Fate::Known(record) if Shelf::has_place(&row.key, &Version::new(""), &record) => {
                plan.mended(name, problem, "what it said is written again");
                plan.set_row_aside(row, Some(record));
            }
            Fate::Known(_) => {
                plan.mended(name, problem, "it is in quarantine");
                plan.set_row_aside(row, None);
            }
            Fate::Told(write) => {
                plan.mended(name, problem, "it is in quarantine");
                plan.write(write.into_iter().collect());
                plan.set_row_aside(row, None);
            }
            Fate::Lost(advice, write) => {
                plan.lost(name, problem, advice);
                plan.set_row_aside(row, None);
                plan.write(write.into_iter().collect());
            }
        }
    }
}

/// What becomes of an unreadable row.
enum Fate {
    /// Others say what was in it.
    Known(Record),
    /// Nobody needs it, or a later look at the others says what is missing, or this does.
    Told(Option<Write>),
    /// It is lost, with what somebody can do, and what goes with it.
    Lost(String, Option<Write>),
}

fn fate(plan: &Plan<'_>, key: &Key) -> Fate {
    let known = |record: Option<Record>| record.map_or(Fate::Told(None), Fate::Known);
    let pk: Vec<&str> = key.pk.split('#').collect();
    match pk.as_slice() {
        ["CAT", _] => Fate::Known(Record::Catalog),
        ["AL", _] => Fate::Known(Record::Listed),
        ["B", _] if key.sk != "BLOB" => Fate::Known(Record::BlobEdge),
        ["R", _, "U"] => Fate::Known(Record::OpenUpload),
        ["R", name, "B"] => known(link(plan, name, key)),
        ["R", name, "T"] => tag(plan, name, key),
        ["R", name, "M"] => manifest(plan, name, key),
        ["Q", _] => Fate::Told(suspect(plan, &key.sk)),
        ["A", name] if key.sk == "ACCOUNT" => account(plan, name),
        ["A", organisation] => match key.sk.split_once('#') {
            Some(("M", user)) => {
                Fate::Lost(format!("add {user} to {organisation} again: `slipway org add-member`"), None)
            }
            _ => Fate::Known(Record::Listed),
        },
        ["K", _] => Fate::Lost("make the token again: `slipway token`".to_owned(), None),
        ["I", _] => Fate::Lost("write the trust rule again: `slipway trust`".to_owned(), None),
        _ => Fate::Told(None),
    }
}

/// The edge of the blob says that the repository has it.
fn link(plan: &Plan<'_>, name: &str, key: &Key) -> Option<Record> {
    let (repository, digest): (RepositoryName, Digest) = (name.parse().ok()?, key.sk.parse().ok()?);
    let (_, blob) = plan.items.get(&keys::blob(&digest))?;
    let blob = blob.as_blob().filter(|_| plan.items.contains_key(&keys::blob_edge(&digest, &repository)))?;
    let link = LinkRecord {
        state: LinkState::Live,
        object: blob.object.clone(),
        size_bytes: blob.size_bytes,
        lease_until: plan.now().after(plan.registry.lifetimes.lease),
        origin: LinkOrigin::Uploaded,
    };
    Some(Record::Link(link))
}

/// The edge of the tag says where it led.
fn tag(plan: &Plan<'_>, name: &str, key: &Key) -> Fate {
    let parsed = name.parse::<RepositoryName>().ok().zip(key.sk.parse::<Tag>().ok());
    match parsed.and_then(|(repository, tag)| tag_from_edge(plan, &repository, &tag)) {
        Some(record) => Fate::Known(Record::Tag(record)),
        None => Fate::Lost(format!("push {name}:{} again", key.sk), None),
    }
}

/// Another repository may have the same manifest.
fn manifest(plan: &Plan<'_>, name: &str, key: &Key) -> Fate {
    let place = name.parse::<RepositoryName>().ok().zip(key.sk.parse::<Digest>().ok());
    match place.and_then(|place| copy_elsewhere(&plan.shelf(), &place)) {
        Some(record) => Fate::Known(Record::Manifest(record)),
        None => Fate::Lost(format!("push {name}@{} again", key.sk), None),
    }
}

fn suspect(plan: &Plan<'_>, sk: &str) -> Option<Write> {
    let (_, what) = sk.split_once('#')?;
    let parts: Vec<&str> = what.split('#').collect();
    let suspect = match parts.as_slice() {
        ["link", repository, digest] => {
            SuspectRecord::Link { repository: repository.parse().ok()?, digest: digest.parse().ok()? }
        }
        ["manifest", repository, digest] => {
            SuspectRecord::Manifest { repository: repository.parse().ok()?, digest: digest.parse().ok()? }
        }
        ["blob", digest] => SuspectRecord::Blob { digest: digest.parse().ok()? },
        ["repository", repository] => SuspectRecord::Repository { repository: repository.parse().ok()? },
        // Whatever else the queue has lost is found by looking at what it was about.
        _ => return None,
    };
    plan.suspect(suspect, plan.registry.lifetimes.lease)
}

/// With its line in the list, an account can be made again.
fn account(plan: &Plan<'_>, name: &str) -> Fate {
    let listed = Key::new(keys::account_list_partition(), name);
    let write = plan.items.contains_key(&listed).then(|| plan.delete(listed));
    let advice = format!("make {name} again: `slipway user add`, or `slipway org add`");
    Fate::Lost(advice, write)
}

/// A registry without accounts is open to everybody, so the last one stays as it is.
fn is_last_account(plan: &Plan<'_>, key: &Key) -> bool {
    let list = keys::account_list_partition();
    let is_account = key.pk.starts_with("A#") && key.sk == "ACCOUNT";
    is_account && plan.items.keys().filter(|key| key.pk == list).count() <= 1
}
