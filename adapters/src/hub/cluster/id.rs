//! The names of nodes, and of connections on any node.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::super::ConnectionKey;
use super::super::registry::Slot;

/// Names a node of a cluster: 8 bytes that it draws at random when it starts. A node that starts again is another node,
/// so its numbering needs no epoch.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(in crate::hub) struct NodeId(u64);

impl NodeId {
    /// Makes a name of a number, which must be random.
    pub(in crate::hub) const fn new(number: u64) -> Self {
        Self(number)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeId({self})")
    }
}

impl FromStr for NodeId {
    type Err = Unreadable;

    /// Reads 16 lowercase hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let is_digit = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if text.len() != 16 || !text.as_bytes().iter().all(is_digit) {
            return Err(Unreadable("a node's name is 16 hexadecimal digits"));
        }
        u64::from_str_radix(text, 16).map(Self).map_err(|_| Unreadable("a node's name"))
    }
}

impl TryFrom<String> for NodeId {
    type Error = Unreadable;

    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<NodeId> for String {
    fn from(node: NodeId) -> Self {
        node.to_string()
    }
}

/// A connection's key as it is written on the bus: `<number>-<slot>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct WireKey(pub(super) ConnectionKey);

impl fmt::Display for WireKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.number, self.0.slot.index())
    }
}

impl FromStr for WireKey {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let parts = text.split_once('-').and_then(|(number, slot)| Some((digits(number)?, digits(slot)?)));
        let (number, slot) = parts.ok_or(Unreadable("a connection's key is two numbers"))?;
        let slot = u32::try_from(slot).ok().and_then(|slot| usize::try_from(slot).ok());
        let slot = slot.map(Slot::new).ok_or(Unreadable("a slot is less than 2^32"))?;
        Ok(Self(ConnectionKey::here(number, slot)))
    }
}

impl TryFrom<String> for WireKey {
    type Error = Unreadable;

    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<WireKey> for String {
    fn from(key: WireKey) -> Self {
        key.to_string()
    }
}

/// Reads a number that is nothing but digits.
pub(super) fn digits(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

/// A text on the bus that is not what it should be: what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) struct Unreadable(pub(super) &'static str);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unreadable: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}
