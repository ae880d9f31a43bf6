//! The engine behind the front: `dynoxide`, in memory, on a loopback port of its own.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use dynoxide::{Database, ImportOptions, types::Item};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{Request, Uri};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::net::TcpListener;

use crate::answer::Answer;

pub(crate) struct Engine {
    database: Database,
    url: Uri,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Engine {
    /// Starts an empty database in the current runtime.
    ///
    /// Its HTTP server and not its functions, because only the server checks requests as AWS does.
    pub(crate) async fn start() -> Self {
        let database = Database::memory().expect("an empty database opens");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a listener has an address");
        tokio::spawn(dynoxide::server::serve_on(listener, database.clone()));
        Self { database, url: url_of(address), client: client() }
    }

    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    /// Applies a request and returns the engine's answer.
    pub(crate) async fn answer(&self, mut request: Request<Bytes>) -> Answer {
        *request.uri_mut() = self.url.clone();
        for header in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            request.headers_mut().remove(header);
        }
        let answer = self.client.request(request.map(Full::new)).await.expect("the engine answers");
        let (head, body) = answer.into_parts();
        let body = body.collect().await.expect("the engine answers to the end");
        Answer::from_parts(head, body.to_bytes())
    }

    /// Creates a table with the keys `pk` and `sk`.
    pub(crate) fn create_table(&self, name: &str) {
        // Without its stream: the engine reads all records of a stream before it adds one.
        let request = json!({
            "TableName": name,
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "sk", "AttributeType": "S" },
            ],
            "KeySchema": [
                { "AttributeName": "pk", "KeyType": "HASH" },
                { "AttributeName": "sk", "KeyType": "RANGE" },
            ],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let request = serde_json::from_value(request).expect("the request is well formed");
        self.database.create_table(request).expect("the table can be created");
    }

    /// Fills a table; what is in it already stays.
    pub(crate) fn fill(&self, table: &str, items: Vec<Item>) {
        let filled = self.database.import_items(table, items, ImportOptions::default());
        filled.expect("the items fit into the table");
    }

    /// Returns every item of a table.
    pub(crate) fn items(&self, table: &str) -> Vec<Item> {
        let (mut items, mut start) = (Vec::new(), None);
        loop {
            let request = json!({ "TableName": table, "ExclusiveStartKey": start });
            let request = serde_json::from_value(request).expect("the request is well formed");
            let page = self.database.scan(request).expect("the table is there");
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() {
                return items;
            }
        }
    }
}

fn url_of(address: SocketAddr) -> Uri {
    format!("http://{address}/").parse().expect("an address makes a URL")
}

fn client() -> Client<HttpConnector, Full<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}
