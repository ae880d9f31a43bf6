//! The lines of a bill.

use crate::prices::{Price, Prices};

/// One line of a bill.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// How its quantity is known.
    pub(crate) quantity: &'static str,
    /// Its prices.
    pub(crate) prices: fn(&Prices) -> Vec<&Price>,
}

/// The parts of a bill, in its order.
pub(crate) const PARTS: [Part; 9] = [
    Part {
        name: "CloudFront, requests",
        quantity: "counted",
        prices: |prices| vec![&prices.edge_request, &prices.edge_function],
    },
    Part {
        name: "CloudFront, bytes to the origin",
        quantity: "counted",
        prices: |prices| vec![&prices.edge_upload],
    },
    Part { name: "HTTP API", quantity: "counted", prices: |prices| vec![&prices.http_api_request] },
    Part {
        name: "Lambda",
        quantity: "calls counted, time assumed",
        prices: |prices| vec![&prices.lambda_request, &prices.lambda_gb_second],
    },
    Part {
        name: "DynamoDB",
        quantity: "counted",
        prices: |prices| vec![&prices.dynamodb_write_unit, &prices.dynamodb_read_unit],
    },
    Part {
        name: "S3, requests",
        quantity: "counted",
        prices: |prices| vec![&prices.s3_write, &prices.s3_read],
    },
    Part {
        name: "S3, left-overs until they expire",
        quantity: "bytes counted, days by the template",
        prices: |prices| vec![&prices.s3_storage],
    },
    Part {
        name: "load balancer of the relay, bytes",
        quantity: "counted",
        prices: |prices| vec![&prices.load_balancer_unit],
    },
    Part {
        name: "events and logs",
        quantity: "events counted, log lines assumed",
        prices: |prices| vec![&prices.event, &prices.log],
    },
];
