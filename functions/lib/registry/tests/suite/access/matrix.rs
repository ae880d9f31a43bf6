//! Every action × role × repository × reference, asked of the service.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use registry::ports::{ItemScan, ObjectScan};
use test_support::access::{Answer, Ask, Cast, all_cells, run, texts_of_stored};

use crate::client::{Client, bytes_body};
use crate::world::World;

/// A process on stores in memory.
pub(crate) struct InMemory {
    pub(crate) world: World,
    pub(crate) client: Client,
}

impl Ask for InMemory {
    async fn ask(&self, request: Request<Bytes>) -> Answer {
        let (head, body) = request.into_parts();
        let text = |value: &http::HeaderValue| value.to_str().unwrap().to_owned();
        let headers: Vec<(String, String)> =
            head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let reply = self.client.send(head.method, &head.uri.to_string(), &headers, bytes_body(body)).await;
        let mut response = Response::new(reply.body);
        *response.status_mut() = reply.status;
        *response.headers_mut() = reply.headers;
        response
    }

    fn turn(&self, by: Duration) -> bool {
        self.world.clock.advance(by);
        true
    }

    async fn stored(&self) -> Option<Vec<String>> {
        let items = self.world.items.scan(None, usize::MAX).await.unwrap();
        Some(texts_of_stored(&items, &self.world.objects.scan().await.unwrap()))
    }
}

#[tokio::test]
async fn everybody_gets_what_the_table_says_and_refusals_change_nothing() {
    let world = World::new();
    let access = world.access();
    let service = InMemory { client: Client::guarded(&access), world };
    let cast = Cast::make(&access, &service).await;
    let cells = all_cells();
    let report = run(&service, &cast, &cells).await;
    report.assert_right(cells.len());
    assert!(report.asked >= 600 && report.refused >= 300, "{report:?}");
    service.world.fsck().await;
}
