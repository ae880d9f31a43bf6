//! Every storage call of an adoption fails in every way: the event comes again, or the manifest does without it.

use oci::UploadId;

use crate::client::{Client, manifest};
use crate::content::Image;
use crate::probe::Fault;
use crate::world::World;

/// What is asked when the fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// The event of the layer.
    Event,
    /// The event of a layer whose blob another repository has.
    EventOfKnownBlob,
    /// The manifest, which takes over config and layer.
    Manifest,
    /// The manifest, while there is a session of which nothing has arrived.
    ManifestBesideSession,
}

/// What follows when it was answered with an error.
#[derive(Clone, Copy, Debug)]
enum Then {
    /// It is asked again.
    Again,
    /// The client goes on, and no event comes any more.
    Manifest,
}

impl Then {
    const ALL: [Self; 2] = [Self::Again, Self::Manifest];
}

/// A world in which config and layer have arrived.
struct Case {
    world: World,
    image: Image,
    layer: UploadId,
    asked: Asked,
    /// Whether days went by meanwhile, so that what had arrived may be gone.
    is_late: bool,
}

impl Case {
    async fn new(asked: Asked) -> Self {
        let (world, image) = (World::direct(), Image::named("app"));
        let client = world.client().by_edge();
        if asked == Asked::EventOfKnownBlob {
            client.push_blob("other", &image.layer).await.expect(201);
        }
        if asked == Asked::ManifestBesideSession {
            client.begin("app").await;
        }
        world.send_direct(&client, "app", &image.config).await;
        let layer = world.send_direct(&client, "app", &image.layer).await;
        world.probe.reset();
        Self { world, image, layer, asked, is_late: false }
    }

    /// Returns such a world, whose call with this number fails.
    async fn failing(asked: Asked, at: usize, fault: Fault) -> Self {
        let case = Self::new(asked).await;
        case.world.probe.plan(at, fault);
        Self { is_late: fault == Fault::Delayed, ..case }
    }

    /// Asks; returns whether it was answered as if there had been no fault.
    async fn ask(&self, client: &Client) -> bool {
        match self.asked {
            Asked::Event | Asked::EventOfKnownBlob => client.adopt(&self.layer).await.is_ok(),
            Asked::Manifest | Asked::ManifestBesideSession => {
                let reply = client.put_manifest("app", "v1", &self.image.manifest).await;
                let status = reply.status.as_u16();
                assert!(matches!(status, 201 | 429 | 503) || self.is_late && status == 400, "{reply:#?}");
                status == 201
            }
        }
    }

    /// Puts the manifest; a client that is told of missing blobs days later sends them again.
    async fn put_manifest(&self, client: &Client) {
        let Image { config, layer, manifest } = &self.image;
        if client.put_manifest("app", "v1", manifest).await.status.as_u16() == 201 {
            return;
        }
        assert!(self.is_late, "what has arrived is missing");
        let sender = client.clone().by_edge();
        for content in [config, layer] {
            self.world.send_direct(&sender, "app", content).await;
        }
        client.put_manifest("app", "v1", manifest).await.expect(201);
    }

    /// Fails unless the image is there in the end, and every byte is stored once.
    async fn assert_made_good(&self) {
        let (world, image) = (&self.world, &self.image);
        let client = world.client();
        self.put_manifest(&client).await;
        if self.is_late {
            world.collect_for(10 * 24).await;
        }
        assert_eq!(client.get(&manifest("app", "v1")).await.expect(200).body, image.manifest.bytes);
        for content in [&image.config, &image.layer] {
            assert_eq!(world.read_blob(&client, "app", &content.digest).await, content.bytes);
        }
        let stored = world.stored().await;
        let open = stored.get("open_upload").copied().unwrap_or(0);
        // After days it has expired.
        let is_open = self.asked == Asked::ManifestBesideSession && !self.is_late;
        assert_eq!((stored["blob"], stored["manifest"], open), (2, 1, u64::from(is_open)));
        world.fsck().await;
    }
}

async fn calls(asked: Asked) -> usize {
    let case = Case::new(asked).await;
    assert!(case.ask(&case.world.client()).await);
    let calls = case.world.probe.calls().len();
    case.assert_made_good().await;
    calls
}

async fn assert_any_fault_is_made_good(asked: Asked) {
    let calls = calls(asked).await;
    let cases = calls * Fault::ALL.len() * Then::ALL.len();
    println!("{asked:?}: {cases} cases of call x fault x what follows");
    for at in 0..calls {
        for fault in Fault::ALL {
            for then in Then::ALL {
                // Shown when the test fails: the last one is the culprit.
                println!("{asked:?}, {fault:?} at call {at} of {calls}, then {then:?}");
                let case = Case::failing(asked, at, fault).await;
                let is_done = case.ask(&case.world.client()).await;
                case.world.probe.reset();
                case.world.fsck().await;
                if let (false, Then::Again) = (is_done, then) {
                    assert!(case.ask(&case.world.client()).await || case.is_late);
                    case.world.fsck().await;
                }
                case.assert_made_good().await;
            }
        }
    }
}

#[tokio::test]
async fn adoption_by_event() {
    assert_any_fault_is_made_good(Asked::Event).await;
}

#[tokio::test]
async fn adoption_of_known_blob() {
    assert_any_fault_is_made_good(Asked::EventOfKnownBlob).await;
}

#[tokio::test]
async fn adoption_by_manifest() {
    assert_any_fault_is_made_good(Asked::Manifest).await;
}

#[tokio::test]
async fn adoption_by_manifest_beside_a_session_of_which_nothing_has_arrived() {
    assert_any_fault_is_made_good(Asked::ManifestBesideSession).await;
}
