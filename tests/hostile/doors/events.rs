//! Events of the bucket that are lost or come twice.

use cloud::Delivery;

use super::{Door, blob};

#[test]
fn an_upload_whose_event_is_lost_is_taken_over_by_its_manifest_or_by_the_clock() {
    let Some(door) = Door::open("doors::lost") else { return };
    let (layer, digest) = blob("a layer that a manifest needs");
    let (lonely, lonely_digest) = blob("a layer that nobody needs");
    assert_eq!(door.put(&door.begin("app"), &digest, &layer), 201);
    assert_eq!(door.pull("app", &digest), Err(404), "nobody knows yet");
    let (status, body) = door.push_manifest("app", &digest, layer.len());
    assert_eq!(status, 201, "{body}");
    assert_eq!(door.pull("app", &digest), Ok(layer));
    assert_eq!(door.put(&door.begin("app"), &lonely_digest, &lonely), 201);
    assert_eq!(door.adopt(), 1);
    assert_eq!(door.pull("app", &lonely_digest), Ok(lonely));
    assert_eq!(door.close("blob"), 2);
}

#[test]
fn an_event_that_comes_twice_makes_one_blob_of_functions_that_remember_nothing() {
    let Some(door) = Door::open_with("doors::twice", Delivery::Twice, true) else { return };
    let (layer, digest) = blob("a layer");
    assert_eq!(door.put(&door.begin("app"), &digest, &layer), 201);
    door.wait_until("two events are handled", |cloud| cloud.function("EventsFunction").reports().len() >= 2);
    assert_eq!(door.pull("app", &digest), Ok(layer));
    assert_eq!(door.adopt(), 0);
    assert_eq!(door.close("blob"), 1);
}
