//! `slipway tag log` and `slipway tag restore`.

use std::cmp::Reverse;
use std::time::SystemTime;

use anyhow::{Context, Result};
use oci::{Digest, RepositoryName, Tag};
use serde_json::{Value, json};

use crate::api::{Api, segment};
use crate::content::name_and_tag;
use crate::output::Column;

const COLUMNS: &[Column] = &[
    ("WHEN", "at"),
    ("TAG", "tag"),
    ("WHAT", "what"),
    ("BEFORE", "before"),
    ("BY", "by"),
    ("CAN BE RESTORED", "can_be_restored"),
];

/// Shows where the tags of a repository pointed before.
pub(crate) async fn log(api: &Api, image: &str) -> Result<()> {
    let (name, tag) = parsed(image)?;
    let query = tag.map(|tag| format!("?tag={}", segment(tag.as_str()))).unwrap_or_default();
    let mut moves = api.list(&format!("/repositories/{}/history{query}", segment(name.as_str()))).await?;
    moves.sort_by_key(|entry| Reverse(moment(entry)));
    if !api.is_json() {
        moves.iter_mut().for_each(|entry| entry["what"] = what(entry).into());
    }
    api.print_list(COLUMNS, moves)
}

/// As text they do not sort: what ends a fraction in zeros leaves them out.
fn moment(entry: &Value) -> Option<SystemTime> {
    humantime::parse_rfc3339(entry["at"].as_str()?).ok()
}

/// Puts a tag back to where it pointed before.
pub(crate) async fn restore(api: &Api, image: &str, to: Option<&Digest>) -> Result<()> {
    let (name, tag) = parsed(image)?;
    let tag = tag.context("which tag? For example team/app:1.0")?;
    let path = format!("/repositories/{}/tags/{}/restore", segment(name.as_str()), segment(tag.as_str()));
    let wanted = to.map_or_else(|| json!({}), |digest| json!({ "digest": digest }));
    let restored = api.post(&path, &wanted).await?;
    let digest = restored["digest"].as_str().unwrap_or_default();
    api.print_made(&restored, &format!("{name}:{tag} points to {digest} again"))
}

fn parsed(image: &str) -> Result<(RepositoryName, Option<Tag>)> {
    let (name, tag) = name_and_tag(image);
    Ok((name.parse()?, tag.map(str::parse).transpose()?))
}

fn what(entry: &Value) -> &'static str {
    if entry["after"].is_null() { "deleted" } else { "moved" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_sort_by_time_whatever_zeros_are_left_out() {
        let moments = ["2026-11-22T01:38:36Z", "2026-11-22T01:38:36.8Z", "2026-11-22T01:38:36.83Z"]
            .map(|at| moment(&json!({ "at": at })));
        assert!(moments.iter().all(Option::is_some) && moments.is_sorted(), "{moments:?}");
    }
}
