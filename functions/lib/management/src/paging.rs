//! Pages of lists: `limit`, `after`, and `next`.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Nothing that is listed has a longer name, and DynamoDB refuses to look for one.
const NAME_MAX_BYTES: usize = 900;

/// Which part of a list is asked for.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many entries at most.
    #[serde(default)]
    #[param(value_type = u16, required = false, minimum = 1, maximum = 1000, default = 100)]
    pub(crate) limit: Limit,
    /// The `next` of the page before.
    #[serde(default)]
    #[param(value_type = String, required = false, max_length = 900)]
    pub(crate) after: After,
}

/// How many entries a page has at most.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Limit(pub(crate) usize);

impl Default for Limit {
    fn default() -> Self {
        Self(100)
    }
}

impl TryFrom<String> for Limit {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        match text.parse() {
            Ok(limit @ 1..=1000) => Ok(Self(limit)),
            _ => Err("a page has 1 to 1000 entries"),
        }
    }
}

/// Beyond which entry a page begins; an empty text counts as none.
#[derive(Clone, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct After(Option<String>);

impl After {
    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl TryFrom<String> for After {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > NAME_MAX_BYTES {
            return Err(format!("an entry's name has {NAME_MAX_BYTES} bytes at most"));
        }
        Ok(Self(Some(text).filter(|text| !text.is_empty())))
    }
}

/// As many bytes of JSON has a page, or one entry: a function cannot answer more than 6 MB, which this is in base64.
const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A part of a list.
#[derive(Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The entries.
    items: Vec<T>,
    /// What to ask for as `after` to see more, or as `before` of a list that goes backwards; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
}

impl<T> Page<T> {
    /// Returns a page of entries that are so small that any number which may be asked for can be answered.
    pub(crate) fn of_small(items: Vec<T>, next: Option<String>) -> Self {
        Self { items, next }
    }
}

impl<T: Serialize> Page<T> {
    /// Returns the page, or as much of it as can be answered; `name` is what to ask for beyond an entry.
    pub(crate) fn new(mut items: Vec<T>, next: Option<String>, name: impl Fn(&T) -> String) -> Self {
        let fitting = fitting(&items);
        if fitting == items.len() {
            return Self { items, next };
        }
        items.truncate(fitting);
        Self { next: items.last().map(name), items }
    }

    /// Returns the part that is asked for of a list that is whole, in the order of its names.
    pub(crate) fn of(all: Vec<T>, asked: &Paging, name: impl Fn(&T) -> String) -> Self {
        let is_beyond = |entry: &T| asked.after.as_deref().is_none_or(|after| name(entry).as_str() > after);
        let mut items: Vec<T> = all.into_iter().filter(is_beyond).collect();
        let has_more = items.len() > asked.limit.0;
        items.truncate(asked.limit.0);
        let next = items.last().filter(|_| has_more).map(&name);
        Self::new(items, next, name)
    }
}

/// Returns how many of the first entries fit into a page, one at least.
fn fitting<T: Serialize>(items: &[T]) -> usize {
    let mut size_bytes = 0;
    let fitting = items.iter().take_while(|item| {
        size_bytes += serde_json::to_vec(item).map_or(0, |json| json.len());
        size_bytes <= PAGE_BYTES_MAX
    });
    fitting.count().max(1).min(items.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_ends_before_it_is_too_long_to_be_answered() {
        let all: Vec<String> = (0..9).map(|number| format!("{number}").repeat(1024 * 1024)).collect();
        let name = |entry: &String| entry[..1].to_owned();
        let page = Page::new(all.clone(), Some("beyond".to_owned()), name);
        assert_eq!(
            (page.items.len(), page.next.as_deref()),
            (3, Some("2")),
            "each has two quotation marks, too"
        );
        let page = Page::new(all[..3].to_vec(), Some("beyond".to_owned()), name);
        assert_eq!((page.items.len(), page.next.as_deref()), (3, Some("beyond")));
        let page = Page::new(vec!["0".repeat(5 * 1024 * 1024)], None, name);
        assert_eq!((page.items.len(), page.next), (1, None));
        assert_eq!(Page::new(Vec::<String>::new(), None, name).next, None);
    }
}
