//! What is not one fault of the deployed registry.

use cloud::Changes;

use super::direct::by_capability;
use super::gateway::counted;
use super::{ADMINISTRATOR, Deployed, smoke};
use crate::checks::{BLOB_HEAD, HEAD_ELSEWHERE, LARGE, SLOW};
use crate::run::Run;

/// A story and its name.
pub(crate) type Story = (&'static str, fn(&Deployed));

pub(crate) const STORIES: &[Story] = &[
    ("everything holds where layers are signed for S3", signed_uploads_are_sound),
    ("everything holds where layers go by capabilities", capabilities_are_sound),
    ("everything holds where HEADs are counted and the stack knows it", counted_heads_are_sound),
    ("everything holds where viewer-response sees what the edge made", either_request_is_sound),
];

fn signed_uploads_are_sound(deployed: &Deployed) {
    let Some(cloud) = deployed.cloud() else { return };
    assert_sound(&smoke(cloud, &Changes::default(), ADMINISTRATOR));
}

fn capabilities_are_sound(deployed: &Deployed) {
    let Some(cloud) = deployed.cloud() else { return };
    assert_sound(&smoke(cloud, &by_capability(cloud), ADMINISTRATOR));
}

fn counted_heads_are_sound(deployed: &Deployed) {
    let Some(cloud) = deployed.cloud() else { return };
    let run = smoke(cloud, &counted(cloud), ADMINISTRATOR);
    assert_sound(&run);
    for (check, end) in
        [(BLOB_HEAD, "200, Content-Length: 1500"), (HEAD_ELSEWHERE, "200, Content-Length: 1600")]
    {
        let fact = run.fact(check);
        assert!(fact.starts_with("holds: 307 with ") && fact.ends_with(end), "{fact}");
    }
}

/// The documentation leaves open which request it is.
fn either_request_is_sound(deployed: &Deployed) {
    let Some(cloud) = deployed.cloud() else { return };
    let changes = Changes { edge_flags: vec!["--response-sees=modified"], ..Changes::default() };
    assert_sound(&smoke(cloud, &changes, ADMINISTRATOR));
}

fn assert_sound(run: &Run) {
    assert_eq!(run.names("does not hold"), Vec::<String>::new(), "{}{}", run.stdout, run.stderr);
    assert_eq!(run.names("not checked"), [LARGE, SLOW]);
    assert!(run.passes);
}
