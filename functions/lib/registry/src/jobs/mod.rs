//! Work that nobody waits for.

pub mod expiry;
pub mod fsck;
pub mod garbage_collection;
pub mod repair;
