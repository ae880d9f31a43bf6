//! The adapters pass the contract that every store has to pass.

mod items {
    use crate::world::World;

    registry::item_store_contract!({
        let world = World::new().await;
        (std::sync::Arc::clone(&world.items), world)
    });
}

mod objects {
    use crate::world::World;

    registry::object_store_contract!({
        let world = World::new().await;
        (std::sync::Arc::clone(&world.objects), world)
    });
    registry::shared_object_store_contract!({
        let world = World::new().await;
        (std::sync::Arc::clone(&world.objects), world)
    });
}
