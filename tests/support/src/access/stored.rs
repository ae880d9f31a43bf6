//! What is stored, as far as refusals must not change it.

use registry::ports::{Item, ObjectInfo};
use registry::records::Record;

/// Returns each item and object as a text, but for audit entries and what counts the use of credentials.
pub fn texts_of_stored(items: &[Item], objects: &[ObjectInfo]) -> Vec<String> {
    let is_content =
        |item: &&Item| !matches!(item.record, Record::Audit(_) | Record::Token(_) | Record::Bucket(_));
    let items = items.iter().filter(is_content).map(|item| format!("{item:?}"));
    items.chain(objects.iter().map(|object| format!("{object:?}"))).collect()
}
