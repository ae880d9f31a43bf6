//! Who may do what on AWS: requests over HTTP become events by the routes of the template, the functions answer them
//! on stand-ins for DynamoDB, S3 and Secrets Manager, and time passes when a test says so.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod client;
mod cloud;
mod matrix;
mod times;
