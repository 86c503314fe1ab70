//! The subprotocols that a client offers. RFC 6455 1.9.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::http::RequestHead;
use crate::http::grammar::characters;

/// A subprotocol that a request offers. RFC 6455 1.9.
///
/// Only a request makes one, so a server can only choose what was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subprotocol(Box<str>);

impl Subprotocol {
    /// Returns the subprotocols that `request` offers, in the client's order of preference. They do not borrow the
    /// request, so its exchange can be accepted with one of them.
    ///
    /// ```
    /// # use endwell_core::ws::{Acceptance, SocketLimits, Subprotocol};
    /// # use endwell_core::http::RequestHead;
    /// # fn f(request: &RequestHead, mut acceptance: Acceptance) -> Acceptance {
    /// if let Some(chat) = Subprotocol::offered(request).find(|offered| offered.as_str() == "chat.v2") {
    ///     acceptance = acceptance.subprotocol(chat);
    /// }
    /// # acceptance
    /// # }
    /// ```
    pub fn offered(request: &RequestHead) -> impl Iterator<Item = Self> + use<> {
        let mut names = Vec::new();
        for element in request.fields().list(SUBPROTOCOLS).filter(|element| characters::is_token(element)) {
            names.extend_from_slice(element);
            names.push(b',');
        }
        let mut begin = 0;
        core::iter::from_fn(move || {
            let rest = names.get(begin..)?;
            let name = rest.get(..characters::find(b',', rest)?)?;
            begin += name.len() + ",".len();
            // A token is ASCII.
            Some(Self(core::str::from_utf8(name).ok()?.into()))
        })
    }

    /// True if `request` offers this subprotocol.
    pub(in crate::ws) fn is_offered(&self, request: &RequestHead) -> bool {
        request.fields().list(SUBPROTOCOLS).any(|element| element == self.0.as_bytes())
    }

    /// The name of the subprotocol.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(in crate::ws) fn into_text(self) -> Box<str> {
        self.0
    }
}

/// The field that lists them.
pub(in crate::ws) const SUBPROTOCOLS: &str = "sec-websocket-protocol";
