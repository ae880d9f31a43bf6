//! The Rust crate `oci-client`: credentials with each call.

use std::fs;

use oci_client::Client;
use oci_client::client::{ClientConfig, ClientProtocol, Config, ImageLayer};
use oci_client::manifest::IMAGE_LAYER_MEDIA_TYPE;
use oci_client::secrets::RegistryAuth;
use tokio::runtime::{Builder, Runtime};

use super::IMAGE;
use crate::accounts::story::Account;
use crate::images::{layers, layout_of};
use crate::tool::Failure;

/// The crate with a runtime.
pub(in crate::accounts) struct OciClientAuth {
    runtime: Runtime,
    auth: RegistryAuth,
}

impl OciClientAuth {
    /// A new one knows no token.
    fn client() -> Client {
        Client::new(ClientConfig { protocol: ClientProtocol::Http, ..ClientConfig::default() })
    }
}

impl Account for OciClientAuth {
    const NAME: &str = "oci-client (Rust)";
    const LOGIN: &str = "name and secret with each call";

    fn start(_test: &str) -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        Some(Self { runtime, auth: RegistryAuth::Anonymous })
    }

    fn log_in(&mut self, _host: &str, user: &str, secret: &str) -> Result<(), Failure> {
        self.auth = RegistryAuth::Basic(user.to_owned(), secret.to_owned());
        Ok(())
    }

    fn log_out(&mut self, _host: &str) {
        self.auth = RegistryAuth::Anonymous;
    }

    fn push(&self, reference: &str) -> Result<(), Failure> {
        let layer = fs::read(layout_of(IMAGE).blob(&layers(IMAGE)[0])).unwrap();
        let layers = [ImageLayer::oci_v1(layer, None)];
        let config = Config::oci_v1(b"{}".to_vec(), None);
        let reference = reference.parse().unwrap();
        let client = Self::client();
        let pushed = self.runtime.block_on(client.push(&reference, &layers, config, &self.auth, None));
        pushed.map(drop).map_err(|error| Failure(error.to_string()))
    }

    fn pull(&self, reference: &str) -> Result<(), Failure> {
        let client = Self::client();
        let reference = reference.parse().unwrap();
        let pull = client.pull(&reference, &self.auth, vec![IMAGE_LAYER_MEDIA_TYPE]);
        self.runtime.block_on(pull).map(drop).map_err(|error| Failure(error.to_string()))
    }
}
