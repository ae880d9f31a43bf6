//! Real clients where API Gateway counts what a HEAD is answered, and the stack knows it (`HeadLength=content`).

use cloud::{CloudOptions, Credential, Manners};

use super::{assert_nothing_is_broken, deploy};
use crate::contract::Client;
use crate::ctr::Containerd;
use crate::docker::Docker;
use crate::images::TINY;
use crate::oras::Oras;
use crate::skopeo::Skopeo;

/// Configurations and manifests are smaller than this, layers larger.
const NO_LAYER_BYTES: u64 = 32 << 10;

fn options() -> CloudOptions {
    CloudOptions {
        has_counted_heads: true,
        manners: Manners { count_head_length: true, ..Manners::default() },
        credential: Credential::Injected,
        ..CloudOptions::default()
    }
}

/// S3 says that the layer is there, and nobody sends it a second time.
fn pushes_once_and_pulls<C: Client>(test: &str) {
    let Some(mut client) = C::start(test) else { return };
    let Some(cloud) = deploy(test, &options()) else { return };
    let (image, loaded) = (TINY.0, client.load(TINY.0));
    let [first, second] = ["1", "2"].map(|tag| format!("{}/team/app:{tag}", cloud.address()));
    client.push(image, &first).unwrap();
    let (s3, written) = (cloud.s3().calls(), cloud.function("ApiWriteFunction").bytes().request);
    s3.reset();
    client.push(image, &first).unwrap();
    client.push(image, &second).unwrap();
    assert!(s3.count("HeadObject") > 0, "nobody was sent to S3: {:?}", s3.counts());
    let sent = s3.received_bytes() + cloud.function("ApiWriteFunction").bytes().request - written;
    assert!(sent < NO_LAYER_BYTES, "{sent} bytes were sent again");
    assert_eq!(client.pull(&second).unwrap(), loaded);
    assert_nothing_is_broken(&cloud);
}

#[test]
fn containerd_pushes_once_and_pulls() {
    pushes_once_and_pulls::<Containerd>("cloud::counted::containerd");
}

#[test]
fn docker_pushes_once_and_pulls() {
    pushes_once_and_pulls::<Docker>("cloud::counted::docker");
}

#[test]
fn oras_pushes_once_and_pulls() {
    pushes_once_and_pulls::<Oras>("cloud::counted::oras");
}

#[test]
fn skopeo_pushes_once_and_pulls() {
    pushes_once_and_pulls::<Skopeo>("cloud::counted::skopeo");
}
