//! The path that a function sees.

use percent_encoding::percent_decode_str;

use crate::Manners;

/// Returns the path of the event for the path of a request, or `None` where the gateway answers 400.
///
/// As seen on AWS in July 2026 (github.com/hotsock/voker, vokerhttp/testdata/ingress-paths.json): an HTTP API
/// decodes the path, cuts it at a question mark, and decodes it again; it refuses a percent sign that is left over.
/// So `%252F` arrives as a slash.
pub(crate) fn event_path(sent: &str, manners: Manners) -> Option<String> {
    if manners.keep_path_encoded {
        return Some(sent.to_owned());
    }
    let once = decode(sent)?;
    if manners.decode_path_once {
        return Some(once);
    }
    decode(once.split('?').next().unwrap_or_default())
}

fn decode(text: &str) -> Option<String> {
    has_only_whole_escapes(text).then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}

fn has_only_whole_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|after| {
        let digits = after.as_bytes();
        digits.len() >= 2 && digits[..2].iter().all(u8::is_ascii_hexdigit)
    })
}
