//! What there is to know of a repository beside its content.

use anyhow::{Context, Result};
use oci::RepositoryName;
use serde_json::{Value, json};

use crate::api::segment;
use crate::distribution::Distribution;
use crate::layout::Layout;

/// Returns it, without the roles if one may not read them. Passwords and tokens are nothing of a repository.
pub(super) async fn settings(source: &Distribution, name: &RepositoryName) -> Result<Option<Value>> {
    if !source.has_management {
        return Ok(None);
    }
    let path = format!("/repositories/{}", segment(name.as_str()));
    let repository = source.json(&format!("{}{path}", management::PREFIX)).await?;
    let repository = repository.with_context(|| format!("there is no repository {name}"))?;
    let mut settings = json!({
        "format": 1,
        "name": name,
        "visibility": repository["visibility"],
        "description": repository["description"],
        "immutable_tags": repository["immutable_tags"],
    });
    if let Some(grants) = source.managed_list(&format!("{path}/grants")).await? {
        settings["grants"] = grants.into();
    }
    Ok(Some(settings))
}

/// Takes over the roles of the export before where this one has none; returns whether there were any.
pub(super) fn keep_roles(settings: &mut Value, layout: &Layout) -> bool {
    // In settings that cannot be read is nothing to keep.
    let earlier = layout.settings().ok().flatten().unwrap_or_default();
    let is_kept = settings["grants"].is_null() && earlier["grants"].is_array();
    if is_kept {
        settings["grants"] = earlier["grants"].clone();
    }
    is_kept
}
