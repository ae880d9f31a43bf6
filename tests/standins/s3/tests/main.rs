//! The stand-in against the real SDK and presigned URLs: what S3 does, and what it refuses.
#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod attributes;
mod checksums;
mod conditions;
mod copies;
mod events;
mod faults;
mod listings;
mod multipart;
mod objects;
mod presigned;
mod requests;
mod support;
mod versions;
