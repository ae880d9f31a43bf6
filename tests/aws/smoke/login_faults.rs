//! Faults of the accounts, and of what stands before them.

use crate::checks::TOKEN;
use crate::fault::Fault;
use crate::message::Request;
use crate::rows::Row;

pub(crate) const ROWS: &[Row] = &[Row {
    arguments: &["--user", "admin"],
    ..Row::essential("a token is empty", TOKEN, || {
        Fault::after(|request, reply| {
            if request.path == "/token" && is_stranger(request) {
                reply.body = r#"{"token":""}"#.into();
            }
        })
        .asking()
    })
}];

pub(crate) fn renamed_challenge() -> Fault {
    Fault::after(|_, reply| {
        if let Some(challenge) = reply.headers.remove("www-authenticate") {
            reply.headers.insert("x-amzn-remapped-www-authenticate", challenge);
        }
    })
}

fn is_stranger(request: &Request) -> bool {
    !request.headers.contains_key("authorization")
}
