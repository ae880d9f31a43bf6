//! Where requests come from.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use registry::access::Address;

/// Where the requests of one connection come from.
#[derive(Clone)]
pub(crate) struct Origin {
    peer: Address,
    is_proxy: bool,
}

impl Origin {
    /// Returns the origin of what this peer sends; a proxy says for whom.
    pub(crate) fn new(peer: Address, is_proxy: bool) -> Self {
        Self { peer, is_proxy }
    }

    /// Returns the address at the other end of the connection.
    pub(crate) fn peer(&self) -> &Address {
        &self.peer
    }

    /// Returns the address of whoever sent a request with these headers.
    pub(crate) fn address(&self, headers: &HeaderMap) -> Address {
        let forwarded = if self.is_proxy { forwarded_for(headers) } else { None };
        forwarded.map_or_else(|| self.peer.clone(), address)
    }
}

/// Returns an address that is the same however the system spells it.
pub(crate) fn address(ip: IpAddr) -> Address {
    Address::new(&ip.to_canonical().to_string())
}

/// The proxy appends whom it saw; everything before that was said by somebody else.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let value = headers.get_all("x-forwarded-for").iter().next_back()?;
    let last = value.to_str().ok()?.rsplit(',').next()?.trim();
    let with_port = last.parse::<SocketAddr>().map(|address| address.ip());
    last.parse().or(with_port).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(is_proxy: bool, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let origin = Origin::new(address("10.0.0.1".parse().unwrap()), is_proxy);
        origin.address(&headers).as_str().to_owned()
    }

    #[test]
    fn a_proxy_is_believed_its_last_word_only() {
        assert_eq!(seen(true, &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(seen(true, &["127.0.0.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(seen(true, &["127.0.0.1", "203.0.113.9,192.0.2.7"]), "192.0.2.7");
        assert_eq!(seen(true, &["192.0.2.7:41234"]), "192.0.2.7");
        assert_eq!(seen(true, &["[2001:db8::1]:41234"]), "2001:db8::1");
        assert_eq!(seen(true, &["::ffff:192.0.2.7"]), "192.0.2.7");
    }

    #[test]
    fn what_a_proxy_garbles_counts_for_the_proxy() {
        for garbled in [&[][..], &[""], &["unknown"], &["192.0.2.7,"], &["192.0.2.7", "\u{e9}"]] {
            assert_eq!(seen(true, garbled), "10.0.0.1", "{garbled:?}");
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        assert_eq!(seen(false, &["192.0.2.7"]), "10.0.0.1");
    }
}
