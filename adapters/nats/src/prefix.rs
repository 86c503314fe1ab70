//! What all subjects of an application begin with.

use std::hash::{BuildHasher, RandomState};

use crate::ConnectError;

/// The most bytes of a prefix: 200, as of a name. NATS takes 4 KiB for the subject and the rest of its line.
const LONGEST: usize = 200;

/// What the subjects of clients begin with. Those of hubs begin with `m.` and `c.`.
const PRIVATE: &str = "self.";

/// A checked prefix, with a dot at its end.
#[derive(Clone, Debug)]
pub(crate) struct Prefix(String);

impl Prefix {
    /// Takes a prefix of one or more tokens with dots between them.
    pub(crate) fn parse(prefix: &str) -> Result<Self, ConnectError> {
        // `*` and `>` are wildcards, white space ends a subject in NATS' protocol, `$` begins what belongs to the server.
        let is_token = |token: &str| {
            let mut bytes = token.bytes();
            !token.is_empty() && bytes.all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'*' | b'>'))
        };
        if prefix.len() > LONGEST || prefix.starts_with('$') || !prefix.split('.').all(is_token) {
            return Err(ConnectError::Prefix(prefix.to_owned()));
        }
        Ok(Self(format!("{prefix}.")))
    }

    /// The subject of the one subscription.
    pub(crate) fn everything(&self) -> String {
        format!("{}>", self.0)
    }

    /// A whole subject.
    pub(crate) fn add(&self, subject: &str) -> String {
        format!("{}{subject}", self.0)
    }

    /// A subject for what a client asks itself.
    pub(crate) fn private(&self) -> String {
        format!("{}{PRIVATE}{:016x}", self.0, RandomState::new().hash_one(0))
    }

    /// Whether a subject without the prefix is one of those.
    pub(crate) fn is_private(subject: &str) -> bool {
        subject.starts_with(PRIVATE)
    }

    /// A subject without the prefix, if it is one of ours.
    pub(crate) fn strip<'a>(&self, subject: &'a str) -> Option<&'a str> {
        subject.strip_prefix(&*self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_tokens_with_dots_between() {
        let prefix = Prefix::parse("prod.chat-1").unwrap();
        assert_eq!(prefix.everything(), "prod.chat-1.>");
        assert_eq!(prefix.add("m.all"), "prod.chat-1.m.all");
        assert_eq!(prefix.strip("prod.chat-1.m.all"), Some("m.all"));
        assert_eq!(prefix.strip("prod.chat-10.m.all"), None);
    }

    #[test]
    fn what_is_none_is_refused() {
        let long = "x".repeat(LONGEST + 1);
        let wrong = [
            "",
            ".",
            "a.",
            ".a",
            "a..b",
            "a.*",
            ">",
            "a.>b",
            "a b",
            "a\tb",
            "a\r\nPUB x 0",
            "$SYS",
            "ä",
            &long,
        ];
        for prefix in wrong {
            let Err(error) = Prefix::parse(prefix) else { panic!("{prefix:?}") };
            assert!(matches!(&error, ConnectError::Prefix(given) if given == prefix), "{error}");
        }
    }
}
