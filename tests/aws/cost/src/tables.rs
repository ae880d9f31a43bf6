//! The tables of the page.

use std::cmp::Reverse;

use crate::bill::{Accountant, Bill};
use crate::page::{dollars, number, table};
use crate::parts::{PARTS, Part};
use crate::prices::{Price, Prices};
use crate::report::{ImageReport, Report};
use crate::scenes::Lane;
use crate::usage::Usage;

/// In what batches the page counts.
const BATCH: f64 = 1000.0;

/// Returns everything between the marks.
pub(crate) fn block(report: &Report, accountant: &Accountant<'_>) -> String {
    let parts = [
        pushes(report, accountant),
        pulls(report, accountant),
        months(report, accountant),
        break_even(report, accountant),
        counts(report),
        prices(accountant.prices),
    ];
    format!("\n{}\n", parts.join("\n"))
}

fn pushes(report: &Report, accountant: &Accountant<'_>) -> String {
    let columns: Vec<(String, Bill)> = columns(report)
        .into_iter()
        .map(|(name, usage)| (name, accountant.bill(usage).times(BATCH)))
        .collect();
    let mut rows = Vec::new();
    for (index, part) in PARTS.iter().enumerate() {
        let cells = columns.iter().map(|(_, bill)| dollars(bill.0[index]));
        rows.push(row(part.name, cells.chain([dollars(0.0), known_from(part, accountant.prices)])));
    }
    let totals = columns.iter().map(|(_, bill)| format!("**{}**", dollars(bill.total())));
    rows.push(row("**total**", totals.chain(["**0**".to_owned(), String::new()])));
    let names = columns.iter().map(|(name, _)| name.clone()).chain(["ECR", "known from"].map(str::to_owned));
    format!("### Dollars per 1,000 pushes\n\n{}", table(&row("", names), columns.len() + 1, &rows))
}

/// Says how the quantity is known, and the least certain of the prices.
fn known_from(part: &Part, prices: &Prices) -> String {
    let prices = (part.prices)(prices);
    let price = prices.into_iter().max_by_key(|price| (price.kind, Reverse(&price.as_of)));
    let price = price.map(|price| format!("{} {}", price.kind.name(), price.as_of));
    format!("{}; price: {}", part.quantity, price.unwrap_or_default())
}

fn pulls(report: &Report, accountant: &Accountant<'_>) -> String {
    let head =
        ["", "requests, items, functions, objects", "bytes in the region", "bytes to the internet", "ECR"];
    let rows = report.images.iter().map(|image| {
        let requests = accountant.bill(&image.pull).times(BATCH).total();
        let egress = accountant.egress(image.pull.downloaded_bytes as f64 * BATCH);
        let ecr = format!("requests {}, bytes the same", dollars(0.0));
        row(&image.size.name, [dollars(requests), dollars(0.0), dollars(egress), ecr])
    });
    let rows: Vec<_> = rows.collect();
    format!("### Dollars per 1,000 pulls\n\n{}", table(&head.map(str::to_owned), 3, &rows))
}

fn months(report: &Report, accountant: &Accountant<'_>) -> String {
    let mut rows: Vec<_> = report
        .images
        .iter()
        .map(|image| {
            let (bytes, item_bytes) = (image.size.bytes() as f64 * BATCH, image.item_bytes * BATCH);
            let name = format!("1,000 {} images, no layer in common", image.size.name);
            let own = accountant.storage(bytes, item_bytes);
            row(&name, [dollars(own), dollars(accountant.ecr_storage(bytes))])
        })
        .collect();
    let idle = accountant.idle(&report.scheduled);
    rows.push(row("the stack with its two secrets, when nobody comes", [dollars(idle), dollars(0.0)]));
    rows.push(row("a relay, if you want one", [dollars(accountant.relay()), dollars(0.0)]));
    let secret = accountant.prices.secret.of(1);
    rows.push(row("the secret of `Uploads=capability`", [dollars(secret), dollars(0.0)]));
    let head = ["", "Slipway", "ECR"].map(str::to_owned);
    format!("### Dollars per month\n\n{}", table(&head, 2, &rows))
}

fn break_even(report: &Report, accountant: &Accountant<'_>) -> String {
    let lines = report.images.iter().filter_map(|image| break_even_of(image, accountant));
    let idle = accountant.gb_at_ecr(accountant.idle(&report.scheduled));
    let relay = accountant.gb_at_ecr(accountant.relay());
    format!(
        "### Break-even with ECR\n\n{}- The idle stack with its two secrets costs what {idle:.1} GB save in a month; a relay, what {relay:.0} GB save.\n",
        lines.collect::<String>()
    )
}

/// A push costs more than at ECR, and so does each pull; storage costs less.
fn break_even_of(image: &ImageReport, accountant: &Accountant<'_>) -> Option<String> {
    let (lane, usage) = image.pushes.first()?;
    let push = accountant.bill(usage).total();
    let days = accountant.days_to_save(&image.size, image.item_bytes, push);
    let bytes = image.size.bytes() as f64;
    let saved = accountant.ecr_storage(bytes) - accountant.storage(bytes, image.item_bytes);
    let pulls = saved / accountant.bill(&image.pull).total();
    Some(format!(
        "- A {} image, pushed by the {} lane, is paid back by its storage after {days:.0} days. From then on its storage \
         saves as much as {pulls:.0} pulls a month cost.\n",
        image.size.name,
        lane.name()
    ))
}

/// A line of the table of counts.
type Counted = (&'static str, fn(&Usage) -> f64);

const COUNTED: [Counted; 9] = [
    ("requests to the API", |usage| f64::from(usage.api_requests())),
    ("… as metered, per 512 KiB", |usage| usage.api_units as f64),
    ("requests at the edge", |usage| f64::from(usage.edge_requests)),
    ("calls of functions", |usage| f64::from(usage.function_calls())),
    ("calls of DynamoDB", |usage| usage.item_calls as f64),
    ("write units", |usage| usage.write_units),
    ("read units", |usage| usage.read_units),
    ("S3 PUT, COPY, POST, LIST", |usage| f64::from(usage.s3_writes)),
    ("S3 GET, HEAD", |usage| f64::from(usage.s3_reads)),
];

fn counts(report: &Report) -> String {
    let mut columns = columns(report);
    columns.extend(report.images.iter().map(|image| (format!("{}, pull", image.size.name), &image.pull)));
    let cells = |count: fn(&Usage) -> f64| columns.iter().map(move |(_, usage)| number(count(usage)));
    let rows: Vec<_> = COUNTED.into_iter().map(|(name, count)| row(name, cells(count))).collect();
    let head = row("", columns.iter().map(|(name, _)| name.clone()));
    format!("### What was counted, for one push or pull\n\n{}", table(&head, columns.len(), &rows))
}

/// Folded away, because it is longer than the rest.
fn prices(prices: &Prices) -> String {
    let rows: Vec<_> = prices.all().into_iter().map(price).collect();
    let head = ["what", "dollars", "for", "from", "source", "as of"].map(str::to_owned);
    let table = table(&head, 2, &rows);
    format!("<details><summary>The {} prices</summary>\n\n{table}\n</details>\n", rows.len())
}

fn price(price: &Price) -> Vec<String> {
    let texts = [price.kind.name(), &price.source, &price.as_of].map(str::to_owned);
    row(&price.unit, [price.dollars.to_string(), price.per.to_string()].into_iter().chain(texts))
}

fn columns(report: &Report) -> Vec<(String, &Usage)> {
    report.images.iter().flat_map(columns_of).collect()
}

fn columns_of(image: &ImageReport) -> Vec<(String, &Usage)> {
    let name = |lane: Lane| format!("{}, {}", image.size.name, lane.name());
    image.pushes.iter().map(|(lane, usage)| (name(*lane), usage)).collect()
}

fn row(name: &str, cells: impl IntoIterator<Item = String>) -> Vec<String> {
    [name.to_owned()].into_iter().chain(cells).collect()
}
