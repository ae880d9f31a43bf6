//! The registry behind the proxy.

use reqwest::Client;
use reqwest::redirect::Policy;

use crate::message::{Reply, Request};

/// Headers that belong to one connection.
const HOP_BY_HOP: [&str; 5] = ["connection", "content-length", "expect", "host", "transfer-encoding"];

pub(crate) struct Upstream {
    pub(crate) base: String,
    client: Client,
}

impl Upstream {
    /// Keeps no connection: all proxies are one address to the server, which lets that have so many.
    pub(crate) fn new(base: String) -> Self {
        let client = Client::builder().redirect(Policy::none()).no_proxy().pool_max_idle_per_host(0);
        Self { base, client: client.build().unwrap() }
    }

    pub(crate) async fn forward(&self, request: &Request) -> Reply {
        let url = format!("{}{}", self.base, request.target());
        let mut headers = request.headers.clone();
        HOP_BY_HOP.iter().for_each(|name| drop(headers.remove(*name)));
        let call = self.client.request(request.method.clone(), url).headers(headers);
        let response = call.body(request.body.clone()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, body: response.bytes().await.unwrap() }
    }
}
