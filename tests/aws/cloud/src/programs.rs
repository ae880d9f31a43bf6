//! The programs that the cloud is made of, and where they are.

use std::path::{Path, PathBuf};

/// Where the programs are.
#[derive(Clone, Debug)]
pub struct Programs {
    /// Lambda's runtime interface emulator.
    pub emulator: PathBuf,
    /// The folder with `api`, `events`, `scheduled` and `relay`.
    pub functions: PathBuf,
    /// Node, which runs the edge's function.
    pub node: PathBuf,
}

/// A program is not there.
#[derive(Debug)]
pub struct Missing {
    /// What is missing, as in `SLIPWAY_REQUIRE`.
    pub feature: &'static str,
    /// Why, for people.
    pub reason: String,
}

impl Programs {
    /// Finds the programs: the emulator in the tools that `tests/setup.sh` installs, the functions in `functions`, or
    /// beside it in the folder of the profile that `SLIPWAY_PROFILE` names.
    pub fn find(functions: &Path) -> Result<Self, Missing> {
        let profile = std::env::var("SLIPWAY_PROFILE").ok().filter(|profile| !profile.is_empty());
        let functions =
            profile.map_or_else(|| functions.to_owned(), |profile| functions.with_file_name(profile));
        let emulator = emulator().ok_or_else(|| Missing {
            feature: "rie",
            reason: "the SAM CLI is not installed (tests/setup.sh does it)".to_owned(),
        })?;
        let node = on_path("node")
            .ok_or_else(|| Missing { feature: "node", reason: "it is not installed".to_owned() })?;
        for program in ["api", "events", "scheduled"] {
            if !functions.join(program).is_file() {
                let reason = format!("{} is not built (make functions)", functions.join(program).display());
                return Err(Missing { feature: "functions", reason });
            }
        }
        Ok(Self { emulator, functions, node })
    }
}

/// The emulator is part of the SAM CLI's Python package.
fn emulator() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("SLIPWAY_RIE").filter(|path| !path.is_empty()) {
        return Some(PathBuf::from(path));
    }
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let libraries = std::fs::read_dir(target.join("test-tools/venv/lib")).ok()?;
    let inside = format!("site-packages/samcli/local/rapid/aws-lambda-rie-{arch}");
    libraries.flatten().map(|python| python.path().join(&inside)).find(|path| path.is_file())
}

fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")
}
