//! Real clients against a running server: what a client pushes comes back the same, whatever happens meanwhile.
//!
//! `contract` holds what every client must be able to do; each client's module says how it is asked to.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod containers;
mod contract;
mod images;
mod page;
mod registry;
mod tool;

mod accounts;
mod buildah;
mod cloud;
mod ctr;
mod docker;
mod http;
mod oci_client;
mod oras;
mod podman;
mod skopeo;
