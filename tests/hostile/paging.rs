//! Garbage in `n`, `last` and `artifactType`.

use crate::row::{Row, row};

const LISTS: &[&str] = &["/v2/_catalog", "/v2/<name>/tags/list"];

const BAD_NUMBERS: &[&str] = &[
    "", "-1", "+1", "1.5", "1e3", "0x10", "abc", "%201", "1%20", "1%00", "%00", "1;drop", "%c2%b9", "%d9%a1",
    "%ff", "NaN", "null", "true", "1,2", "--1",
];

/// Numbers that are none to be afraid of: a page is as long as the registry likes.
const GOOD_NUMBERS: &[&str] =
    &["0", "00001", "1001", "4294967296", "9223372036854775808", "18446744073709551616"];

/// Where a page may start: anything is a place in the order of bytes.
const PLACES: &[&str] = &[
    "",
    "%00",
    "%ff%fe",
    "zzzz",
    "..%2f..%2f",
    "%0d%0aX-Injected:%20yes",
    "%7f",
    "*",
    "%25",
    "%3b",
    "&last2=x",
    "%f4%8f%bf%bf",
    "-1",
    "'%20OR%201=1",
];

const ARTIFACT_TYPES: &[&str] =
    &["", "%00", "%ff", "nothing", "a/b/c", "*/*", "%23", "application/x-note%23", "%0d%0aX-Injected:%20yes"];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for list in LISTS {
        let get = |query: &str| row(format!("{list}?{query}"), format!("GET {list}?{query}"));
        let refused = |query: &str| get(query).refused(400, "UNSUPPORTED");
        rows.extend(BAD_NUMBERS.iter().map(|number| refused(&format!("n={number}"))));
        rows.push(refused("n"));
        let repeated = ["n=1&n=2", "n=1&n=1", "n=1&%6e=x", "last=a&last=b"];
        rows.extend(repeated.map(|query| get(query).refused(400, "UNSUPPORTED")));
        rows.extend(GOOD_NUMBERS.iter().map(|number| get(&format!("n={number}")).answered(200)));
        rows.extend(PLACES.iter().map(|last| get(&format!("n=1&last={last}")).answered(200)));
        let long = format!("GET {list}?n=1&last={}", "z".repeat(20_000));
        rows.push(row(format!("{list} beyond 20,000 characters"), long).refused(400, "UNSUPPORTED"));
    }
    rows.extend(ARTIFACT_TYPES.iter().map(|artifact_type| {
        let query = format!("artifactType={artifact_type}");
        row(format!("referrers?{query}"), format!("GET /v2/<name>/referrers/<image>?{query}")).answered(200)
    }));
    // Escaped as in a key, it is longer than a key may be.
    let escaped = format!("GET /v2/<name>/referrers/<image>?artifactType={}", "%22".repeat(400));
    rows.push(row("an artifact type of four hundred quotation marks", escaped).answered(200));
    rows.push(
        row("two artifact types", "GET /v2/<name>/referrers/<image>?artifactType=a/b&artifactType=c/d")
            .refused(400, "UNSUPPORTED"),
    );
    rows.extend(["last=%00", "last=%ff", "last=zzz", "last=..%2f"].map(|query| {
        row(format!("referrers?{query}"), format!("GET /v2/<name>/referrers/<image>?{query}")).answered(200)
    }));
    rows
}
