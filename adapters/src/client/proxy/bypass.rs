//! The origins that are reached without a proxy.

use std::net::IpAddr;

use crate::client::Origin;
use crate::client::url::without_brackets;

/// A list of hosts, in curl's form.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Bypass(Vec<Entry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    hosts: Hosts,
    /// `None`: any port.
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name, and the names below it. In lower case, without dots around it.
    Domain(String),
    /// The addresses that share this many leading bits with this one.
    Network(IpAddr, u32),
}

impl Bypass {
    /// Reads a list separated by commas or spaces. An entry in an unknown form matches no host.
    pub(super) fn parse(list: &str) -> Self {
        Self(list.split([',', ' ', '\t']).filter(|text| !text.is_empty()).filter_map(Entry::parse).collect())
    }

    pub(super) fn has(&self, origin: &Origin) -> bool {
        let host = origin.host_without_zone();
        let address = host.parse().ok();
        self.0.iter().any(|Entry { hosts, port }| {
            port.is_none_or(|port| port == origin.port())
                && match (hosts, address) {
                    (Hosts::All, _) => true,
                    (Hosts::Network(network, bits), Some(address)) => is_within(address, *network, *bits),
                    (Hosts::Domain(domain), None) => is_below(host, domain),
                    (Hosts::Network(..), None) | (Hosts::Domain(_), Some(_)) => false,
                }
        })
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self { hosts: Hosts::All, port: None });
        }
        if let Some((network, bits)) = text.split_once('/') {
            let address: IpAddr = without_brackets(network).parse().ok()?;
            let bits = bits.parse().ok().filter(|bits| *bits <= width(address))?;
            return Some(Self { hosts: Hosts::Network(address, bits), port: None });
        }
        // The colons of a bare IPv6 address do not separate a port.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') && text.parse::<IpAddr>().is_err() => {
                (host, Some(port.parse().ok()?))
            }
            Some(_) | None => (text, None),
        };
        let host = without_brackets(host);
        let hosts = match host.parse::<IpAddr>() {
            Ok(address) => Hosts::Network(address, width(address)),
            Err(_) => Hosts::Domain(host.trim_matches('.').to_ascii_lowercase()),
        };
        (hosts != Hosts::Domain(String::new())).then_some(Self { hosts, port })
    }
}

/// The number of bits of an address.
fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn is_within(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            (address.to_bits() ^ network.to_bits()).leading_zeros() >= bits
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

fn is_below(host: &str, domain: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_suffix(domain).is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_hosts_are_in_a_list() {
        for (list, host, port, expected) in [
            ("", "a", 80, false),
            ("*", "a", 80, true),
            ("a, *", "b", 80, true),
            ("example.com", "example.com", 80, true),
            ("example.com", "www.example.com", 80, true),
            ("example.com", "EXAMPLE.com.", 80, true),
            ("example.com", "notexample.com", 80, false),
            (".example.com", "example.com", 80, true),
            (".Example.com.", "www.example.com", 80, true),
            ("x,example.com y", "example.com", 80, true),
            ("x example.com", "example.com", 80, true),
            ("example.com:81", "example.com", 80, false),
            ("example.com:81", "www.example.com", 81, true),
            ("example.com:x", "example.com", 80, false),
            ("com", "example.com", 80, true),
            (".", "example.com", 80, false),
            ("127.0.0.1", "127.0.0.1", 80, true),
            ("0.0.1", "127.0.0.1", 80, false),
            ("127.0.0.1:81", "127.0.0.1", 80, false),
            ("127.0.0.1:81", "127.0.0.1", 81, true),
            ("10.0.0.0/8", "10.1.2.3", 80, true),
            ("10.0.0.0/8", "11.1.2.3", 80, false),
            ("10.0.0.0/0", "11.1.2.3", 80, true),
            ("10.0.0.0/33", "10.0.0.0", 80, false),
            ("10.0.0.0/8", "10.example.com", 80, false),
            ("::1", "::1", 80, true),
            ("[::1]", "::1", 80, true),
            ("[::1]:81", "::1", 80, false),
            ("[::1]:81", "::1", 81, true),
            ("fe80::/10", "fe80::1:2", 80, true),
            ("fe80::/10", "::1", 80, false),
            ("fe80::/10", "fe80::1%eth0", 80, true),
            ("::/0", "1.2.3.4", 80, false),
        ] {
            let found = Bypass::parse(list).has(&Origin::http(host, port));
            assert_eq!(found, expected, "{list:?} {host} {port}");
        }
    }
}
