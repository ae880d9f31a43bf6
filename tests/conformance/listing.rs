//! Lists: what a page holds, and the way from page to page.

use serde_json::Value;

use crate::client::Repository;
use crate::reply::Reply;

/// More pages than any case has entries.
const PAGES_MAX: usize = 2000;

impl Repository<'_> {
    /// Returns the tags of one page, such as that of `?n=3`.
    #[track_caller]
    pub(crate) fn tags(&self, query: &str) -> Vec<String> {
        self.get(&format!("tags/list{query}")).expect(200).strings("tags")
    }

    /// Returns the descriptors of the first page of referrers.
    #[track_caller]
    pub(crate) fn referrers(&self, subject: &str) -> Vec<Value> {
        let list = self.get(&format!("referrers/{subject}")).expect(200).json();
        list["manifests"].as_array().unwrap().clone()
    }

    /// Returns each page of a list, from `rest` in this repository on and along the links.
    #[track_caller]
    pub(crate) fn pages(&self, rest: &str) -> Vec<Reply> {
        let mut pages = vec![self.get(rest).expect(200)];
        while let Some(next) = pages[pages.len() - 1].next_link() {
            assert!(pages.len() < PAGES_MAX, "the links of {rest} do not end");
            pages.push(self.registry.get(&next).expect(200));
        }
        pages
    }
}

impl Reply {
    /// Returns the list of strings that the body has under `field`.
    #[track_caller]
    pub(crate) fn strings(&self, field: &str) -> Vec<String> {
        let body = self.json();
        let list = body[field].as_array().unwrap_or_else(|| panic!("expected a list of {field} of {self}"));
        list.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }
}
