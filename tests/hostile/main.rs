//! Hostile requests against a running server: each is refused as it should be, and nothing is left behind.
//!
//! Each module is a table of rows; a row is what is sent and what must come back. The words in angle brackets are
//! explained in `baseline.rs` and `sessions.rs`.
#![expect(clippy::unwrap_used, reason = "in a test a failed unwrap is a failed test")]

mod baseline;
mod client;
mod request;
mod row;
mod sessions;
mod state;
mod words;

mod bodies;
mod chunks;
mod deletes;
mod descriptors;
mod digests;
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

use std::io::Write;
use std::path::Path;

use test_support::server::Server;

use row::Row;
use sessions::Session;
use words::Words;

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
    let mut server = Server::start(Path::new(env!("CARGO_BIN_EXE_slipway")));
    let words = baseline::push(server.address());
    assert!(server.stop());
    let found_before = state::found_by_fsck(&server);
    assert_eq!((found_before.0, found_before.1.as_array().map(Vec::len)), (0, Some(0)), "{found_before:?}");
    server.restart();
    let views_before = state::seen_by_clients(&words);

    let mut failures: Vec<_> = TABLES.iter().flat_map(|(table, rows)| run(table, &rows(), &words)).collect();
    let mut check = |is_so: bool, problem: &str| failures.extend((!is_so).then(|| problem.to_owned()));
    check(state::seen_by_clients(&words) == views_before, "clients see something else than before");
    check(server.stop(), "the server did not live to the end");
    let found = state::found_by_fsck(&server);
    check(found == found_before, &format!("fsck found {found_before:?} before and {found:?} after"));
    assert!(failures.is_empty(), "{} failed:\n{}", failures.len(), failures.join("\n"));
}

/// Runs the rows of a table and returns what is wrong with which.
fn run(table: &str, rows: &[Row], words: &Words) -> Vec<String> {
    let failures: Vec<_> = rows
        .iter()
        .filter_map(|row| run_row(row, words).err().map(|reason| format!("{table}: {}: {reason}", row.name)))
        .collect();
    let count = format!("{table}: {} rows, {} failed\n", rows.len(), failures.len());
    // Not `eprint!`, which the test harness keeps to itself.
    std::io::stderr().write_all(count.as_bytes()).unwrap();
    failures
}

fn run_row(row: &Row, words: &Words) -> Result<(), String> {
    let mut words = words.clone();
    let session = Session::prepare(row, &mut words);
    let outcome = client::exchange(words.get("host"), &row.request.encode(&words), row.is_cut_off);
    sessions::close_opened(&outcome, &words);
    let closed = session.map_or(Ok(()), |session| session.close(row, &words));
    row.judge(&outcome).and(closed)
}
