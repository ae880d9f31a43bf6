//! Whatever the registry can be asked is in the table: a new action does not compile here without a name.

use std::collections::BTreeSet;

use oci::Endpoint;
use registry::http::{Action, DeleteAction, PullAction, PushAction};

use super::TRIED;
use super::operations::{Operation, Things};
use crate::world::World;

macro_rules! actions {
    ($($action:pat => $name:literal,)*) => {
        fn name(action: &Action) -> &'static str {
            match action {
                $($action => $name,)*
            }
        }

        const ACTIONS: &[&str] = &[$($name),*];
    };
}

actions! {
    Action::Ping => "ping",
    Action::CatalogList => "catalog list",
    Action::Pull(_, PullAction::ManifestGet(_)) => "manifest get",
    Action::Pull(_, PullAction::BlobGet(_)) => "blob get",
    Action::Pull(_, PullAction::TagList) => "tag list",
    Action::Pull(_, PullAction::ReferrerList(_)) => "referrer list",
    Action::Push(_, PushAction::ManifestPut(_)) => "manifest put",
    Action::Push(_, PushAction::UploadBegin) => "upload begin",
    Action::Push(_, PushAction::UploadStatus(_)) => "upload status",
    Action::Push(_, PushAction::UploadAppend(_)) => "upload append",
    Action::Push(_, PushAction::UploadFinish(_)) => "upload finish",
    Action::Push(_, PushAction::UploadCancel(_)) => "upload cancel",
    Action::Delete(_, DeleteAction::Manifest(_)) => "manifest delete",
    Action::Delete(_, DeleteAction::Blob(_)) => "blob delete",
}

/// Returns what the operation asks of the registry.
async fn action_of(operation: Operation, things: &Things) -> &'static str {
    let world = World::new();
    let location = operation.prepare(&world, things).await;
    let client = world.client();
    operation.run(&client, things, &location).await;
    let (method, path) = client.asked_last();
    name(&Action::of(&method, Endpoint::parse(&path).unwrap()).unwrap())
}

#[tokio::test]
async fn every_action_of_the_registry_is_in_the_table() {
    let (things, mut tried) = (Things::new(), BTreeSet::new());
    for operation in TRIED {
        tried.insert(action_of(*operation, &things).await);
    }
    assert_eq!(tried, ACTIONS.iter().copied().collect());
}
