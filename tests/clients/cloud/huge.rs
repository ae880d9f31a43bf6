//! A layer of 1 GiB, by the clients whose way to the registry it tells most about.

use super::{Way, start};
use crate::contract::Client;
use crate::ctr::Containerd;
use crate::images::HUGE;
use crate::oras::Oras;
use crate::skopeo::Skopeo;

/// Who pushes it: the other clients would need minutes and many gigabytes for their own copies.
pub(super) const PUSHED: [(&str, Way); 3] = [
    ("containerd (`ctr`)", Way::Edge),
    ("oras (Python)", Way::Edge),
    ("skopeo, from an OCI layout", Way::EdgeAndRelay),
];

/// One after the other, so that the disk holds the copies of one client only.
#[test]
fn a_layer_of_one_gibibyte_is_pushed_and_pulled() {
    goes_through::<Containerd>("cloud::huge::containerd", PUSHED[0].1);
    goes_through::<Oras>("cloud::huge::oras", PUSHED[1].1);
    goes_through::<Skopeo>("cloud::huge::skopeo", PUSHED[2].1);
}

fn goes_through<C: Client>(test: &str, way: Way) {
    let Some(mut client) = C::start(test) else { return };
    let Some(cloud) = start(test, way) else { return };
    let loaded = client.load(HUGE.0);
    let reference = format!("{}/sizes/huge:1", cloud.address());
    client.push(HUGE.0, &reference).unwrap();
    assert_eq!(client.pull(&reference).unwrap(), loaded, "{test}");
    let bytes = cloud.function("ApiWriteFunction").bytes().request;
    assert!(bytes < 100_000, "{test}: {bytes} bytes of a layer passed the functions");
}
