//! Identity tokens of an issuer on this machine: checked by [`identities::Issuers`], and used to log in and push.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod asking;
mod documents;
mod issuer;
mod login;
mod replies;
mod rotation;
mod rules;
mod signer;
mod tokens;
mod world;
