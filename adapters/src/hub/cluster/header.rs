//! The one header that a node adds to a message.

use std::fmt;
use std::str::FromStr;

use super::id::{NodeId, Unreadable, digits};
use crate::ws::WhenFull;

/// What a node adds to a message: `1 <node> <seq> <text|binary> <drop-newest|drop-oldest|close>`. The first is the
/// version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// The node that sent the message.
    pub(super) node: NodeId,
    /// Its number among the messages of that node, from 1.
    pub(super) seq: u64,
    pub(super) kind: MessageKind,
    pub(super) policy: Policy,
}

/// Whether a message is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum MessageKind {
    /// Text, which is UTF-8.
    Text,
    /// Bytes.
    Binary,
}

impl MessageKind {
    /// The kind of a message that came without a header.
    pub(super) fn of(payload: &[u8]) -> Self {
        if std::str::from_utf8(payload).is_ok() { Self::Text } else { Self::Binary }
    }
}

/// What another node does for a receiver without room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::hub) enum Policy {
    /// [`WhenFull::DropNewest`]; [`WhenFull::Wait`] too, as only the sender's own node can wait for its receivers.
    DropNewest,
    /// [`WhenFull::DropOldest`], as for messages without a header.
    DropOldest,
    /// [`WhenFull::Close`].
    Close,
}

impl From<WhenFull> for Policy {
    fn from(when_full: WhenFull) -> Self {
        match when_full {
            WhenFull::Wait(_) | WhenFull::DropNewest => Self::DropNewest,
            WhenFull::DropOldest => Self::DropOldest,
            WhenFull::Close => Self::Close,
        }
    }
}

impl From<Policy> for WhenFull {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::DropNewest => Self::DropNewest,
            Policy::DropOldest => Self::DropOldest,
            Policy::Close => Self::Close,
        }
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { node, seq, kind, policy } = self;
        let kind = match kind {
            MessageKind::Text => "text",
            MessageKind::Binary => "binary",
        };
        let policy = match policy {
            Policy::DropNewest => "drop-newest",
            Policy::DropOldest => "drop-oldest",
            Policy::Close => "close",
        };
        write!(f, "1 {node} {seq} {kind} {policy}")
    }
}

impl FromStr for Header {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = Unreadable("a header of version 1");
        let mut words = text.split(' ');
        let mut word = || words.next().ok_or(unreadable);
        if word()? != "1" {
            return Err(unreadable);
        }
        let node = word()?.parse()?;
        let seq = digits(word()?).filter(|seq| (1..u64::MAX).contains(seq)).ok_or(unreadable)?;
        let kind = match word()? {
            "text" => MessageKind::Text,
            "binary" => MessageKind::Binary,
            _ => return Err(unreadable),
        };
        let policy = match word()? {
            "drop-newest" => Policy::DropNewest,
            "drop-oldest" => Policy::DropOldest,
            "close" => Policy::Close,
            _ => return Err(unreadable),
        };
        words.next().is_none().then_some(Self { node, seq, kind, policy }).ok_or(unreadable)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn headers_come_back() {
        for kind in [MessageKind::Text, MessageKind::Binary] {
            for policy in [Policy::DropNewest, Policy::DropOldest, Policy::Close] {
                let header = Header { node: NodeId::new(7), seq: 42, kind, policy };
                assert_eq!(header.to_string().parse(), Ok(header));
                assert_eq!(Policy::from(WhenFull::from(policy)), policy);
            }
        }
        let header = Header { node: NodeId::new(7), seq: 42, kind: MessageKind::Text, policy: Policy::Close };
        assert_eq!(header.to_string(), "1 0000000000000007 42 text close");
        assert_eq!(Policy::from(WhenFull::Wait(Duration::ZERO)), Policy::DropNewest);
    }

    #[test]
    fn what_is_not_a_header_is_refused() {
        let texts = [
            "",
            "1",
            "2 0000000000000007 42 text close",
            "1 7 42 text close",
            "1 0000000000000007 0 text close",
            "1 0000000000000007 18446744073709551615 text close",
            "1 0000000000000007 18446744073709551616 text close",
            "1 0000000000000007 +2 text close",
            "1 0000000000000007 42 Text close",
            "1 0000000000000007 42 text wait",
            "1 0000000000000007 42 text close ",
            "1  0000000000000007 42 text close",
        ];
        for text in texts {
            assert!(text.parse::<Header>().is_err(), "{text}");
        }
    }
}
