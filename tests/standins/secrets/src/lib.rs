//! A Secrets Manager for tests: one secret, read by the real clients over HTTP, and rotated by the test.
//!
//! It knows `GetSecretValue` by stage, and answers everything else with an error. Signatures are not checked: whoever
//! asks gets the secret. Not simulated either: versions by their id, permissions, secrets that are to be deleted.

mod front;
mod values;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use values::Values;

/// The name of the only secret, which CloudFormation's emulators give for the `Ref` of the template's.
pub const SECRET_NAME: &str = "RegistrySecret";

/// A running Secrets Manager; it ends when dropped.
pub struct SecretsStandin {
    address: SocketAddr,
    values: Arc<Values>,
    listening: JoinHandle<()>,
}

impl SecretsStandin {
    /// Starts with this value of the secret; port 0 takes a free one.
    pub async fn start(address: SocketAddr, secret: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let values = Arc::new(Values::new(secret));
        let listening = tokio::spawn(front::listen(listener, values.clone()));
        Ok(Self { address, values, listening })
    }

    /// Returns the URL for the client's `endpoint_url`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Gives the secret a new value; the one before stays readable as `AWSPREVIOUS`.
    pub fn rotate(&self, secret: &str) {
        self.values.rotate(secret);
    }

    /// Returns how often a value was given out.
    pub fn reads(&self) -> u64 {
        self.values.reads()
    }
}

impl Drop for SecretsStandin {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
