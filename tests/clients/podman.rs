//! podman.

use crate::containers::{Containers, Program};
use crate::contract::client_tests;

client_tests! { Containers<Podman>:
    pushes_and_pulls_back_the_same_image,
    sends_no_layer_that_is_already_there,
    mounts_layers_into_another_repository,
    pushes_an_index_and_pulls_back_each_platform,
    an_artifact_refers_to_what_was_pushed,
    finds_nothing_where_a_tag_or_a_manifest_was_deleted,
    finishes_a_push_that_a_kill_interrupted,
    finishes_a_push_that_a_shutdown_interrupted,
}

pub(crate) struct Podman;

impl Program for Podman {
    const NAME: &str = "podman";
    const OPTIONS: &[&str] = &["--cgroup-manager", "cgroupfs"];
}
