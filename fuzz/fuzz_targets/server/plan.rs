//! What the input says: limits, handlers, and the peer.

use core::time::Duration;
use endwell_core::http::HttpLimits;
use endwell_core::{OutboxLimits, Pace};
use endwell_fuzz::{Peer, at};

pub struct Plan<'a> {
    pub limits: HttpLimits,
    pub outbox: OutboxLimits,
    /// One letter per exchange, over and over.
    pub handlers: &'a [u8],
    pub peer: Peer<'a>,
}

impl<'a> Plan<'a> {
    pub fn of(input: &'a [u8]) -> Self {
        let mut parts = input.splitn(3, |&byte| byte == b'\n');
        let mut next = || parts.next().unwrap_or_default();
        let (mut handlers, cuts, stream) = (next(), next(), next());
        let (mut small, mut tight, mut quiet) = (false, false, false);
        while let [flag @ (b'.' | b':' | b'?'), rest @ ..] = handlers {
            small |= *flag == b'.';
            tight |= *flag == b':';
            quiet |= *flag == b'?';
            handlers = rest;
        }
        let (mut limits, outbox) = if small { small_limits() } else { Default::default() };
        if tight {
            limits.received_bytes = 1;
        }
        Self { limits, outbox, handlers, peer: Peer { quiet, cuts, stream } }
    }

    /// Bytes that may be unread: those of a read, or a head, or a trailer section.
    pub fn received(&self) -> usize {
        let HttpLimits { received_bytes, head_bytes, trailer_bytes, .. } = self.limits;
        received_bytes.max(head_bytes).max(trailer_bytes)
    }

    pub fn handler(&self, exchange: usize) -> u8 {
        at(self.handlers, exchange).unwrap_or(b'b')
    }
}

/// So small that a short input meets each of them.
fn small_limits() -> (HttpLimits, OutboxLimits) {
    let mut limits = HttpLimits::default();
    limits.head_bytes = 192;
    limits.target_bytes = 24;
    limits.fields = 6;
    limits.trailer_bytes = 40;
    limits.chunk_extension_bytes = 12;
    limits.body_bytes = 100;
    limits.received_bytes = 300;
    limits.drain_bytes = 20;
    limits.request_pace = Pace::silence(Duration::from_secs(5)).total(Duration::from_secs(20), 2);
    let pace = Pace::silence(Duration::from_secs(5)).total(Duration::from_secs(20), 2);
    (limits, OutboxLimits { bytes: 120, high_water: 32, pace })
}
