//! Counts the open connections of each network, for [`ServerConfig::admit`](crate::ServerConfig::admit).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use crate::Address;

/// How many connections of each network are open. Peers without an IP address count together.
#[derive(Default)]
pub(crate) struct Networks {
    of: HashMap<usize, Option<IpAddr>>,
    open: HashMap<Option<IpAddr>, usize>,
}

impl Networks {
    pub(crate) fn join(&mut self, key: usize, peer: &Address) {
        let network = network(peer);
        self.of.insert(key, network);
        *self.open.entry(network).or_default() += 1;
    }

    pub(crate) fn leave(&mut self, key: usize) {
        let Some(network) = self.of.remove(&key) else { return };
        if let Some(open) = self.open.get_mut(&network) {
            *open = open.saturating_sub(1);
            if *open == 0 {
                self.open.remove(&network);
            }
        }
    }

    pub(crate) fn open_from(&self, peer: &Address) -> usize {
        self.open.get(&network(peer)).copied().unwrap_or(0)
    }
}

/// The address of a host: of IPv6 the first 64 bits, since every host has at least so many addresses (RFC 4291 2.5.1).
fn network(peer: &Address) -> Option<IpAddr> {
    let Address::Tcp(peer) = peer else { return None };
    Some(match peer.ip().to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Address {
        Address::Tcp(address.parse().unwrap())
    }

    #[test]
    fn a_host_is_counted_by_its_network() {
        let mut networks = Networks::default();
        networks.join(0, &from("10.0.0.1:1"));
        networks.join(1, &from("[::ffff:10.0.0.1]:2"));
        networks.join(2, &from("[2001:db8::1]:1"));
        networks.join(3, &from("[2001:db8::2:0:0:1]:1"));
        networks.join(4, &from("[2001:db8:0:1::1]:1"));
        networks.join(5, &Address::Unix(None));
        let open = |networks: &Networks| {
            ["10.0.0.1:9", "10.0.0.2:9", "[2001:db8::9]:9", "[2001:db8:0:1::9]:9"]
                .map(|address| networks.open_from(&from(address)))
        };
        assert_eq!(open(&networks), [2, 0, 2, 1]);
        assert_eq!(networks.open_from(&Address::Unknown), 1);
        (0..6).for_each(|key| networks.leave(key));
        networks.leave(0);
        assert_eq!(open(&networks), [0; 4]);
        assert!(networks.of.is_empty() && networks.open.is_empty());
    }
}
