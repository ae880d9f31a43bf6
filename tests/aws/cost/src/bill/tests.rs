//! Bills that were computed by hand.

use super::*;

fn with_accountant(check: impl FnOnce(&Accountant<'_>)) {
    let (prices, assumptions) = (Prices::load().unwrap(), Assumptions::load().unwrap());
    check(&Accountant { prices: &prices, assumptions: &assumptions });
}

fn check_part(part: &str, usage: &Usage, dollars: f64) {
    with_accountant(|accountant| {
        let index = PARTS.iter().position(|one| one.name == part).unwrap();
        let bill = accountant.bill(usage);
        close(bill.0[index], dollars);
        let others = bill.0.iter().enumerate().filter(|(other, _)| *other != index);
        assert!(others.map(|(_, dollars)| *dollars).sum::<f64>() < 1e-9, "{bill:?}");
    });
}

#[track_caller]
fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= expected.abs() * 1e-6, "{actual}, not {expected}");
}

#[test]
fn nothing_costs_nothing() {
    with_accountant(|accountant| assert!(accountant.bill(&Usage::default()).total().abs() < 1e-12));
}

#[test]
fn a_request_at_the_edge_is_a_request_and_two_calls_of_its_function() {
    // A million: 1,000,000 / 10,000 × 0.01 $ and 2 × 0.10 $.
    check_part("CloudFront, requests", &Usage { edge_requests: 1_000_000, ..Usage::default() }, 1.2);
}

#[test]
fn bytes_to_the_origin_are_2_cents_a_gb() {
    let usage = Usage { edge_upload_bytes: 100 << 30, ..Usage::default() };
    check_part("CloudFront, bytes to the origin", &usage, 2.0);
}

#[test]
fn units_of_the_table_have_two_prices() {
    let usage = Usage { write_units: 2e6, read_units: 4e6, ..Usage::default() };
    // 2 × 0.625 $ and 4 × 0.125 $.
    check_part("DynamoDB", &usage, 1.75);
}

#[test]
fn requests_of_s3_have_two_classes() {
    // 33 × 0.005 $ and 11 × 0.0004 $.
    check_part("S3, requests", &Usage { s3_writes: 33_000, s3_reads: 11_000, ..Usage::default() }, 0.1694);
}

#[test]
fn left_overs_cost_as_long_as_they_lie_there() {
    // 100 GB for 3 days and 10 GB for 9 days are 13 GB for a month of 30 days: 13 × 0.023 $.
    let usage = Usage { upload_bytes: 100 << 30, tail_bytes: 10 << 30, ..Usage::default() };
    check_part("S3, left-overs until they expire", &usage, 0.299);
}

#[test]
fn bytes_through_the_relay_cost_its_load_balancer() {
    check_part(
        "load balancer of the relay, bytes",
        &Usage { relay_bytes: 100 << 30, ..Usage::default() },
        0.8,
    );
}

#[test]
fn a_function_costs_its_call_and_its_time() {
    // 1,000 reads of 10 ms and 1,000 writes of 25 ms at 512 MB: 35 s × 0.5 GB. Copying 1 GB takes 10 s more.
    let usage = Usage { api_reads: 1000, api_writes: 1000, ..Usage::default() };
    with_accountant(|accountant| {
        close(accountant.gb_seconds(&usage), 17.5);
        close(accountant.bill(&usage).0[3], 2000.0 * 0.000_000_2 + 17.5 * 0.000_013_333_4);
        let copying = Usage { copied_bytes: 1_000_000_000, ..usage.clone() };
        close(accountant.gb_seconds(&copying), 22.5);
        let carrying = Usage { function_bytes: 100_000_000, ..usage.clone() };
        close(accountant.gb_seconds(&carrying), 18.5);
    });
}

#[test]
fn storage_is_4_3_times_cheaper_than_at_ecr() {
    with_accountant(|accountant| {
        let bytes = 100.0 * GB;
        close(accountant.storage(bytes, 0.0), 2.3);
        close(accountant.storage(0.0, bytes), 45.0);
        close(accountant.ecr_storage(bytes), 10.0);
        close(accountant.egress(bytes), 9.0);
    });
}

#[test]
fn the_relay_costs_27_dollars_a_month() {
    // Fargate: (0.25 × 0.04048 + 0.5 × 0.004445) × 730 × 0.8 = 7.20802; load balancer 730 × 0.0225 = 16.425; address 3.6.
    with_accountant(|accountant| close(accountant.relay(), 27.23302));
}

#[test]
fn an_idle_month_is_its_scheduled_runs_and_its_two_secrets() {
    // Each: one LIST, one call, 0.1 s × 0.5 GB, one start, 350 bytes of log; 730 of them.
    let scheduled = Usage { scheduled_runs: 1, s3_writes: 1, ..Usage::default() };
    let run = 0.000_005 + 0.000_000_2 + 0.05 * 0.000_013_333_4 + 0.000_001 + 0.5 * 350.0 / GB;
    with_accountant(|accountant| close(accountant.idle(&scheduled), 730.0 * run + 0.8));
}

#[test]
fn what_is_saved_by_storage_pays_the_push_after_days() {
    // 10 GB save 0.77 $ in 30 days, so 0.154 $ in 6 days.
    let size = ImageSize { name: String::new(), layers: 1, layer_bytes: 10 << 30, config_bytes: 0 };
    with_accountant(|accountant| {
        close(accountant.days_to_save(&size, 0.0, 0.154), 6.0);
        close(accountant.gb_at_ecr(0.77), 10.0);
    });
}
