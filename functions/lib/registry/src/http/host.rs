//! Hosts as requests name them.

use std::net::Ipv6Addr;

/// Returns whether this is a host, perhaps with a port, and nothing else: no user before it, no path behind it.
///
/// What is no host must not be where somebody is sent to log in.
pub fn is_host(text: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(text) else { return false };
    let (host, port) = match text.rfind(':') {
        Some(colon) if !text.ends_with(']') => (&text[..colon], &text[colon + 1..]),
        _ => (text, ""),
    };
    let is_port = port.is_empty() || is_of_digits(port) && port.parse::<u16>().is_ok();
    is_port && (is_name(host) || is_in_brackets(host))
}

fn is_of_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_name(host: &str) -> bool {
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !host.is_empty() && host.bytes().all(is_of_name)
}

fn is_in_brackets(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for host in
            ["a.example", "a_b:5000", "A.example.", "192.0.2.1:80", "[2001:db8::1]:443", "[::1]", "a:", "a:0"]
        {
            assert!(is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn what_is_more_or_less_than_that_is_none() {
        for text in [
            "",
            ":80",
            "user@a.example",
            "user:secret@a.example",
            "a b",
            "a/b",
            "a?b",
            "a#b",
            "a\\b",
            "a\"b",
            "a,b",
            "*",
            "a:b",
            "a:+80",
            "a:65536",
            "a:1:2",
            "::1",
            "[::1",
            "::1]",
            "[::1]x",
            "[::1]:x",
            "[a]",
            "[]",
            "ä",
        ] {
            assert!(!is_host(text.as_bytes()), "{text}");
        }
        assert!(!is_host(b"\xff"));
    }
}
