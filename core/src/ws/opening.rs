//! The client's side of the opening handshake. RFC 6455 4.1.

use alloc::boxed::Box;

use super::accept::only;
use super::mask::Masks;
use super::offer::Offer;
use super::{Role, WebSocket};
use crate::http::client::{Arrived, Client, Failure, Finished, Received, Terms, Waiting};
use crate::http::{InterimResponse, Version};
use crate::{Deadline, Inbox, Outbox, Step, Violation};

/// An opening handshake whose answer has not come. There is nothing to write with until it has, and only if it is
/// the right one.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Handshake {
    waiting: Waiting,
    offer: Offer,
    masks: Masks,
}

/// The answer to a handshake.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum Opening {
    /// The WebSocket is open. The head of the 101 is for what the server has said besides, a cookie say.
    Open(WebSocket, InterimResponse),
    /// The server has answered with something else: a redirect, a refusal, a wish for credentials. The connection still
    /// speaks HTTP: the response has a body to read, and after it the connection can be used again as after any other
    /// request.
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
    /// Where received bytes go. Also the first frames: the WebSocket receives them.
    pub fn inbox(&mut self) -> &mut Inbox {
        self.waiting.inbox()
    }

    /// The answer, if its head has arrived. Other interim responses are passed over.
    ///
    /// # Errors
    ///
    /// A 101 that does not answer this handshake, or whatever
    /// [`Response::poll`](crate::http::client::Response::poll) fails with. The connection is gone.
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

    /// The server is not waited for at the moment: the request is not out yet. Silence counts from the next look at the
    /// stream, except within a head.
    pub fn pause(&mut self) {
        self.waiting.pause();
    }

    /// When to poll again though nothing arrived: read first, then say [`Inbox::dry`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.waiting.deadline()
    }

    /// True if no byte of an answer has come.
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

/// True if an extension may be agreed on: what the answer says of it is checked then.
fn offers_extensions(offer: &Offer) -> bool {
    #[cfg(feature = "deflate")]
    return offer.deflate.is_some();
    #[cfg(not(feature = "deflate"))]
    {
        let Offer { .. } = offer;
        false
    }
}

/// Checks all that RFC 6455 4.1 asks of a 101. Gives the subprotocol.
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
