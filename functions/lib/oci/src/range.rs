//! The `Range` header: the part of a blob that a download asks for.

use crate::text::digits;

/// A non-empty range of the bytes of a blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByteRange {
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end_exclusive: u64,
}

#[expect(clippy::len_without_is_empty, reason = "a byte range is never empty")]
impl ByteRange {
    /// Returns how many bytes there are in the range.
    pub fn len(&self) -> u64 {
        self.end_exclusive - self.start
    }
}

/// What to answer to a request that may have a `Range` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RangeOutcome {
    /// 200 with everything.
    Whole,
    /// 206 with this part.
    Part(ByteRange),
    /// 416.
    Unsatisfiable,
}

/// The `Range` header of a download (RFC 9110, section 14.2).
#[derive(Debug)]
pub struct RangeHeader;

impl RangeHeader {
    /// Decides what to answer when `value` asks for a part of `size` bytes.
    ///
    /// As the RFC allows, a header that is not understood counts as absent; so does one with several ranges.
    pub fn parse(value: &str, size: u64) -> RangeOutcome {
        match positions(value) {
            Some((Some(first), last)) => from_first(first, last, size),
            Some((None, Some(suffix_len))) => from_suffix(suffix_len, size),
            _ => RangeOutcome::Whole,
        }
    }
}

/// Returns what stands on either side of the hyphen.
fn positions(value: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (unit, range) = value.split_once('=')?;
    let (first, last) = range.trim_matches([' ', '\t']).split_once('-')?;
    let is_bytes = unit.trim_matches([' ', '\t']).eq_ignore_ascii_case("bytes");
    is_bytes.then_some((optional(first)?, optional(last)?))
}

fn optional(position: &str) -> Option<Option<u64>> {
    if position.is_empty() { Some(None) } else { digits(position).map(Some) }
}

fn from_first(first: u64, last: Option<u64>, size: u64) -> RangeOutcome {
    // A range that ends before it begins is invalid; the RFC leaves open whether it is ignored or rejected.
    if first >= size || last.is_some_and(|last| last < first) {
        return RangeOutcome::Unsatisfiable;
    }
    let end_exclusive = last.map_or(size, |last| last.saturating_add(1).min(size));
    RangeOutcome::Part(ByteRange { start: first, end_exclusive })
}

fn from_suffix(suffix_len: u64, size: u64) -> RangeOutcome {
    match (suffix_len, size) {
        (0, _) => RangeOutcome::Unsatisfiable,
        // Satisfiable, but no 206 can say so: Content-Range has no form for an empty part.
        (_, 0) => RangeOutcome::Whole,
        _ => RangeOutcome::Part(ByteRange { start: size.saturating_sub(suffix_len), end_exclusive: size }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(start: u64, end_exclusive: u64) -> RangeOutcome {
        RangeOutcome::Part(ByteRange { start, end_exclusive })
    }

    #[test]
    fn single_ranges_are_cut_out() {
        for (value, expected) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-9", part(0, 10)),
            ("bytes=3-5", part(3, 6)),
            ("bytes=9-", part(9, 10)),
            ("bytes=0-", part(0, 10)),
            ("bytes=5-100", part(5, 10)),
            ("bytes=5-99999999999999999999999", part(5, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-100", part(0, 10)),
            ("Bytes=3-5", part(3, 6)),
            ("bytes= 3-5 ", part(3, 6)),
        ] {
            assert_eq!(RangeHeader::parse(value, 10), expected, "{value:?}");
        }
    }

    #[test]
    fn ranges_outside_are_unsatisfiable() {
        for (value, size) in [
            ("bytes=10-", 10),
            ("bytes=10-20", 10),
            ("bytes=99999999999999999999999-", 10),
            ("bytes=-0", 10),
            ("bytes=-0", 0),
            ("bytes=0-", 0),
            ("bytes=0-0", 0),
            ("bytes=5-4", 10),
        ] {
            assert_eq!(RangeHeader::parse(value, size), RangeOutcome::Unsatisfiable, "{value:?} of {size}");
        }
    }

    #[test]
    fn headers_not_understood_count_as_absent() {
        let no_range = "|bytes|bytes=|bytes=-|bytes=5|bytes=a-b|bytes=+1-5|bytes=1--5|bytes=1 - 5";
        let no_unit = "lines=0-5|bytes 0-5|=0-5|0-5";
        let several = "bytes=0-5,7-8|bytes=0-5,|bytes=,0-5";
        for value in [no_range, no_unit, several].iter().flat_map(|table| table.split('|')) {
            assert_eq!(RangeHeader::parse(value, 10), RangeOutcome::Whole, "{value:?}");
        }
        assert_eq!(RangeHeader::parse("bytes=-5", 0), RangeOutcome::Whole);
    }

    proptest! {
        #[test]
        fn part_lies_within_the_blob(ends in any::<[Option<u64>; 2]>(), size in any::<u64>()) {
            let [first, last] = ends;
            let text = |position: Option<u64>| position.map(|position| position.to_string()).unwrap_or_default();
            let outcome = RangeHeader::parse(&format!("bytes={}-{}", text(first), text(last)), size);
            if let RangeOutcome::Part(range) = outcome {
                prop_assert!(range.start < range.end_exclusive && range.end_exclusive <= size);
            }
        }

        #[test]
        fn any_text_is_answered(text in any::<String>(), size in any::<u64>()) {
            let _ = RangeHeader::parse(&text, size);
            let _ = RangeHeader::parse(&format!("bytes={text}"), size);
        }
    }
}
