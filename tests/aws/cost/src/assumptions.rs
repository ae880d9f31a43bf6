//! What is neither counted nor a price.

use anyhow::{Context, Result};
use serde::Deserialize;

const FILE: &str = include_str!("../assumptions.toml");

/// `assumptions.toml`, which says what each means.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assumptions {
    pub(crate) memory_gb: f64,
    pub(crate) read_ms: f64,
    pub(crate) write_ms: f64,
    pub(crate) function_bytes_per_second: f64,
    pub(crate) adoption_ms: f64,
    pub(crate) copy_bytes_per_second: f64,
    pub(crate) delivery_ms: f64,
    pub(crate) scheduled_ms: f64,
    pub(crate) access_log_bytes: f64,
    pub(crate) function_log_bytes: f64,
    pub(crate) upload_days: f64,
    pub(crate) tail_days: f64,
    pub(crate) hours_per_month: f64,
    pub(crate) days_per_month: f64,
    pub(crate) relay_cpu: f64,
    pub(crate) relay_memory_gb: f64,
    pub(crate) arm_share: f64,
    pub(crate) chunk_bytes: usize,
    #[serde(rename = "image")]
    pub(crate) images: Vec<ImageSize>,
}

/// How large an image is.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImageSize {
    /// What the page calls it.
    pub(crate) name: String,
    /// How many layers it has.
    pub(crate) layers: usize,
    /// How large each of them is.
    pub(crate) layer_bytes: usize,
    /// How large its config is.
    pub(crate) config_bytes: usize,
}

impl ImageSize {
    /// Returns the size of all blobs.
    pub(crate) fn bytes(&self) -> usize {
        self.layers * self.layer_bytes + self.config_bytes
    }
}

impl Assumptions {
    /// Reads the file.
    pub(crate) fn load() -> Result<Self> {
        toml::from_str(FILE).context("assumptions.toml")
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use infra_tests::Template;

    use super::*;

    /// Returns how long what nobody deletes is billed: until it expires, and as an old version.
    fn days_of(rule: &str) -> f64 {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../infra/template.yaml");
        let template = Template::load(&path).unwrap();
        let rules = &template.properties("Bucket")["LifecycleConfiguration"]["Rules"];
        let rule = rules.as_array().unwrap().iter().find(|other| other["Id"] == rule).unwrap();
        let old_version = rule["NoncurrentVersionExpiration"]["NoncurrentDays"].as_f64().unwrap();
        rule["ExpirationInDays"].as_f64().unwrap() + old_version
    }

    #[test]
    fn left_overs_lie_as_long_as_the_template_says() {
        let assumptions = Assumptions::load().unwrap();
        assert_eq!((assumptions.upload_days, assumptions.tail_days), (days_of("uploads"), days_of("tails")));
    }
}
