//! What the input says: limits, requests, and the peer.

use core::time::Duration;
use endwell_core::Pace;
use endwell_core::http::{HttpLimits, Reading};
use endwell_fuzz::Peer;

pub struct Plan<'a> {
    pub limits: HttpLimits,
    /// One letter per request; after the last the connection is left.
    pub requests: &'a [u8],
    pub peer: Peer<'a>,
}

impl<'a> Plan<'a> {
    pub fn of(input: &'a [u8], reading: Reading) -> Self {
        let mut parts = input.splitn(3, |&byte| byte == b'\n');
        let mut next = || parts.next().unwrap_or_default();
        let (mut requests, cuts, stream) = (next(), next(), next());
        let (mut limits, mut quiet) = (HttpLimits::default(), false);
        while let [flag @ (b'.' | b'?'), rest @ ..] = requests {
            if *flag == b'.' {
                limits = small_limits();
            } else {
                quiet = true;
            }
            requests = rest;
        }
        limits.reading = reading;
        Self { limits, requests, peer: Peer { quiet, cuts, stream } }
    }

    /// Bytes that may be unread: those of a read, or a head, or a trailer section.
    pub fn received(&self) -> usize {
        let HttpLimits { received_bytes, response_head_bytes, trailer_bytes, .. } = self.limits;
        received_bytes.max(response_head_bytes).max(trailer_bytes)
    }
}

/// So small that a short input meets each of them.
fn small_limits() -> HttpLimits {
    let mut limits = HttpLimits::default();
    limits.response_head_bytes = 192;
    limits.response_fields = 6;
    limits.trailer_bytes = 40;
    limits.chunk_extension_bytes = 12;
    limits.body_bytes = 100;
    limits.received_bytes = 200;
    limits.interim_responses = 2;
    limits.response_time = Some(Duration::from_secs(4));
    limits.response_pace = Pace::silence(Duration::from_secs(5)).total(Duration::from_secs(20), 2);
    limits
}
