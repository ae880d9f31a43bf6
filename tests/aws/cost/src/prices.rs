//! The price table.

use anyhow::{Context, Result};
use serde::Deserialize;

const TABLE: &str = include_str!("../prices.toml");

/// How a price is known.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// A page of AWS says so.
    #[serde(rename = "AWS")]
    Aws,
    /// Somebody else says so.
    #[serde(rename = "third party")]
    ThirdParty,
    /// General knowledge.
    #[serde(rename = "unverified")]
    Unverified,
}

impl Kind {
    /// Returns it as the table has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Aws => "AWS",
            Self::ThirdParty => "third party",
            Self::Unverified => "unverified",
        }
    }
}

/// What AWS asks for something, and who says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Price {
    pub(crate) dollars: f64,
    pub(crate) per: f64,
    pub(crate) unit: String,
    pub(crate) kind: Kind,
    pub(crate) source: String,
    pub(crate) as_of: String,
}

impl Price {
    /// Returns the dollars for this much.
    pub(crate) fn of(&self, quantity: impl Into<f64>) -> f64 {
        self.dollars * quantity.into() / self.per
    }
}

macro_rules! prices {
    ($($name:ident)+) => {
        /// Every price that is used.
        #[derive(Clone, Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct Prices {
            $(pub(crate) $name: Price,)+
        }

        impl Prices {
            /// Returns all of them, in the order of the file.
            pub(crate) fn all(&self) -> Vec<&Price> {
                vec![$(&self.$name),+]
            }
        }
    };
}

prices! {
    http_api_request lambda_request lambda_gb_second
    dynamodb_write_unit dynamodb_read_unit dynamodb_storage dynamodb_backup
    s3_write s3_read s3_storage internet_egress
    edge_request edge_function edge_upload
    event schedule log secret
    fargate_cpu fargate_memory load_balancer load_balancer_unit address
    ecr_storage
}

impl Prices {
    /// Reads the table.
    pub(crate) fn load() -> Result<Self> {
        toml::from_str(TABLE).context("prices.toml")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_per_its_unit() {
        let prices = Prices::load().unwrap();
        assert!((prices.s3_write.of(33_000) - 0.165).abs() < 1e-9);
        assert!((prices.http_api_request.of(36_000) - 0.036).abs() < 1e-9);
    }

    #[test]
    fn every_price_says_where_it_is_from_and_when() {
        for price in Prices::load().unwrap().all() {
            assert!(!price.source.is_empty(), "{}", price.unit);
            assert!(price.as_of.starts_with("20") && price.as_of.len() >= 7, "{}", price.unit);
        }
    }
}
