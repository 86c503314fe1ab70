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
    /// Counts a connection. Returns how many others its network has.
    pub(crate) fn join(&mut self, key: usize, peer: &Address) -> usize {
        let network = network(peer);
        self.of.insert(key, network);
        let open = self.open.entry(network).or_default();
        let others = *open;
        *open += 1;
        others
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
        let peers = [
            from("10.0.0.1:1"),
            from("[::ffff:10.0.0.1]:2"),
            from("10.0.0.2:9"),
            from("[2001:db8::1]:1"),
            from("[2001:db8::2:0:0:1]:1"),
            from("[2001:db8:0:1::1]:1"),
            Address::Unix(None),
            Address::Unknown,
        ];
        let others: Vec<_> = peers.iter().enumerate().map(|(key, peer)| networks.join(key, peer)).collect();
        assert_eq!(others, [0, 1, 0, 0, 1, 0, 0, 1]);
        networks.leave(0);
        networks.leave(0);
        assert_eq!(networks.join(0, &peers[0]), 1);
        (0..peers.len()).for_each(|key| networks.leave(key));
        assert!(networks.of.is_empty() && networks.open.is_empty());
    }
}
