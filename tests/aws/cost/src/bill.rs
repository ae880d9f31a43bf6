//! From what was used to dollars.

use crate::assumptions::{Assumptions, ImageSize};
use crate::parts::PARTS;
use crate::prices::Prices;
use crate::usage::Usage;

/// What AWS calls a GB.
const GB: f64 = (1u64 << 30) as f64;

/// How many secrets a stack has by default: the registry's and the edge's.
const SECRETS: u32 = 2;

/// Dollars for each of [`PARTS`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bill(pub(crate) [f64; PARTS.len()]);

impl Bill {
    /// Returns the sum.
    pub(crate) fn total(&self) -> f64 {
        self.0.iter().sum()
    }

    /// Returns the bill for so many times the same.
    pub(crate) fn times(&self, count: f64) -> Self {
        Self(self.0.map(|dollars| dollars * count))
    }
}

/// Turns usage and storage into dollars.
pub(crate) struct Accountant<'a> {
    pub(crate) prices: &'a Prices,
    pub(crate) assumptions: &'a Assumptions,
}

impl Accountant<'_> {
    /// Returns the bill for what was used.
    pub(crate) fn bill(&self, usage: &Usage) -> Bill {
        let prices = self.prices;
        Bill([
            prices.edge_request.of(usage.edge_requests) + prices.edge_function.of(2 * usage.edge_requests),
            prices.edge_upload.of(gb(usage.edge_upload_bytes as f64)),
            prices.http_api_request.of(usage.api_units as f64),
            prices.lambda_request.of(usage.function_calls())
                + prices.lambda_gb_second.of(self.gb_seconds(usage)),
            prices.dynamodb_write_unit.of(usage.write_units) + prices.dynamodb_read_unit.of(usage.read_units),
            prices.s3_write.of(usage.s3_writes) + prices.s3_read.of(usage.s3_reads),
            self.left_overs(usage),
            prices.load_balancer_unit.of(gb(usage.relay_bytes as f64)),
            prices.event.of(usage.deliveries)
                + prices.schedule.of(usage.scheduled_runs)
                + prices.log.of(gb(self.log_bytes(usage))),
        ])
    }

    /// Returns the GB-seconds of all functions.
    fn gb_seconds(&self, usage: &Usage) -> f64 {
        let assumed = self.assumptions;
        let milliseconds = f64::from(usage.api_reads) * assumed.read_ms
            + f64::from(usage.api_writes) * assumed.write_ms
            + f64::from(usage.adoptions) * assumed.adoption_ms
            + f64::from(usage.deliveries) * assumed.delivery_ms
            + f64::from(usage.scheduled_runs) * assumed.scheduled_ms;
        let seconds = milliseconds / 1000.0
            + usage.function_bytes as f64 / assumed.function_bytes_per_second
            + usage.copied_bytes as f64 / assumed.copy_bytes_per_second;
        seconds * assumed.memory_gb
    }

    fn left_overs(&self, usage: &Usage) -> f64 {
        let assumed = self.assumptions;
        let byte_days =
            usage.upload_bytes as f64 * assumed.upload_days + usage.tail_bytes as f64 * assumed.tail_days;
        self.prices.s3_storage.of(gb(byte_days) / assumed.days_per_month)
    }

    fn log_bytes(&self, usage: &Usage) -> f64 {
        f64::from(usage.api_requests()) * self.assumptions.access_log_bytes
            + f64::from(usage.function_calls()) * self.assumptions.function_log_bytes
    }

    /// Returns what so many bytes of objects and items cost in a month.
    pub(crate) fn storage(&self, object_bytes: f64, item_bytes: f64) -> f64 {
        let prices = self.prices;
        prices.s3_storage.of(gb(object_bytes))
            + prices.dynamodb_storage.of(gb(item_bytes))
            + prices.dynamodb_backup.of(gb(item_bytes))
    }

    /// Returns what ECR asks for so many bytes in a month.
    pub(crate) fn ecr_storage(&self, bytes: f64) -> f64 {
        self.prices.ecr_storage.of(gb(bytes))
    }

    /// Returns what the internet costs for so many bytes, at S3 and at ECR.
    pub(crate) fn egress(&self, bytes: f64) -> f64 {
        self.prices.internet_egress.of(gb(bytes))
    }

    /// Returns what a month costs in which nobody comes.
    pub(crate) fn idle(&self, scheduled: &Usage) -> f64 {
        self.bill(scheduled).times(self.assumptions.hours_per_month).total() + self.prices.secret.of(SECRETS)
    }

    /// Returns what the relay costs in a month, whoever comes.
    pub(crate) fn relay(&self) -> f64 {
        let (prices, assumed) = (self.prices, self.assumptions);
        let hours = assumed.hours_per_month * assumed.arm_share;
        prices.fargate_cpu.of(assumed.relay_cpu * hours)
            + prices.fargate_memory.of(assumed.relay_memory_gb * hours)
            + prices.load_balancer.of(assumed.hours_per_month)
            + prices.address.of(1)
    }

    /// Returns how many GB at ECR cost as much more than here as this.
    pub(crate) fn gb_at_ecr(&self, dollars: f64) -> f64 {
        dollars / (self.prices.ecr_storage.of(1) - self.prices.s3_storage.of(1))
    }

    /// Returns after how many days an image of this size has saved `dollars` by its storage.
    pub(crate) fn days_to_save(&self, size: &ImageSize, item_bytes: f64, dollars: f64) -> f64 {
        let bytes = size.bytes() as f64;
        let saved = self.ecr_storage(bytes) - self.storage(bytes, item_bytes);
        dollars / saved * self.assumptions.days_per_month
    }
}

fn gb(bytes: f64) -> f64 {
    bytes / GB
}

#[cfg(test)]
mod tests;
