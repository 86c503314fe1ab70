//! Sockets without a network: what is sent is taken and forgotten, or never taken.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use endwell::tokio::Tokio;
use endwell::ws::{Jitter, Socket, SocketConfig};
use endwell::{Driver, OutboxLimits, Transport};
use endwell_core::ws::{self as core_ws, Role};

/// A peer that says nothing.
pub struct Wire {
    pub takes: bool,
}

impl Transport for Wire {
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Pending
    }

    fn poll_write(&mut self, _: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if !self.takes {
            return Poll::Pending;
        }
        Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()))
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_end_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn reset(&mut self) {}
}

/// A server's socket, without pings: nothing happens by itself.
pub fn socket(takes: bool) -> (Socket, Driver) {
    let mut limits = core_ws::SocketLimits::default();
    limits.ping_interval = None;
    let output = OutboxLimits::default();
    let web_socket = core_ws::Socket::from_parts(
        Role::Server,
        bytes::Bytes::new(),
        Arc::new(limits),
        output,
        Jitter::default(),
        None,
    );
    Socket::over(Wire { takes }, Tokio, web_socket, &SocketConfig::default())
}
