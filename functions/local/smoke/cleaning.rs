//! Leaving the repository as it was.

use anyhow::{Result, bail};

use super::check::{Case, Finding};
use super::target::Target;

/// Comes last.
pub(crate) const CASES: &[Case] = &[Case {
    name: "what was pushed can be deleted",
    essential: false,
    advice: "tags that begin with smoke- stay in the repository: delete them, or the repository, by hand",
    run: |target| Box::pin(leftovers_are_deleted(target)),
}];

async fn leftovers_are_deleted(target: &Target) -> Result<Finding> {
    if !target.has_leftovers() {
        return Ok(Finding::NotChecked("nothing was pushed".to_owned()));
    }
    let kept = target.clean().await?;
    if let Some(first) = kept.first() {
        bail!("{} manifests or uploads stay: {first}", kept.len());
    }
    Ok(Finding::Holds("no manifest and no upload stays; blobs are left to garbage collection".to_owned()))
}
