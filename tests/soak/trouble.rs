//! How a request can go wrong.

use crate::client::Reply;

/// Why an operation did not succeed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No answer came: nobody knows whether it happened.
    Cut(reqwest::Error),
    /// The push took longer than blobs are kept for it.
    Late,
    /// An answer that no client should get.
    Wrong(String),
}

impl From<reqwest::Error> for Trouble {
    fn from(error: reqwest::Error) -> Self {
        Self::Cut(error)
    }
}

impl Reply {
    /// Refuses every answer but these.
    pub(crate) fn expect(self, statuses: &[u16]) -> Result<Self, Trouble> {
        match statuses.contains(&self.status) {
            true => Ok(self),
            false => Err(Trouble::Wrong(self.to_string())),
        }
    }
}
