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
    pub(crate) fn new(base: String) -> Self {
        Self { base, client: Client::builder().redirect(Policy::none()).no_proxy().build().unwrap() }
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
