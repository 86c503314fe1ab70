//! The head of a request that offers another protocol.

use alloc::boxed::Box;

use crate::Violation;
use crate::http::grammar::characters;
use crate::http::{Field, InterimHead, InvalidRequest, Request, Version};

/// The head of a request that offers to switch the connection to another protocol. RFC 9110 7.8.
///
/// The protocol is text, so it is checked once, when the head is made. A WebSocket has its own type,
/// [`ws::Offer`](crate::ws::Offer).
///
/// ```
/// use endwell_core::http::{Method, Request, Upgrade};
///
/// let head = Upgrade::new(Request::new(Method::Get, "example.com", "/")?, "tool/1.0")?;
/// assert_eq!(head.protocol(), "tool/1.0");
/// # Ok::<(), endwell_core::http::InvalidRequest>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    head: Request,
    protocol: Box<str>,
}

impl Upgrade {
    /// Offers `protocol` in addition to what `head` asks for: `name`, or `name/version`.
    ///
    /// # Errors
    ///
    /// [`InvalidRequest::Protocol`] if it is not one.
    pub fn new(head: Request, protocol: &str) -> Result<Self, InvalidRequest> {
        let (name, version) = protocol.split_once('/').unwrap_or((protocol, "-"));
        if !characters::is_token(name.as_bytes()) || !characters::is_token(version.as_bytes()) {
            return Err(InvalidRequest::Protocol);
        }
        Ok(Self { head, protocol: protocol.into() })
    }

    /// The request.
    pub fn head(&self) -> &Request {
        &self.head
    }

    /// The protocol that is offered.
    pub fn protocol(&self) -> &str {
        &self.protocol
    }

    /// The request as it is sent.
    pub(in crate::http) fn offer(&self) -> Request {
        let mut head = self.head.clone();
        head.fields_mut().push(Field::own("connection", b"upgrade"));
        head.fields_mut().push(Field::own("upgrade", self.protocol.as_bytes()));
        head
    }

    /// Checks that a 101 switches to what was offered.
    pub(in crate::http) fn check(&self, head: &InterimHead) -> Result<(), Violation> {
        let fields = head.fields();
        let mut switched = fields.list("upgrade");
        let is_offered =
            switched.next().is_some_and(|first| first.eq_ignore_ascii_case(self.protocol.as_bytes()));
        let expected = if head.version() != Version::Http11 {
            "HTTP/1.1 in a 101"
        } else if !is_offered || switched.next().is_some() {
            "the protocol that was offered, and nothing else, in Upgrade"
        } else if !fields.list_contains("connection", "upgrade") {
            "`upgrade` in Connection"
        } else {
            return Ok(());
        };
        Err(Violation::new(expected, head.as_bytes(), "RFC 9110 7.8"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Method;

    #[test]
    fn a_protocol_cannot_split_a_request() {
        let head = || Request::new(Method::Get, "h", "/").unwrap();
        for protocol in ["", "/", "a/", "/1", "a/1/2", "a b", "a,b", "a\r\nx: y", "a/\r\nx: y", "\u{e9}"] {
            let reason = Upgrade::new(head(), protocol).err();
            assert_eq!(reason, Some(InvalidRequest::Protocol), "{protocol:?}");
        }
        for protocol in ["echo", "HTTP/2.0", "x-tool/a"] {
            assert_eq!(Upgrade::new(head(), protocol).unwrap().protocol(), protocol);
        }
    }
}
