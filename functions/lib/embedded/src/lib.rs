//! The ports on one machine: files for objects, one database file for items.
//!
//! ```text
//! <data>/items.redb                   every item (`Items`)
//! <data>/data/<shard>/<ulid>          an object (`Files`)
//! <data>/data/<shard>/<ulid>.upload   an upload under way
//! <data>/trash/<date>/<digest>        a blob that was collected on that day
//! <data>/quarantine/<name>            what a repair took out of the way
//! ```

mod append;
mod damage;
mod direct;
mod files;
mod group_commit;
mod items;
mod quarantine;
mod read;
mod room;
mod sync;
mod trash;

pub use files::Files;
pub use items::{Items, OpenError};
pub use trash::Emptied;
