//! A layer of 1 GiB. It takes minutes and many gigabytes for the copies of a client, so that usually each lane has one.

use super::{
    CONTAINERD, DOCKER, OCI_CLIENT, ORAS, PODMAN, Row, SKOPEO, WAYS, Way, assert_bytes_went_their_way,
    assert_nothing_is_broken, pushes_one, start,
};
use crate::containers::Containers;
use crate::contract::Client;
use crate::ctr::Containerd;
use crate::docker::Docker;
use crate::images::HUGE;
use crate::oci_client::OciClient;
use crate::oras::Oras;
use crate::podman::Podman;
use crate::skopeo::Skopeo;

/// `all`: every client pushes it by every way.
const WANTED: &str = "SLIPWAY_HUGE";

/// One after the other, so that the disk holds the copies of one client only.
#[test]
fn a_layer_of_one_gibibyte_goes_as_the_table_says() {
    goes::<Containerd>("cloud::huge::containerd", CONTAINERD, &[Way::Edge]);
    goes::<Skopeo>("cloud::huge::skopeo", SKOPEO, &[Way::EdgeAndRelay]);
    goes::<OciClient>("cloud::huge::oci_client", OCI_CLIENT, &[Way::Api]);
    goes::<Oras>("cloud::huge::oras", ORAS, &[]);
    goes::<Containers<Podman>>("cloud::huge::podman", PODMAN, &[]);
    goes::<Docker>("cloud::huge::docker", DOCKER, &[]);
}

/// Pushes it by these ways, or by all.
fn goes<C: Client>(test: &str, row: Row, usual: &[Way]) {
    let wants_all = std::env::var(WANTED).is_ok_and(|wanted| wanted == "all");
    let ways = if wants_all { &WAYS } else { usual };
    if ways.is_empty() {
        return;
    }
    let Some(mut client) = C::start(test) else { return };
    let loaded = client.load(HUGE.0);
    for way in ways {
        let Some(cloud) = start(test, *way) else { return };
        let begun = std::time::Instant::now();
        pushes_one(&client, &cloud, (row, *way), HUGE, &loaded);
        println!("{test} by {way:?}: {} s", begun.elapsed().as_secs());
        assert_bytes_went_their_way(&cloud, row.1, *way, &[HUGE.1]);
        assert_nothing_is_broken(&cloud);
    }
}
