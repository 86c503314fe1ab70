//! The client's side of the opening handshake. RFC 6455 4.1.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::time::Duration;

use super::key::only;
use super::offer::Offer;
use crate::http::client::{Arrived, Client, Failure, Finished, Received, Terms, Waiting};
use crate::http::{InterimResponse, Version};
use crate::ws::limits::Limits;
use crate::ws::receive::keep_alive::Jitter;
use crate::ws::socket::Socket;
use crate::ws::wire::mask::Masks;
use crate::ws::{Role, WebSocket};
use crate::{Deadline, Inbox, Outbox, Step, Violation};

/// An opening handshake without a response so far. Only the right response brings the right to write.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Handshake {
    waiting: Waiting,
    offer: Offer,
    masks: Masks,
}

/// The response to a handshake.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum Opening {
    /// The WebSocket is open. The head of the 101 may carry more from the server, for example a cookie.
    Open(WebSocket, InterimResponse),
    /// The server sent another response: a redirect, a refusal, a request for credentials. The connection still uses
    /// HTTP: the response has a body to read, and after it the connection can be used again as after any other request.
    Refused(Received, Finished),
}

impl Client {
    /// Asks for a WebSocket. `masks` makes the mask key of each frame.
    pub fn upgrade(self, offer: Offer, masks: Masks, out: &mut Outbox) -> Handshake {
        let waiting = self.ask(&offer.head(), out);
        Handshake { waiting, offer, masks }
    }
}

impl Handshake {
    /// The inbox for received bytes. It also takes the first frames, which the WebSocket receives.
    pub fn inbox(&mut self) -> &mut Inbox {
        self.waiting.inbox()
    }

    /// Returns the response, if its head has arrived. Skips other interim responses.
    ///
    /// # Errors
    ///
    /// A 101 that does not match this handshake, or any error of
    /// [`Response::poll`](crate::http::client::Response::poll). The connection is lost.
    pub fn poll(mut self) -> Result<Step<Self, Opening>, Failure> {
        loop {
            match self.waiting.poll()? {
                None => return Ok(Step::Wait(self)),
                Some(Arrived::Interim(head)) if head.status() == 101 => return self.open(head),
                Some(Arrived::Interim(_) | Arrived::Continue) => {}
                Some(Arrived::Final(head)) => {
                    let received = Received::new(self.waiting, head, Terms::UPGRADE)?;
                    return Ok(Step::Done(Opening::Refused(received, Finished::new())));
                }
            }
        }
    }

    /// Notes that the caller does not wait for the server now: the request is not written out. Silence counts from the
    /// next look at the stream, except within a head.
    pub fn pause(&mut self) {
        self.waiting.pause();
    }

    /// Sets the time from the request to the first byte of its answer, instead of
    /// [`Limits::response_time`](crate::http::Limits::response_time). `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.waiting.set_response_time(time);
    }

    /// When to poll again even if nothing arrives: read first, then call [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.waiting.deadline()
    }

    /// True if no byte of a response has arrived.
    pub fn is_untouched(&self) -> bool {
        self.waiting.is_untouched()
    }

    fn open(self, head: InterimResponse) -> Result<Step<Self, Opening>, Failure> {
        let subprotocol = check(&head, &self.offer)?;
        #[cfg(feature = "deflate")]
        let agreement = match &self.offer.deflate {
            Some(deflate) => deflate.confirm(head.fields().get_all("sec-websocket-extensions"))?,
            None => None,
        };
        let Offer { limits, jitter, .. } = self.offer;
        let mut inbox = self.waiting.into_inbox();
        inbox.set_limit(limits.received());
        let socket = WebSocket::new(*inbox, Role::Client(self.masks), limits, jitter, subprotocol);
        #[cfg(feature = "deflate")]
        let socket = match &agreement {
            Some(agreement) => socket.deflate(agreement),
            None => socket,
        };
        Ok(Step::Done(Opening::Open(socket, head)))
    }
}

/// What a 101 grants.
#[derive(Debug)]
pub(crate) struct Granted {
    subprotocol: Option<Box<str>>,
    #[cfg(feature = "deflate")]
    agreement: Option<crate::ws::Agreement>,
}

impl Offer {
    /// Checks a 101 against this offer.
    pub(crate) fn check(&self, head: &InterimResponse) -> Result<Granted, Violation> {
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
        socket: impl FnOnce(Arc<Limits>, Jitter, Option<Box<str>>) -> Socket,
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
fn check(head: &InterimResponse, offer: &Offer) -> Result<Option<Box<str>>, Violation> {
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
