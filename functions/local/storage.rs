//! The data folder: the stores in it, and who serves it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use embedded::{Files, Items};
use registry::ports::{Abilities, SystemClock, SystemRandom};
use registry::{Lifetimes, Registry, Stores};

/// The file in which a running registry says where it listens.
const ADDRESS_FILE: &str = "address";

/// The stores of a data folder.
pub(crate) struct Storage {
    pub(crate) items: Arc<Items>,
    pub(crate) objects: Arc<Files>,
}

impl Storage {
    /// Opens the folder, which is made if it is not there.
    pub(crate) fn open(data: &Path) -> Result<Self> {
        std::fs::create_dir_all(data).with_context(|| format!("data folder {}", data.display()))?;
        let items = Items::open(data).with_context(|| format!("data folder {}", data.display()))?;
        let objects = Files::open(data).with_context(|| format!("data folder {}", data.display()))?;
        Ok(Self { items: Arc::new(items), objects: Arc::new(objects) })
    }

    /// Opens the folder if it is one of a registry; a misspelt name makes no new one.
    pub(crate) fn open_existing(data: &Path) -> Result<Self> {
        if !Items::exist(data) {
            bail!("there is no registry in {}: say where it is with --data", data.display());
        }
        Self::open(data)
    }

    /// Returns the registry on these stores.
    pub(crate) fn registry(&self) -> Registry {
        let stores = Stores {
            items: Arc::clone(&self.items) as _,
            objects: Arc::clone(&self.objects) as _,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            abilities: Abilities::default(),
        };
        Registry::new(stores, Lifetimes::default())
    }
}

/// Notes where the registry of this folder listens, so that commands find it.
pub(crate) fn note_address(data: &Path, address: SocketAddr) -> Result<()> {
    std::fs::write(data.join(ADDRESS_FILE), address.to_string()).context("data folder")
}

/// Forgets where it listened.
pub(crate) fn forget_address(data: &Path) {
    // A note that is left is only believed while the folder is in use.
    let _ = std::fs::remove_file(data.join(ADDRESS_FILE));
}

/// Returns where the registry of this folder listens, or listened last.
pub(crate) fn noted_address(data: &Path) -> Option<SocketAddr> {
    std::fs::read_to_string(data.join(ADDRESS_FILE)).ok()?.trim().parse().ok()
}
