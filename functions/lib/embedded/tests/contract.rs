//! The embedded stores pass the contract that every store has to pass.

use std::sync::Arc;

use tempfile::TempDir;

fn folder() -> TempDir {
    TempDir::new().expect("a folder for the test")
}

mod items {
    registry::item_store_contract!({
        let folder = super::folder();
        (super::Arc::new(embedded::Items::open(folder.path()).expect("a new database")), folder)
    });
}

mod objects {
    registry::object_store_contract!({
        let folder = super::folder();
        (super::Arc::new(embedded::Files::open(folder.path()).expect("new folders")), folder)
    });
}
