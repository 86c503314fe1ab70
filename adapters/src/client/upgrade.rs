//! The opening handshake of a WebSocket. RFC 6455 4.1.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endwell_core::http::InterimHead;

use super::asked::Asked;
use super::asking::Answer;
use super::request_error::RequestError;
use super::response::ResponseReader;
use crate::ws::Socket;

/// A handshake without a response so far. Await it. If it is dropped, the connection closes.
///
/// # Errors
///
/// The server sent another response ([`NotUpgraded::Refused`]), an invalid one, or none.
///
/// # Cancel safety
///
/// Cancel safe if it is awaited as `&mut upgrade`.
#[must_use = "dropping it closes the connection"]
pub struct UpgradeFuture(pub(crate) Asked);

/// A WebSocket that a server has opened, with the head of its response.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub struct Switched {
    /// The WebSocket.
    pub socket: Socket,
    /// The head of the 101. It may carry more from the server, for example a cookie.
    pub head: InterimHead,
}

/// Why a connection did not become a WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotUpgraded {
    /// The server sent another response: a redirect, a refusal, a request for credentials. After its body the
    /// connection can be used again as after any other request.
    Refused(Box<ResponseReader>),
    /// No response came, or an invalid one. The connection is lost.
    Failed(RequestError),
}

impl fmt::Display for NotUpgraded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(received) => {
                write!(f, "the server refused to open a WebSocket, with {}", received.status())
            }
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NotUpgraded {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

impl UpgradeFuture {
    /// Sets the time from the request to the first byte of its answer, instead of
    /// [`HttpLimits::response_time`](crate::http::HttpLimits::response_time). `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.0.set_response_time(time);
    }
}

impl Future for UpgradeFuture {
    type Output = Result<Switched, NotUpgraded>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(asked) = self.get_mut();
        Poll::Ready(match ready!(asked.poll_answer(cx)) {
            Ok((right, Answer::Open(subprotocol, head))) => {
                let socket = Socket::new(Arc::clone(right.link()), subprotocol);
                Ok(Switched { socket, head })
            }
            Ok((right, Answer::Response(head))) => {
                let response = ResponseReader::new(right, head).within(asked.take_time());
                Err(NotUpgraded::Refused(response.into()))
            }
            Err(failure) => Err(NotUpgraded::Failed(failure)),
            // Nothing else answers an offer.
            Ok((_, Answer::Through(_))) => return Poll::Pending,
        })
    }
}

impl fmt::Debug for UpgradeFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeFuture").finish_non_exhaustive()
    }
}
