//! Faults of the accounts, and of what stands before them.

use std::sync::atomic::{AtomicU32, Ordering};

use http::Method;

use crate::fault::Fault;
use crate::message::{Reply, Request};
use crate::rows::Row;

const ADMINISTRATOR: &[&str] = &["--user", "admin"];

pub(crate) const ROWS: &[Row] = &[
    Row::essential("the challenge is renamed", "a 401 carries its challenge", || {
        renamed_challenge().asking()
    }),
    Row::tolerable("the realm is another host", "the realm names the asked host", || {
        with_challenge(|challenge| challenge.replace("127.0.0.1", "localhost")).asking()
    }),
    Row::tolerable("one of many is throttled", "requests that come all at once are answered", || {
        let count = AtomicU32::new(0);
        Fault::before(move |request| {
            let is_one = request.query == "burst" && count.fetch_add(1, Ordering::Relaxed) == 7;
            is_one.then(|| Reply::new(503))
        })
    }),
    Row::essential("strangers get no token", "a token is given", || {
        Fault::answer(Reply::oci(401, "UNAUTHORIZED"), |request| {
            request.path == "/token" && is_stranger(request)
        })
        .asking()
    }),
    Row {
        arguments: ADMINISTRATOR,
        ..Row::essential("a token is empty", "a token is given", || {
            Fault::after(|request, reply| {
                if request.path == "/token" && is_stranger(request) {
                    reply.body = r#"{"token":""}"#.into();
                }
            })
            .asking()
        })
    },
    Row::essential("anybody may push", "a push without a login is refused", || taken(is_stranger).asking()),
    Row {
        arguments: ADMINISTRATOR,
        ..Row::essential(
            "a token opens everything",
            "a token of one repository does not open another",
            || taken(|request| request.path.contains("-other/")).asking(),
        )
    },
];

pub(crate) fn renamed_challenge() -> Fault {
    Fault::after(|_, reply| {
        if let Some(challenge) = reply.headers.remove("www-authenticate") {
            reply.headers.insert("x-amzn-remapped-www-authenticate", challenge);
        }
    })
}

fn with_challenge(change: fn(&str) -> String) -> Fault {
    Fault::after(move |_, reply| {
        if reply.status == 401 {
            let changed = change(reply.text("www-authenticate"));
            reply.set("www-authenticate", &changed);
        }
    })
}

/// Such uploads begin, though nobody lets them.
fn taken(is_let: fn(&Request) -> bool) -> Fault {
    Fault::answer(Reply::new(202).with("location", "/v2/x/blobs/uploads/1"), move |request| {
        request.is(&Method::POST, "/blobs/uploads/") && is_let(request)
    })
}

fn is_stranger(request: &Request) -> bool {
    !request.headers.contains_key("authorization")
}
