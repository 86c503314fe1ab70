//! What the input says: limits, handlers, cuts, times, and the stream.

use core::time::Duration;
use endwell_core::http::Limits;
use endwell_core::{OutboxLimits, Rate};

pub struct Plan<'a> {
    pub limits: Limits,
    pub outbox: OutboxLimits,
    /// The peer says nothing more at the end, instead of closing.
    pub quiet: bool,
    /// One letter per exchange, over and over.
    pub handlers: &'a [u8],
    /// One byte per piece, over and over.
    pub cuts: &'a [u8],
    pub stream: &'a [u8],
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
        Self { limits, outbox, quiet, handlers, cuts, stream }
    }

    pub fn handler(&self, exchange: usize) -> u8 {
        at(self.handlers, exchange).unwrap_or(b'b')
    }

    /// The length of a piece: mostly short, so that a few bytes of plan cut a long stream.
    pub fn piece(&self, index: usize) -> usize {
        let byte = usize::from(at(self.cuts, index).unwrap_or(b'!'));
        if byte < 0x80 { (byte & 0x1f).max(1) } else { byte * 16 }
    }

    /// How long a piece lets wait for itself: not at all, or up to some seconds, or a minute.
    pub fn gap(&self, index: usize) -> Duration {
        let byte = at(self.cuts, index).unwrap_or(b'!');
        Duration::from_millis([0, 0, 0, 900, 2_100, 6_000, 11_000, 60_000][usize::from(byte >> 5)])
    }
}

fn at(bytes: &[u8], index: usize) -> Option<u8> {
    bytes.get(index.checked_rem(bytes.len())?).copied()
}

/// So small that a short input meets each of them.
fn small_limits() -> (Limits, OutboxLimits) {
    let mut limits = Limits::default();
    limits.head_bytes = 192;
    limits.target_bytes = 24;
    limits.fields = 6;
    limits.trailer_bytes = 40;
    limits.chunk_extension_bytes = 12;
    limits.body_bytes = 100;
    limits.received_bytes = 300;
    limits.drain_bytes = 20;
    limits.body_progress = Some(Rate { bytes: 8, period: Duration::from_secs(5) });
    let progress = Some(Rate { bytes: 16, period: Duration::from_secs(5) });
    (limits, OutboxLimits { bytes: 120, high_water: 32, progress })
}
