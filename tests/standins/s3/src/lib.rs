//! An S3 for tests: one server on a loopback port, as strict as S3 where a registry's correctness rests on it.
//!
//! What it is strict about: signatures, unsigned headers, expiry and session tokens; declared lengths; checksums
//! in headers and trailers, compared before anything is visible (a checksum in a presigned query is not compared,
//! as on S3); `If-Match` and `If-None-Match` on Put, Complete and Copy; the parts of a multipart upload; the
//! checksum of a whole object on Copy.
//!
//! Versions are kept where a test asks for them. What it does not have: encryption, access rules, tags, uploads by form, reading by part number,
//! signature version 2, durability. An `ETag` is not an MD5 here, which S3 does not promise either.
//! `DeleteObjects` must have a checksum, which is not compared. Objects live in temporary files; bodies stream.
//!
//! Known differences: a `Range` that cannot be parsed is refused (S3 ignores it); the `ETag` in
//! `GetObjectAttributes` has quotes (on S3 it has none); a lost race of `If-None-Match` is 412,
//! and 409 only where a test plans [`Fault::Conflict`].
//!
//! Tests can plan [`Fault`]s, count [`Calls`] and receive an [`ObjectCreated`] per object.

mod calls;
mod checksums;
mod conditions;
mod content;
mod copies;
mod declared;
mod events;
mod faults;
mod gate;
mod guard;
mod hashing;
mod listing;
mod multipart;
mod objects;
mod server;
mod service;
mod store;
mod versions;

pub use calls::Calls;
pub use events::{Delivery, ObjectCreated};
pub use faults::{Fault, Faults};
pub use server::{Options, S3Standin};
