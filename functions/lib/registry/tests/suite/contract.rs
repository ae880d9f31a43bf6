//! The in-memory stores pass the contract that every store has to pass.

mod items {
    registry::item_store_contract!((std::sync::Arc::new(registry::testing::MemoryItems::default()), ()));
}

mod objects {
    registry::object_store_contract!((std::sync::Arc::new(registry::testing::MemoryObjects::default()), ()));
    registry::shared_object_store_contract!((
        std::sync::Arc::new(registry::testing::MemoryObjects::default()),
        ()
    ));
}
