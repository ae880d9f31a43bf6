//! Keys and values of the size and shape that the registry stores.

use std::fmt::Write;

use slipway_bench::noise::mix;

use crate::engine::Transact;

const REPOSITORIES: u64 = 1000;
const VALUE_BYTES: usize = 300;

/// Items in one transaction.
pub(crate) const ITEMS_PER_TRANSACT: u64 = 3;

/// Returns the key of item `number`: a repository and a digest, so keys arrive in no order.
pub(crate) fn key(number: u64) -> Vec<u8> {
    let repository = number % REPOSITORIES;
    format!("repository/team/app-{repository:04}\0manifest#sha256:{}", digest(number)).into_bytes()
}

/// Returns the start of a repository's keys.
pub(crate) fn repository_start(number: u64) -> Vec<u8> {
    format!("repository/team/app-{:04}\0", number % REPOSITORIES).into_bytes()
}

/// Returns the transaction that puts the items from `first` on if `must_exist` is there.
pub(crate) fn transact(must_exist: u64, first: u64) -> Transact {
    let puts = (first..first + ITEMS_PER_TRANSACT).map(|number| (key(number), value(number)));
    Transact { must_exist: Some(key(must_exist)), puts: puts.collect() }
}

fn value(number: u64) -> Vec<u8> {
    let mut text = format!("application/vnd.oci.image.manifest.v1+json {number} sha256:{} ", digest(!number));
    while text.len() < VALUE_BYTES {
        let _ = write!(text, "{:016x}", mix(number ^ text.len() as u64));
    }
    text.truncate(VALUE_BYTES);
    text.into_bytes()
}

fn digest(number: u64) -> String {
    (0..4).fold(String::new(), |text, part| {
        format!("{text}{:016x}", mix(number.rotate_left(part * 16) ^ u64::from(part)))
    })
}
