//! A requested tunnel: CONNECT. RFC 9110 9.3.6.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use endwell_core::http::ResponseHead;
use endwell_core::http::client::GrantHead;

use super::asked::Asked;
use super::asking::Answer;
use super::request_error::RequestError;
use super::response::ResponseReader;
use crate::upgraded::Upgraded;

/// A CONNECT without a response so far. Await it. If it is dropped, the connection closes.
///
/// # Errors
///
/// The proxy responded with anything but a 2xx ([`NotTunnelled::Refused`]), invalidly, or not at all.
///
/// # Cancel safety
///
/// Cancel safe if it is awaited as `&mut tunnel`.
#[must_use = "dropping it closes the connection"]
pub struct TunnelFuture(pub(super) Asked);

/// A tunnel that a proxy has opened.
#[derive(Debug)]
#[must_use = "it holds the connection"]
pub struct Tunnelled {
    /// The bytes to and from the other end. It starts with those that came right after the response.
    pub stream: Upgraded,
    /// The head of the response. Content-Length and Transfer-Encoding mean nothing in it (RFC 9112 6.3).
    pub head: ResponseHead,
}

/// Why a connection did not become a tunnel.
#[derive(Debug)]
#[non_exhaustive]
pub enum NotTunnelled {
    /// The proxy sent another response: a refusal, or a request for credentials (407, whose `Proxy-Authenticate` names
    /// the scheme). After its body the connection can be used again as after any other request.
    Refused(Box<ResponseReader>),
    /// No response came, or an invalid one. The connection is lost.
    Failed(RequestError),
}

impl fmt::Display for NotTunnelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(received) => write!(f, "the proxy refused a tunnel, with {}", received.status()),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for NotTunnelled {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Refused(_) => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

impl TunnelFuture {
    /// Sets the time from the request to the first byte of its answer, instead of
    /// [`HttpLimits::response_time`](crate::http::HttpLimits::response_time). `None`: no limit.
    pub fn set_response_time(&mut self, time: Option<Duration>) {
        self.0.set_response_time(time);
    }
}

impl Future for TunnelFuture {
    type Output = Result<Tunnelled, NotTunnelled>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self(asked) = self.get_mut();
        Poll::Ready(match ready!(asked.poll_answer(cx)) {
            Ok((right, Answer::Through(GrantHead::Success(head)))) => {
                let stream = Upgraded::new(Arc::clone(right.link()));
                Ok(Tunnelled { stream, head: *head })
            }
            Ok((right, Answer::Response(head))) => {
                let response = ResponseReader::new(right, head).within(asked.take_time());
                Err(NotTunnelled::Refused(response.into()))
            }
            Err(failure) => Err(NotTunnelled::Failed(failure)),
            // Nothing else answers a CONNECT.
            Ok((_, Answer::Open(..) | Answer::Through(GrantHead::Switching(_)))) => return Poll::Pending,
        })
    }
}

impl fmt::Debug for TunnelFuture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TunnelFuture").finish_non_exhaustive()
    }
}
