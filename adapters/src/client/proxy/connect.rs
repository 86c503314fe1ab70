//! Asks an HTTP proxy for a tunnel: RFC 9110 9.3.6.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use endwell_core::http::client::{ClientConnection, Failure, Handshake, Opening};
use endwell_core::http::{Connect, Field, HttpLimits};
use endwell_core::{Arrived, Error, Instant, Look, OutboxLimits, Upgraded, Wrote};

use super::error::Reason;
use super::location::Proxy;
use crate::client::origin::Authority;
use crate::transport::Transport;

/// Opens a tunnel. Returns the bytes that came right after the response.
pub(super) async fn open<T: Transport>(
    proxy: &Proxy,
    transport: &mut T,
    origin: Authority<'_>,
    limits: &Arc<HttpLimits>,
) -> Result<Bytes, Reason> {
    let mut head = Connect::new(&origin.to_string()).map_err(|_invalid| Reason::Host)?;
    let credentials = proxy.credentials().map(super::location::Credentials::basic);
    if let Some(credentials) = &credentials {
        // Base64 is always a valid field value.
        let field = Field::new("proxy-authorization", credentials.as_bytes()).map_err(|_| Reason::Host)?;
        head = head.with(field);
    }
    let client = ClientConnection::new(Arc::clone(limits), OutboxLimits::default());
    let mut tunnel = client.tunnel(&head);
    poll_fn(|cx| poll_write(transport, &mut tunnel, cx)).await.map_err(Reason::Transport)?;
    loop {
        tunnel = match tunnel.poll() {
            Opening::Wait(tunnel) => tunnel,
            Opening::Open(_, upgraded) => return Ok(upgraded.into_parts().0),
            Opening::Refused(mut call) => {
                return Err(call.take_head().map_or(Reason::Closed, |head| Reason::Refused(head.into())));
            }
            Opening::Failed(Failure::Unanswered) => return Err(Reason::Closed),
            Opening::Failed(Failure::Error(Error::Limit(exceeded))) => return Err(Reason::Limit(exceeded)),
            Opening::Failed(Failure::Error(Error::Protocol(violation))) => {
                // The server may have echoed our own head.
                return Err(Reason::Protocol(if credentials.is_some() {
                    format!("expected {} ({})", violation.expected(), violation.section())
                } else {
                    violation.to_string()
                }));
            }
        };
        poll_fn(|cx| poll_read(transport, &mut tunnel, cx)).await.map_err(Reason::Transport)?;
    }
}

/// The caller bounds the time that the proxy may take.
fn no_clock() -> Instant {
    Instant::default()
}

/// Writes all of the request.
fn poll_write(
    transport: &mut impl Transport,
    tunnel: &mut Handshake<Upgraded>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    loop {
        let wrote = tunnel.io().write(no_clock(), |chunks| {
            let slices = [IoSlice::new(chunks.next().unwrap_or_default())];
            loop {
                return match transport.poll_write(cx, &slices) {
                    Poll::Ready(Ok(0)) => Err(io::Error::from(io::ErrorKind::WriteZero)),
                    Poll::Ready(Ok(len)) => Ok(Some(len)),
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Poll::Ready(Err(error)) => Err(error),
                    Poll::Pending => Ok(None),
                };
            }
        });
        match wrote? {
            Wrote::Something => {}
            Wrote::Empty => return transport.poll_flush(cx),
            Wrote::Blocked(_) | Wrote::Stalled(_) => return Poll::Pending,
        }
    }
}

/// Reads once.
fn poll_read(
    transport: &mut impl Transport,
    tunnel: &mut Handshake<Upgraded>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    let arrived = tunnel.io().read_ahead(no_clock(), |room| {
        loop {
            return match transport.poll_read(cx, room) {
                Poll::Ready(Ok(0)) => Ok(Look::End),
                Poll::Ready(Ok(len)) => Ok(Look::Bytes(len)),
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                Poll::Ready(Err(error)) => Err(error),
                Poll::Pending => Ok(Look::Nothing),
            };
        }
    })?;
    match arrived {
        Arrived::Nothing(_) => Poll::Pending,
        Arrived::Something | Arrived::Full | Arrived::Cut => Poll::Ready(Ok(())),
    }
}
