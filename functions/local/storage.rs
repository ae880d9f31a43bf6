//! The data folder: the stores in it.

use std::fs::DirBuilder;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use embedded::{Files, Items};
use registry::access::{Access, AccessOptions, KeyRing};
use registry::ports::{Abilities, SystemClock, SystemRandom};
use registry::{Lifetimes, Registry, Stores};

/// The stores of a data folder.
pub(crate) struct Storage {
    pub(crate) items: Arc<Items>,
    pub(crate) objects: Arc<Files>,
    lifetimes: Lifetimes,
}

impl Storage {
    /// Opens the folder, which is made, for its owner alone, if it is not there.
    pub(crate) fn open(data: &Path) -> Result<Self> {
        check_is_folder(data)?;
        // Who reads the folder reads every image, and what passwords are checked against.
        let folder = DirBuilder::new().recursive(true).mode(0o700).create(data);
        folder.with_context(|| format!("data folder {}", data.display()))?;
        let items = Items::open(data).with_context(|| format!("data folder {}", data.display()))?;
        let objects = Files::open(data).with_context(|| format!("data folder {}", data.display()))?;
        if is_for_all(data) && is_for_all(&data.join("data")) {
            let folder = data.display();
            tracing::warn!("everybody on this machine can read the images in {folder}: chmod 700 {folder}");
        }
        Ok(Self { items: Arc::new(items), objects: Arc::new(objects), lifetimes: Lifetimes::default() })
    }

    /// Opens the folder if it is one of a registry; a misspelt name makes no new one.
    pub(crate) fn open_existing(data: &Path) -> Result<Self> {
        check_is_there(data)?;
        Self::open(data)
    }

    /// Opens the same after a look at every page of its database.
    pub(crate) fn open_checked(data: &Path) -> Result<Self> {
        check_is_there(data)?;
        Items::check(data).with_context(|| format!("data folder {}", data.display()))?;
        Self::open(data)
    }

    /// Returns the same, where things last so long.
    pub(crate) fn lasting(self, lifetimes: Lifetimes) -> Self {
        Self { lifetimes, ..self }
    }

    /// Returns the registry on these stores.
    pub(crate) fn registry(&self) -> Registry {
        let stores = Stores {
            items: Arc::clone(&self.items) as _,
            objects: Arc::clone(&self.objects) as _,
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            abilities: Abilities { trash: Some(Arc::clone(&self.objects) as _), ..Abilities::default() },
        };
        Registry::new(stores, self.lifetimes)
    }

    /// Returns the accounts for whoever holds the folder: nobody is asked who they are, and no tokens are made.
    pub(crate) fn operator_access(&self) -> Result<Access> {
        let mut nobodys = [0; 32];
        getrandom::fill(&mut nobodys)?;
        let keys = KeyRing::new("operator", &nobodys, &[]);
        Ok(Access::new(self.registry(), keys, AccessOptions::default(), None).for_operator())
    }
}

/// Returns whether everybody may look into the folder. One that cannot be asked about will not open either.
fn is_for_all(folder: &Path) -> bool {
    std::fs::metadata(folder).is_ok_and(|metadata| metadata.permissions().mode() & 0o005 != 0)
}

fn check_is_there(data: &Path) -> Result<()> {
    check_is_folder(data)?;
    if !Items::exist(data).with_context(|| format!("data folder {}", data.display()))? {
        bail!("there is no registry in {}: say where it is with --data", data.display());
    }
    Ok(())
}

/// What cannot be seen here is told by whoever opens it.
fn check_is_folder(data: &Path) -> Result<()> {
    match std::fs::metadata(data) {
        Ok(metadata) if !metadata.is_dir() => {
            bail!("{} is not a folder: --data is the folder with everything in it", data.display())
        }
        _ => Ok(()),
    }
}
