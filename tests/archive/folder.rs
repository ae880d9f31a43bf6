//! The data folder, and what can happen to it.

use std::path::{Path, PathBuf};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use test_support::content::sha256;

const ITEMS: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("items");

/// Returns the file that holds these bytes.
pub(crate) fn object(data: &Path, digest: &str) -> PathBuf {
    let shards = std::fs::read_dir(data.join("data")).unwrap();
    let files = shards.flat_map(|shard| std::fs::read_dir(shard.unwrap().path()).unwrap());
    let mut paths = files.map(|file| file.unwrap().path());
    paths.find(|path| sha256(&std::fs::read(path).unwrap()) == digest).unwrap()
}

/// Returns the names of what is in quarantine.
pub(crate) fn quarantined(data: &Path) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(data.join("quarantine")) else { return Vec::new() };
    let mut names: Vec<String> = files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Returns the keys of all rows, as `<pk>/<sk>`.
pub(crate) fn rows(data: &Path) -> Vec<(String, Vec<u8>)> {
    let database = Database::open(data.join("items.redb")).unwrap();
    let table = database.begin_read().unwrap().open_table(ITEMS).unwrap();
    let entries = table.iter().unwrap().map(Result::unwrap);
    entries.map(|(key, value)| (name(key.value()), value.value().to_vec())).collect()
}

/// Writes bytes that are no row in place of one.
pub(crate) fn spoil(data: &Path, row: &str) {
    let database = Database::open(data.join("items.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    {
        let mut table = transaction.open_table(ITEMS).unwrap();
        let keys = table.iter().unwrap().map(|entry| entry.unwrap().0.value().to_vec());
        let key = keys.collect::<Vec<_>>().into_iter().find(|key| name(key) == row).unwrap();
        table.insert(key.as_slice(), b"spoilt".as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

fn name(key: &[u8]) -> String {
    String::from_utf8(key.to_vec()).unwrap().replacen('\0', "/", 1)
}
