//! Faults of API Gateway: its routes, its mappings, its manners.

use cloud::{Changes, Manners};

use super::Row;
use crate::checks::{
    BLOB_HEAD, CANCELLED, CHALLENGE, CHUNKED_LARGE, DELETED, GET, MANIFEST_HEAD, PART, PUSH, UNTYPED,
};

pub(crate) const ROWS: &[Row] = &[
    Row {
        arguments: &[],
        ..Row::essential("the template maps no challenge", &[CHALLENGE], |_| Changes {
            routes: Some(|routes| routes.iter_mut().for_each(|route| route.response_headers.clear())),
            ..Changes::default()
        })
    },
    Row {
        arguments: &[],
        ..Row::essential("the challenge is renamed after its mapping", &[CHALLENGE], |_| {
            mannered(Manners { rename_challenge_despite_mapping: true, ..Manners::default() })
        })
    },
    Row::essential("a HEAD has length 0", &[MANIFEST_HEAD, BLOB_HEAD], |_| {
        mannered(Manners { head_length_zero: true, ..Manners::default() })
    }),
    Row::essential("Location loses its query", &[PUSH, GET, PART], |_| {
        mannered(Manners { mangle_location: true, ..Manners::default() })
    }),
    Row::essential("untyped bytes are taken for text", &[UNTYPED, CHUNKED_LARGE], |_| Changes {
        leaves_relay_out: true,
        ..mannered(Manners { untyped_as_text: true, ..Manners::default() })
    }),
    Row::tolerable("the template has no route for DELETE", &[CANCELLED, DELETED], |_| Changes {
        routes: Some(|routes| routes.retain(|route| route.method != "DELETE")),
        ..Changes::default()
    }),
];

fn mannered(manners: Manners) -> Changes {
    Changes { manners, ..Changes::default() }
}
