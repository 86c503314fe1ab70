//! The client's side of the opening handshake. RFC 6455 4.1.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::key::only;
use super::offer::Offer;
use crate::Violation;
use crate::http::{InterimHead, Version};
use crate::ws::Socket;
use crate::ws::limits::SocketLimits;
use crate::ws::receive::keep_alive::Jitter;

/// What a 101 grants.
#[derive(Debug)]
pub(crate) struct Granted {
    subprotocol: Option<Box<str>>,
    #[cfg(feature = "deflate")]
    agreement: Option<crate::ws::Agreement>,
}

impl Offer {
    /// Checks a 101 against this offer.
    pub(crate) fn check(&self, head: &InterimHead) -> Result<Granted, Violation> {
        Ok(Granted {
            subprotocol: check(head, self)?,
            #[cfg(feature = "deflate")]
            agreement: match &self.deflate {
                Some(deflate) => deflate.confirm(head.fields().get_all("sec-websocket-extensions"))?,
                None => None,
            },
        })
    }

    /// Opens the socket that was granted.
    pub(crate) fn open(
        self,
        granted: Granted,
        socket: impl FnOnce(Arc<SocketLimits>, Jitter, Option<Box<str>>) -> Socket,
    ) -> Socket {
        let Self { limits, jitter, .. } = self;
        let socket = socket(limits, jitter, granted.subprotocol);
        #[cfg(feature = "deflate")]
        let socket = match &granted.agreement {
            Some(agreement) => socket.deflate(agreement),
            None => socket,
        };
        socket
    }
}

/// True if an extension was offered. Its terms in the response are checked elsewhere.
fn offers_extensions(offer: &Offer) -> bool {
    #[cfg(feature = "deflate")]
    return offer.deflate.is_some();
    #[cfg(not(feature = "deflate"))]
    {
        let Offer { .. } = offer;
        false
    }
}

/// Checks all that RFC 6455 4.1 requires of a 101. Returns the subprotocol.
fn check(head: &InterimHead, offer: &Offer) -> Result<Option<Box<str>>, Violation> {
    let fields = head.fields();
    let all = |name| fields.get_all(name);
    let wrong = |expected, name| {
        let got = fields.get(name).unwrap_or_default();
        Err(Violation::new(expected, got, "RFC 6455 4.1"))
    };
    if head.version() != Version::Http11 {
        return Err(Violation::new("HTTP/1.1 in a 101", head.as_bytes(), "RFC 6455 4.1"));
    }
    if !only(all("upgrade")).is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) {
        return wrong("`websocket`, and nothing else, in Upgrade", "upgrade");
    }
    if !fields.list_contains("connection", "upgrade") {
        return wrong("`upgrade` in Connection", "connection");
    }
    if only(all("sec-websocket-accept")) != Some(offer.key.accept().as_bytes()) {
        return wrong("one Sec-WebSocket-Accept that answers our key", "sec-websocket-accept");
    }
    if !offers_extensions(offer) && fields.list("sec-websocket-extensions").next().is_some() {
        return wrong("no extension that was not offered", "sec-websocket-extensions");
    }
    let mut chosen = all("sec-websocket-protocol");
    let Some(first) = chosen.next() else { return Ok(None) };
    let offered = offer.subprotocols.iter().find(|offered| offered.as_bytes() == first);
    match offered.filter(|_| chosen.next().is_none()) {
        Some(offered) => Ok(Some(offered.clone())),
        None => wrong("one of the subprotocols that were offered", "sec-websocket-protocol"),
    }
}
