//! Hostile requests against a running server: each is refused as it should be, and nothing is left behind.
//!
//! Each module is a table of rows; a row is what is sent and what must come back. The words in angle brackets are
//! explained in `baseline.rs` and `sessions.rs`. `doors` has what no row can say: the ways past the functions.
//!
//! Without more said, the corpus is sent to a `slipway serve` of its own. `SLIPWAY_HOSTILE_URL` names a registry that
//! is already running, `SLIPWAY_HOSTILE_DIFFERENCES` a list of rows that it answers otherwise (see `differences`), and
//! `SLIPWAY_HOSTILE_LAMBDA` an endpoint of Lambda at which `ScheduledFunction` can be asked for fsck, and
//! `SLIPWAY_HOSTILE_AUTHORIZATION` the value of the `Authorization` header of an administrator, who is asked for where
//! there are accounts.
#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod baseline;
mod client;
mod corpus;
mod differences;
mod request;
mod row;
mod sessions;
mod state;
mod target;
mod words;

mod bodies;
mod chunks;
mod deletes;
mod descriptors;
mod digests;
mod doors;
mod framing;
mod headers;
mod json;
mod manifests;
mod methods;
mod mounts;
mod names;
mod paging;
mod paths;
mod pulls;
mod ranges;
mod tags;
mod uploads;
mod wire;

use differences::Differences;
use row::Row;
use target::{Report, Target};

type Table = fn() -> Vec<Row>;

const TABLES: &[(&str, Table)] = &[
    ("names", names::rows),
    ("paths", paths::rows),
    ("digests", digests::rows),
    ("tags", tags::rows),
    ("methods", methods::rows),
    ("pulls", pulls::rows),
    ("ranges", ranges::rows),
    ("paging", paging::rows),
    ("uploads", uploads::rows),
    ("chunks", chunks::rows),
    ("mounts", mounts::rows),
    ("json", json::rows),
    ("descriptors", descriptors::rows),
    ("manifests", manifests::rows),
    ("deletes", deletes::rows),
    ("headers", headers::rows),
    ("bodies", bodies::rows),
    ("framing", framing::rows),
    ("wire", wire::rows),
];

#[test]
fn hostile_requests_are_refused_and_change_nothing() {
    let differences = Differences::read();
    let mut target = Target::find_or_start();
    let words = baseline::push(target.address(), target.authorization());
    let found_before = target.fsck();
    assert!(found_before.as_ref().is_none_or(Report::is_sound), "{found_before:?}");
    let views_before = state::seen_by_clients(&words);

    let mut failures = corpus::run(&words, &differences);
    if state::seen_by_clients(&words) != views_before {
        failures.push("clients see something else than before".to_owned());
    }
    let found = target.fsck();
    if found != found_before {
        failures.push(format!("fsck found {found_before:?} before and {found:?} after"));
    }
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}
