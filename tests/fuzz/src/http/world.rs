//! A registry on stores in memory, the same for every conversation.

use std::sync::Arc;

use registry::http::Service;
use registry::jobs::fsck::{Severity, fsck};
use registry::ports::Abilities;
use registry::testing::{MemoryItems, MemoryObjects, SeededRandom, SetClock};
use registry::{Lifetimes, Registry, Stores};

use super::{answer, request};

/// A registry, and where the client's last answer led.
pub(super) struct World {
    items: Arc<MemoryItems>,
    objects: Arc<MemoryObjects>,
    service: Service,
    location: String,
}

impl World {
    /// Returns an empty registry.
    pub(super) fn new() -> Self {
        let (items, objects) = (Arc::new(MemoryItems::default()), Arc::new(MemoryObjects::default()));
        let stores = Stores {
            items: Arc::clone(&items) as _,
            objects: Arc::clone(&objects) as _,
            clock: Arc::new(SetClock::default()),
            random: Arc::new(SeededRandom::new(1)),
            abilities: Abilities::default(),
        };
        let service = Service::new(Registry::new(stores, Lifetimes::default()));
        Self { items, objects, service, location: "/v2/".to_owned() }
    }

    /// Sends the requests, checks the answers and returns their statuses.
    pub(super) async fn play(&mut self, conversation: &[u8], requests_max: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for text in request::split(conversation).into_iter().take(requests_max) {
            let Some(request) = request::parse(text, &self.location) else { continue };
            let method = request.method().clone();
            let response = self.service.handle(request).await;
            statuses.push(response.status().as_u16());
            if let Some(location) = answer::check(&method, response).await {
                self.location = location;
            }
        }
        statuses
    }

    /// Checks every promise that can be seen from storage.
    pub(super) async fn check_storage(&self) {
        let report = fsck(&*self.items, &*self.objects, true).await.unwrap();
        let broken: Vec<_> =
            report.findings.iter().filter(|finding| finding.severity == Severity::Broken).collect();
        assert!(broken.is_empty(), "{broken:#?}");
    }
}
