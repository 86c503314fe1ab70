//! Whom a message is for, as a subject of the bus.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::super::ConnectionKey;
use super::id::{NodeId, Unreadable, WireKey};

/// The receivers of a message, wherever they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::hub) enum To {
    /// The subscribers of a topic.
    Topic(Arc<str>),
    /// The connections of a user.
    User(Arc<str>),
    /// All connections of all nodes.
    Everyone,
    /// One connection of a node.
    Connection(NodeId, ConnectionKey),
}

/// A subject, without the prefix of the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// `m.`: a message.
    Message(To),
    /// `c.lease`: that a node lives, and how far it is.
    Lease,
    /// `c.presence`: the changes of a node's members.
    Presence,
    /// `c.node.<node>`: what one node is asked or told.
    Node(NodeId),
}

/// What a name keeps as it is: none of these means anything to a bus.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// The name that is empty: a bus has no empty tokens, and no encoded name is this.
const EMPTY: &str = "%";

struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str(EMPTY) } else { utf8_percent_encode(self.0, NAME).fmt(f) }
    }
}

fn name(token: &str) -> Result<Arc<str>, Unreadable> {
    if token == EMPTY {
        return Ok("".into());
    }
    if token.is_empty() || token.contains('.') {
        return Err(Unreadable("a name is one token"));
    }
    let name = percent_decode_str(token).decode_utf8();
    name.map(|name: Cow<'_, str>| name.into()).map_err(|_| Unreadable("a name is UTF-8"))
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Topic(topic) => write!(f, "m.topic.{}", Name(topic)),
            Self::User(user) => write!(f, "m.user.{}", Name(user)),
            Self::Everyone => f.write_str("m.all"),
            Self::Connection(node, key) => write!(f, "m.conn.{node}.{}", WireKey(*key)),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message(to) => to.fmt(f),
            Self::Lease => f.write_str("c.lease"),
            Self::Presence => f.write_str("c.presence"),
            Self::Node(node) => write!(f, "c.node.{node}"),
        }
    }
}

impl Subject {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        let unknown = Unreadable("a subject of a hub");
        let (kind, rest) = text.split_once('.').ok_or(unknown)?;
        let (what, rest) = rest.split_once('.').map_or((rest, None), |(what, rest)| (what, Some(rest)));
        match (kind, what, rest) {
            ("m", "topic", Some(topic)) => Ok(Self::Message(To::Topic(name(topic)?))),
            ("m", "user", Some(user)) => Ok(Self::Message(To::User(name(user)?))),
            ("m", "all", None) => Ok(Self::Message(To::Everyone)),
            ("m", "conn", Some(connection)) => {
                let (node, key) = connection.split_once('.').ok_or(unknown)?;
                let WireKey(key) = key.parse()?;
                Ok(Self::Message(To::Connection(node.parse()?, key)))
            }
            ("c", "lease", None) => Ok(Self::Lease),
            ("c", "presence", None) => Ok(Self::Presence),
            ("c", "node", Some(node)) => Ok(Self::Node(node.parse()?)),
            _ => Err(unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, proptest};

    use super::*;

    const NODE: NodeId = NodeId::new(0x9f86_d081_884c_7d65);

    #[test]
    fn subjects_are_what_a_shell_would_write() {
        let key = ConnectionKey::here(12, crate::hub::registry::Slot::new(3));
        let cases = [
            (Subject::Message(To::Topic("lobby".into())), "m.topic.lobby"),
            (Subject::Message(To::Topic("a b.c/ü".into())), "m.topic.a%20b%2Ec%2F%C3%BC"),
            (Subject::Message(To::Topic("*".into())), "m.topic.%2A"),
            (Subject::Message(To::Topic("".into())), "m.topic.%"),
            (Subject::Message(To::User("%".into())), "m.user.%25"),
            (Subject::Message(To::User("x_y-9".into())), "m.user.x_y-9"),
            (Subject::Message(To::Everyone), "m.all"),
            (Subject::Message(To::Connection(NODE, key)), "m.conn.9f86d081884c7d65.12-3"),
            (Subject::Lease, "c.lease"),
            (Subject::Presence, "c.presence"),
            (Subject::Node(NODE), "c.node.9f86d081884c7d65"),
        ];
        for (subject, text) in cases {
            assert_eq!(subject.to_string(), text);
            assert_eq!(Subject::parse(text), Ok(subject));
        }
    }

    #[test]
    fn what_is_not_a_subject_is_refused() {
        let texts = [
            "",
            "m",
            "m.",
            "m.topic",
            "m.topic.",
            "m.topic.a.b",
            "m.user.",
            "m.all.x",
            "m.conn.x.1-2",
            "c.node.",
            "m.conn.9f86d081884c7d65",
            "m.conn.9f86d081884c7d65.1",
            "m.conn.9f86d081884c7d65.+1-2",
            "c.lease.x",
            "c.node.9F86D081884C7D65",
            "c.node.+f86d081884c7d65",
            "x.y",
            "m.topic.%ff",
        ];
        for text in texts {
            assert!(Subject::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

        #[test]
        fn every_name_comes_back_and_is_one_token_of_plain_letters(topic in ".{0,40}") {
            let subject = Subject::Message(To::Topic(topic.as_str().into()));
            let text = subject.to_string();
            let token = text.strip_prefix("m.topic.").unwrap();
            assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_%".contains(&byte)), "{token}");
            assert!(!token.is_empty());
            assert_eq!(Subject::parse(&text), Ok(subject));
        }

        #[test]
        fn no_subject_panics(text in "[mc]?[.a-z%0-9-]{0,40}") {
            let _ = Subject::parse(&text);
        }
    }
}
