//! The embedded stores pass the contract that every store has to pass.

use tempfile::TempDir;

fn folder() -> TempDir {
    TempDir::new().unwrap()
}

mod items {
    registry::item_store_contract!({
        let folder = super::folder();
        (std::sync::Arc::new(embedded::Items::open(folder.path()).unwrap()), folder)
    });
}

mod objects {
    registry::object_store_contract!({
        let folder = super::folder();
        (std::sync::Arc::new(embedded::Files::open(folder.path()).unwrap()), folder)
    });
}
