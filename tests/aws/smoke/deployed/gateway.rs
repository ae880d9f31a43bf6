//! Faults of API Gateway: its routes, its mappings, its manners.

use cloud::{Changes, Cloud, Manners};

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
    Row::essential("the length of a HEAD is counted", &[MANIFEST_HEAD, BLOB_HEAD], |_| {
        mannered(Manners { count_head_length: true, ..Manners::default() })
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

/// A gateway that counts what a HEAD is answered, and `HeadLength=content`.
pub(crate) fn counted(cloud: &Cloud) -> Changes {
    let name = "ApiReadFunction";
    let function = cloud.redeployed(name, &[("HeadLength", "content")]).unwrap();
    let manners = Manners { count_head_length: true, ..Manners::default() };
    Changes { functions: [(name, function)].into(), ..mannered(manners) }
}

fn mannered(manners: Manners) -> Changes {
    Changes { manners, ..Changes::default() }
}
