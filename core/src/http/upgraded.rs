//! A connection that another protocol uses.

use alloc::boxed::Box;
use bytes::Bytes;

use crate::Inbox;

/// A connection that uses another protocol from here on.
///
/// A server's answer is in the outbox; a client's request was answered. This holds the bytes that arrived after the
/// last HTTP message.
#[derive(Debug)]
#[must_use = "it holds the bytes behind the last message"]
pub struct Upgraded {
    inbox: Box<Inbox>,
}

impl Upgraded {
    pub(super) fn new(inbox: Box<Inbox>) -> Self {
        Self { inbox }
    }

    /// The bytes after the last HTTP message: the first of the new protocol.
    pub fn leftover(&self) -> &[u8] {
        self.inbox.unread()
    }

    /// True if the stream has ended after these bytes.
    pub fn has_ended(&self) -> bool {
        self.inbox.has_ended()
    }

    /// The bytes after the last HTTP message, owned.
    pub fn into_leftover(mut self) -> Bytes {
        let len = self.inbox.len();
        self.inbox.payload(len).take()
    }
}
