//! The rows of all tables, sent by several clients at once.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::differences::Differences;
use crate::row::Row;
use crate::sessions::{self, Session};
use crate::words::Words;
use crate::{TABLES, client};

/// How many requests are under way at once.
const CLIENTS: usize = 8;

/// Sends every row and returns what is wrong with which.
pub(crate) fn run(words: &Words, differences: &Differences) -> Vec<String> {
    let rows: Vec<(String, &str, Row)> =
        TABLES.iter().flat_map(|(table, rows)| named(table, rows())).collect();
    let names: Vec<String> = rows.iter().map(|(name, ..)| name.clone()).collect();
    let tables: Vec<&str> = TABLES.iter().map(|(table, _)| *table).collect();
    differences.check(&tables, &names);
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while let Some((name, table, row)) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let is_sent = !differences.leave_out(table, name);
                    if is_sent && let Err(reason) = run_row(name, row, words, differences) {
                        failures.lock().unwrap().push((*table, format!("{name}: {reason}")));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    for table in tables {
        let all = rows.iter().filter(|row| row.1 == table);
        let sent = all.filter(|row| !differences.leave_out(table, &row.0)).count();
        tell(table, sent, failures.iter().filter(|failure| failure.0 == table).count());
    }
    failures.into_iter().map(|(_, failure)| failure).collect()
}

fn named(table: &str, rows: Vec<Row>) -> impl Iterator<Item = (String, &str, Row)> {
    rows.into_iter().map(move |row| (format!("{table}: {}", row.name), table, row))
}

fn run_row(name: &str, row: &Row, words: &Words, differences: &Differences) -> Result<(), String> {
    let mut words = words.clone();
    let session = Session::prepare(row, &mut words);
    let outcome = client::ask(&row.request, &words, row.is_cut_off);
    sessions::close_opened(&outcome, &words);
    let kept = session.map_or(Ok(()), |session| session.close(row, &words));
    let judged = row.judge(&outcome);
    match differences.of(name) {
        Some(difference) => difference.judge(judged, &outcome, kept),
        None => judged.and(kept),
    }
}

fn tell(table: &str, sent: usize, failed: usize) {
    let count = format!("{table}: {sent} rows, {failed} failed\n");
    // Not `eprint!`, which the test harness keeps to itself.
    std::io::stderr().write_all(count.as_bytes()).unwrap();
}
