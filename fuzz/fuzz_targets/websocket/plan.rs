//! What the input says: role, limits, application, and the peer.

use std::time::Duration;

use bytes::Bytes;
use endwell_core::ws::{Jitter, Limits, Masks, Role, WebSocket};
use endwell_core::{OutboxLimits, Rate};
use endwell_fuzz::{Peer, at};

use crate::socket::Reception;

pub struct Plan<'a> {
    pub client: bool,
    pub limits: Limits,
    pub outbox: OutboxLimits,
    /// Where time passes, the halves are used, and not the session.
    pub halves: bool,
    /// Messages are taken in pieces.
    pub pieces: bool,
    /// The driver polls above the high-water mark too.
    pub rude: bool,
    actions: &'a [u8],
    pub peer: Peer<'a>,
}

impl<'a> Plan<'a> {
    pub fn of(input: &'a [u8]) -> Self {
        let mut parts = input.splitn(3, |&byte| byte == b'\n');
        let mut next = || parts.next().unwrap_or_default();
        let (first, cuts, stream) = (next(), next(), next());
        let mut halves = first.splitn(2, |&byte| byte == b'/');
        let (flags, actions) = (halves.next().unwrap_or_default(), halves.next().unwrap_or_default());
        let has = |flag| flags.contains(&flag);
        let (limits, outbox) = if has(b'.') { small_limits() } else { Default::default() };
        Self {
            client: has(b'c'),
            limits,
            outbox,
            halves: has(b'h'),
            pieces: has(b'p'),
            rude: has(b'~'),
            actions,
            peer: Peer { quiet: has(b'?'), cuts, stream },
        }
    }

    /// What the application does about a message.
    pub fn action(&self, message: usize) -> u8 {
        at(self.actions, message).unwrap_or(b'e')
    }

    pub fn reception(&self) -> Reception {
        if self.pieces { Reception::Pieces(None) } else { Reception::Whole }
    }

    /// The largest message that is taken.
    pub fn message_bytes(&self) -> u64 {
        if self.pieces { self.limits.streamed_bytes } else { self.limits.message_bytes }
    }

    pub fn socket(&self) -> WebSocket {
        let role = if self.client {
            let mut key = 0_u32;
            Role::Client(Masks::new(move || {
                key = key.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
                key.to_be_bytes()
            }))
        } else {
            Role::Server
        };
        let jitter = Jitter(u32::try_from(self.peer.stream.len()).unwrap_or(0) << 20);
        WebSocket::from_parts(role, Bytes::new(), self.limits.clone().into(), jitter, None)
    }
}

/// So small that a short input meets each of them.
fn small_limits() -> (Limits, OutboxLimits) {
    let mut limits = Limits::default();
    limits.frame_bytes = 300;
    limits.message_bytes = 400;
    limits.streamed_bytes = 600;
    limits.fragments = 5;
    limits.received_bytes = 1;
    limits.message_progress = Some(Rate { bytes: 8, period: Duration::from_secs(5) });
    limits.ping_interval = Some(Duration::from_secs(7));
    limits.pong_time = Duration::from_secs(3);
    let progress = Some(Rate { bytes: 16, period: Duration::from_secs(5) });
    (limits, OutboxLimits { bytes: 200, high_water: 64, progress })
}
