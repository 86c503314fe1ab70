//! What follows an exchange.

use super::between::Server;
use super::linger::Linger;
use super::receive::RequestBody;
use super::respond::Finished;
use super::send::{Aborted, Cut};
use crate::http::received::persistence::Persistence;
use crate::{Deadline, Inbox, Step, convert};

/// What a connection becomes after a response was written to its end.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum After {
    /// Both sides are complete: the next request may come.
    Again(Server),
    /// The connection stays open if the rest of the request's body, which is read first, is short enough.
    Drain(Drain),
    /// The connection closes.
    Linger(Linger),
}

/// What a connection becomes after a response was cut off.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum Abandoned {
    /// The client can tell that data is missing: write what is queued, and close.
    Linger(Linger),
    /// A close would look like the end of the response: reset the connection.
    Reset,
}

/// Discards the rest of a request's body, so that the next request can be read.
///
/// Reads at most [`Limits::drain_bytes`](crate::http::Limits::drain_bytes), framing included.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Drain {
    recv: RequestBody,
    /// Bytes that may still be read.
    left: u64,
}

impl RequestBody {
    /// Ends the exchange once the response is complete, and returns what the connection becomes.
    pub fn after(self, sent: Finished) -> After {
        match sent.persistence {
            Persistence::Keep if self.is_done() => After::Again(self.again()),
            Persistence::Keep if !self.has_failed() => After::Drain(Drain::new(self)),
            Persistence::Keep | Persistence::Close => After::Linger(self.linger()),
        }
    }

    /// Ends the exchange after the response was cut off, and returns what the connection becomes.
    pub fn abandon(self, aborted: Aborted) -> Abandoned {
        match aborted.cut {
            Cut::Visible => Abandoned::Linger(self.linger()),
            Cut::Invisible => Abandoned::Reset,
        }
    }

    fn again(self) -> Server {
        let (inbox, limits) = self.into_parts();
        Server::again(inbox, limits)
    }

    fn linger(self) -> Linger {
        let (inbox, limits) = self.into_parts();
        Linger::new(inbox, limits)
    }
}

impl Drain {
    fn new(recv: RequestBody) -> Self {
        Self { left: recv.limits().drain_bytes, recv }
    }

    /// The inbox for received bytes.
    pub fn inbox(&mut self) -> &mut Inbox {
        self.recv.inbox()
    }

    /// Discards what arrived of the body, and is done at its end.
    ///
    /// # Errors
    ///
    /// The rest of the body breaks the protocol or a limit, or is longer than is worth reading. The response is already
    /// sent, so no error can be reported to the peer: the connection closes.
    pub fn poll(mut self) -> Result<Step<Self, Server>, Linger> {
        let unread = self.recv.inbox().len();
        self.recv.discard();
        let read = convert::u64_from(unread.saturating_sub(self.recv.inbox().len()));
        let left = self.left.checked_sub(read);
        match left.filter(|&left| self.recv.remaining().is_none_or(|rest| rest <= left)) {
            Some(left) if !self.recv.has_failed() => {
                self.left = left;
                Ok(if self.recv.is_done() { Step::Done(self.recv.again()) } else { Step::Wait(self) })
            }
            _ => Err(self.recv.linger()),
        }
    }

    /// When to poll again even if nothing arrives.
    pub fn deadline(&self) -> Option<Deadline> {
        self.recv.deadline()
    }
}
