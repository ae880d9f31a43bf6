//! The `Content-Range` header: the part of a blob that a chunk of an upload is.

use crate::text::{digits, excerpt};

/// The `Content-Range` header of a chunk: which bytes of the blob its body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// The first byte.
    pub start: u64,
    /// The last byte.
    pub end_inclusive: u64,
}

/// The value of a `Content-Range` header is not `<start>-<end>`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("content range {value:?} is not of the form <start>-<end>")]
pub struct ContentRangeInvalid {
    /// The refused value, shortened if it is long.
    pub value: String,
}

#[expect(clippy::len_without_is_empty, reason = "a content range is never empty")]
impl ContentRange {
    /// Parses `0-9`, and what HTTP libraries write on their own: `bytes 0-9/*` and `bytes 0-9/100`.
    pub fn parse(value: &str) -> Result<Self, ContentRangeInvalid> {
        parse_content_range(value).ok_or_else(|| ContentRangeInvalid { value: excerpt(value) })
    }

    /// Returns how many bytes the body must have.
    pub fn len(&self) -> u64 {
        self.end_inclusive - self.start + 1
    }
}

fn parse_content_range(value: &str) -> Option<ContentRange> {
    let (range, total) = match value.strip_prefix("bytes ") {
        Some(in_http_form) => in_http_form.split_once('/')?,
        None => (value, "*"),
    };
    let (start, end_inclusive) = range.split_once('-')?;
    let range = ContentRange { start: digits(start)?, end_inclusive: digits(end_inclusive)? };
    let is_in_order = range.start <= range.end_inclusive && range.end_inclusive < u64::MAX;
    let fits_total = total == "*" || range.end_inclusive < digits(total)?;
    (is_in_order && fits_total).then_some(range)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn content_ranges_are_inclusive() {
        for (value, start, end_inclusive, len) in [
            ("0-0", 0, 0, 1),
            ("0-9", 0, 9, 10),
            ("10-19", 10, 19, 10),
            ("bytes 0-9/*", 0, 9, 10),
            ("bytes 0-9/10", 0, 9, 10),
            ("bytes 0-9/100", 0, 9, 10),
            ("0-18446744073709551614", 0, u64::MAX - 1, u64::MAX),
        ] {
            let range = ContentRange::parse(value).unwrap();
            assert_eq!((range, range.len()), (ContentRange { start, end_inclusive }, len), "{value:?}");
        }
    }

    #[test]
    fn other_content_ranges_are_refused() {
        let plain = "|-|0|0-|-9|9-0|a-b|0-9-|0-9/10| 0-9|0-9 |+0-9|0 - 9|0x0-9";
        let in_http_form = "bytes 0-9|bytes=0-9|bytes 0-9/9|bytes 0-9/|bytes 0-9/a|bytes */10|bytes */*";
        let too_large = "0-18446744073709551615|18446744073709551616-18446744073709551617";
        for bad in [plain, in_http_form, too_large].iter().flat_map(|table| table.split('|')) {
            assert!(ContentRange::parse(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in any::<String>()) {
            let _ = ContentRange::parse(&text);
            let _ = ContentRange::parse(&format!("bytes {text}"));
        }
    }
}
