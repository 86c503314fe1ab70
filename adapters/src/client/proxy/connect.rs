//! Asks an HTTP proxy for a tunnel: RFC 9110 9.3.6.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use endwell_core::http::client::{Client, Failure, Tunnelled};
use endwell_core::http::{ConnectHead, Field, Limits};
use endwell_core::{Error, Inbox, Outbox, Step};

use super::error::Reason;
use super::location::Proxy;
use crate::client::origin::Authority;
use crate::transport::Transport;

/// Opens a tunnel. Returns the bytes that came right after the response.
pub(super) async fn open<T: Transport>(
    proxy: &Proxy,
    transport: &mut T,
    origin: Authority<'_>,
    limits: &Arc<Limits>,
) -> Result<Bytes, Reason> {
    let mut head = ConnectHead::new(&origin.to_string()).map_err(|_invalid| Reason::Host)?;
    let credentials = proxy.credentials().map(super::location::Credentials::basic);
    if let Some(credentials) = &credentials {
        // Base64 is always a valid field value.
        let field = Field::new("proxy-authorization", credentials.as_bytes()).map_err(|_| Reason::Host)?;
        head = head.with(field);
    }
    let mut out = Outbox::default();
    let mut tunnel = Client::new(Arc::clone(limits)).tunnel(&head, &mut out);
    poll_fn(|cx| poll_write(transport, &mut out, cx)).await.map_err(Reason::Transport)?;
    loop {
        tunnel = match tunnel.poll() {
            Ok(Step::Wait(tunnel)) => tunnel,
            Ok(Step::Done(Tunnelled::Open(_, upgraded))) => return Ok(upgraded.into_leftover()),
            Ok(Step::Done(Tunnelled::Refused(received, _))) => {
                return Err(Reason::Refused(received.head.into()));
            }
            Err(Failure::Unanswered) => return Err(Reason::Closed),
            Err(Failure::Error(Error::Limit(exceeded))) => return Err(Reason::Limit(exceeded)),
            Err(Failure::Error(Error::Protocol(violation))) => {
                // The server may have echoed our own head.
                return Err(Reason::Protocol(if credentials.is_some() {
                    format!("expected {} ({})", violation.expected(), violation.section())
                } else {
                    violation.to_string()
                }));
            }
        };
        poll_fn(|cx| poll_fill(transport, tunnel.inbox(), cx)).await.map_err(Reason::Transport)?;
    }
}

/// Writes all of the output.
fn poll_write(
    transport: &mut impl Transport,
    out: &mut Outbox,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while !out.is_empty() {
        let slices = [IoSlice::new(out.chunk())];
        match ready!(transport.poll_write(cx, &slices)) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Ok(len) => out.advance(len),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
    transport.poll_flush(cx)
}

/// Reads once.
fn poll_fill(
    transport: &mut impl Transport,
    inbox: &mut Inbox,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    match ready!(transport.poll_read(cx, inbox.room())) {
        Ok(0) => inbox.end(),
        Ok(len) => inbox.filled(len),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(error) => return Poll::Ready(Err(error)),
    }
    Poll::Ready(Ok(()))
}
