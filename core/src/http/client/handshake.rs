//! A request for another protocol.

use alloc::boxed::Box;
use core::time::Duration;

use super::awaited::Arrived;
use super::call::{Call, Sent};
use super::failure::Failure;
use super::{Inner, grace};
use crate::closing::{Closing, Manner};
use crate::http::{Fields, InterimHead, ResponseHead, Upgrade};
use crate::ws::{Granted, Masks, Offer, Role, Socket};
use crate::{Io, Outcome, Upgraded, Violation};

/// A request for another protocol that has no response yet. There is nothing to write with before it is granted.
///
/// `T` is what it becomes: a [`Socket`], or an [`Upgraded`] connection.
#[derive(Debug)]
#[must_use = "dropping it closes the connection"]
pub struct Handshake<T> {
    inner: Box<Inner>,
    asked: Asked<T>,
}

/// What a handshake becomes.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub enum Opening<T> {
    /// No response has arrived completely: write, read, and poll again.
    Wait(Handshake<T>),
    /// The other protocol has the connection. The head may carry more from the server, for example a cookie.
    Open(GrantHead, T),
    /// The server sent another response: what was asked for without a switch, a redirect, a refusal, a request for
    /// credentials. The connection still uses HTTP.
    Refused(Call<Sent>),
    /// A 101 that does not match this handshake, or any failure of a response. The connection is lost.
    Failed(Failure),
}

/// The head of the response that grants another protocol.
#[derive(Clone, Debug)]
pub enum GrantHead {
    /// A 101, which switches to the protocol that was asked for.
    Switching(Box<InterimHead>),
    /// A 2xx to CONNECT.
    Success(Box<ResponseHead>),
}

impl GrantHead {
    /// The fields.
    pub fn fields(&self) -> &Fields {
        match self {
            Self::Switching(head) => head.fields(),
            Self::Success(head) => head.fields(),
        }
    }
}

/// What was asked for.
enum Asked<T> {
    Tunnel(fn(Inner) -> T),
    Switch(Box<Upgrade>, fn(Inner) -> T),
    Socket(Box<(Offer, Masks)>, fn(Inner, Offer, Masks, Granted) -> T),
}

impl<T> core::fmt::Debug for Asked<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Tunnel(_) => "Tunnel",
            Self::Switch(..) => "Switch",
            Self::Socket(..) => "Socket",
        })
    }
}

fn upgraded(inner: Inner) -> Upgraded {
    Upgraded::new(inner.conn, grace(&inner.response))
}

impl Handshake<Upgraded> {
    pub(super) fn tunnel(inner: Box<Inner>) -> Self {
        Self { inner, asked: Asked::Tunnel(upgraded) }
    }

    pub(super) fn switch(inner: Box<Inner>, head: Upgrade) -> Self {
        Self { inner, asked: Asked::Switch(Box::new(head), upgraded) }
    }
}

impl Handshake<Socket> {
    pub(super) fn websocket(inner: Box<Inner>, offer: Offer, masks: Masks) -> Self {
        let open = |inner: Inner, offer: Offer, masks, granted| {
            offer.open(granted, |limits, jitter, subprotocol| {
                Socket::new(inner.conn, Role::Client(masks), limits, jitter, subprotocol)
            })
        };
        Self { inner, asked: Asked::Socket(Box::new((offer, masks)), open) }
    }
}

impl<T> Handshake<T> {
    /// The transport's side.
    pub fn io(&mut self) -> Io<'_> {
        Io::new(&mut self.inner.conn, &mut self.inner.response)
    }

    /// Sets the time from when the server has the request to the first byte of its response, instead of
    /// [`HttpLimits::response_time`](crate::http::HttpLimits::response_time). `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.inner.response.set_response_time(time);
    }

    /// True if no byte of a response has arrived.
    pub fn is_untouched(&self) -> bool {
        self.inner.response.is_untouched(&self.inner.conn.inbox)
    }

    /// Gives the handshake up: the connection is reset.
    pub fn abort(self) -> Closing {
        Closing::new(self.inner.conn, Outcome::Aborted, Manner::Reset)
    }

    /// Returns what the handshake becomes, if the response has arrived. Skips interim responses.
    ///
    /// Ignores Content-Length and Transfer-Encoding in a 2xx to CONNECT (RFC 9112 6.3).
    pub fn poll(mut self) -> Opening<T> {
        loop {
            let Inner { conn, response, .. } = &mut *self.inner;
            let head = match response.poll_head(&mut conn.inbox) {
                Ok(None) => return Opening::Wait(self),
                Ok(Some(Arrived::Continue)) => continue,
                Ok(Some(Arrived::Interim(head))) if head.status() != 101 => continue,
                Ok(Some(Arrived::Interim(head))) => Some(head),
                Ok(Some(Arrived::Final)) => None,
                Err(failure) => return Opening::Failed(failure),
            };
            return match (self.asked, head) {
                (Asked::Tunnel(_), Some(head)) => {
                    let expected = "no 101 to a CONNECT";
                    let violation = Violation::new(expected, head.as_bytes(), "RFC 9110 15.2.2");
                    Opening::Failed(violation.into())
                }
                (Asked::Switch(asked, open), Some(head)) => match asked.check(&head) {
                    Ok(()) => Opening::Open(GrantHead::Switching(head), open(*self.inner)),
                    Err(violation) => Opening::Failed(violation.into()),
                },
                (Asked::Socket(asked, open), Some(head)) => {
                    let (offer, masks) = *asked;
                    match offer.check(&head) {
                        Ok(granted) => {
                            let socket = open(*self.inner, offer, masks, granted);
                            Opening::Open(GrantHead::Switching(head), socket)
                        }
                        Err(violation) => Opening::Failed(violation.into()),
                    }
                }
                (Asked::Tunnel(open), None) if response.is_success() => match response.head.take() {
                    Some(head) => Opening::Open(GrantHead::Success(head), open(*self.inner)),
                    None => Opening::Failed(Failure::Unanswered),
                },
                (Asked::Tunnel(_) | Asked::Switch(..) | Asked::Socket(..), None) => {
                    match response.begin_body(&mut conn.inbox) {
                        Ok(()) => Opening::Refused(Call::answered(self.inner, Sent::new())),
                        Err(failure) => Opening::Failed(failure),
                    }
                }
            };
        }
    }
}
