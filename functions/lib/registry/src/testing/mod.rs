//! In-memory stores, stores that fail on demand, and the suite that every store has to pass.

mod clock;
mod contract;
mod hooked;
#[doc(hidden)]
pub mod items_contract;
mod memory_items;
mod memory_objects;
#[doc(hidden)]
pub mod objects_contract;

pub use clock::{SeededRandom, SetClock};
pub use contract::{item_store_contract, object_store_contract, shared_object_store_contract};
pub use hooked::{Call, Hook, Hooked, Outcome};
pub use memory_items::MemoryItems;
pub use memory_objects::MemoryObjects;
