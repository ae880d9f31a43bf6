//! Addresses that may be connected to: what only this machine, its network or its cloud can reach is not.
//!
//! An issuer is named by an administrator, but where its keys are is in its document, and what a name means is in
//! somebody's DNS. See the registries of special-purpose addresses of IANA (RFC 6890).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which addresses there may be issuers at, beside this very machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Networks {
    /// The public ones.
    Public,
    /// Those of one's own network, too.
    PrivateToo,
}

type V4 = (Ipv4Addr, u32);
type V6 = (Ipv6Addr, u32);

const fn v4(a: u8, b: u8, c: u8, d: u8, bits: u32) -> V4 {
    (Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(a: u16, b: u16, bits: u32) -> V6 {
    (Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), bits)
}

const PRIVATE_V4: &[V4] =
    &[v4(10, 0, 0, 0, 8), v4(172, 16, 0, 0, 12), v4(192, 168, 0, 0, 16), v4(100, 64, 0, 0, 10)];
const PRIVATE_V6: &[V6] = &[v6(0xfc00, 0, 7)];

/// Where clouds tell their machines secrets, at addresses that are not link-local: Alibaba, Azure, AWS and Google.
const METADATA: &[IpAddr] = &[
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0x00ce, 0, 0, 0, 0, 0, 0x254)),
];

/// This network, loopback, link-local, protocols, documentation, 6to4 relays, benchmarks, multicast and reserved.
const SPECIAL_V4: &[V4] = &[
    v4(0, 0, 0, 0, 8),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 3),
];

/// Everything global is in here; IPv4 addresses that are mapped or translated are not.
const GLOBAL_V6: V6 = v6(0x2000, 0, 3);

/// Protocols (Teredo among them), documentation, 6to4, documentation.
const SPECIAL_V6: &[V6] = &[v6(0x2001, 0, 23), v6(0x2001, 0x0db8, 32), v6(0x2002, 0, 16), v6(0x3fff, 0, 20)];

impl Networks {
    /// Returns whether there may be an issuer at the address.
    pub(crate) fn allow(self, address: IpAddr) -> bool {
        if METADATA.contains(&address) {
            return false;
        }
        let (is_private, is_public) = match address {
            IpAddr::V4(address) => {
                let is_private = is_in_v4(address, PRIVATE_V4);
                (is_private, !is_private && !is_in_v4(address, SPECIAL_V4))
            }
            IpAddr::V6(address) => {
                let is_global = is_in_v6(address, &[GLOBAL_V6]) && !is_in_v6(address, SPECIAL_V6);
                (is_in_v6(address, PRIVATE_V6), is_global)
            }
        };
        is_public || (is_private && self == Self::PrivateToo)
    }
}

fn is_in_v4(address: Ipv4Addr, networks: &[V4]) -> bool {
    networks.iter().any(|(network, bits)| (address.to_bits() ^ network.to_bits()) >> (32 - bits) == 0)
}

fn is_in_v6(address: Ipv6Addr, networks: &[V6]) -> bool {
    networks.iter().any(|(network, bits)| (address.to_bits() ^ network.to_bits()) >> (128 - bits) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(networks: Networks, address: &str) -> bool {
        networks.allow(address.parse().unwrap())
    }

    #[test]
    fn public_addresses_are_allowed() {
        for address in [
            "140.82.112.3",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2001:200::1",
            "2a00:1450:4001::1",
            "3ffe::1",
        ] {
            assert!(allowed(Networks::Public, address), "{address}");
        }
    }

    #[test]
    fn private_addresses_are_allowed_only_where_somebody_said_so() {
        for address in [
            "10.0.0.1",
            "10.255.255.255",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "fc00::1",
            "fdff:ffff::1",
        ] {
            assert!(!allowed(Networks::Public, address), "{address}");
            assert!(allowed(Networks::PrivateToo, address), "{address}");
        }
    }

    #[test]
    fn special_addresses_are_never_allowed() {
        for address in [
            "0.0.0.0",
            "0.1.2.3",
            "127.0.0.1",
            "127.255.255.255",
            "169.254.169.254",
            "169.254.170.2",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:140.82.112.3",
            "::140.82.112.3",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "fd00:ec2::254",
            "fd20:ce::254",
        ] {
            for networks in [Networks::Public, Networks::PrivateToo] {
                assert!(!allowed(networks, address), "{address} {networks:?}");
            }
        }
    }
}
