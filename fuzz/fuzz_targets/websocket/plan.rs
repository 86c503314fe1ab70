//! What the input says: role, limits, application, and the peer.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use endwell_core::ws::Socket;
use endwell_core::ws::{Agreement, Deflate, Jitter, Masks, Role, SocketLimits, WindowBits};
use endwell_core::{OutboxLimits, Pace};
use endwell_fuzz::{Peer, at};

use crate::socket::Reception;

/// What a compressed message may refer to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Context {
    TakenOver,
    None,
}

pub struct Plan<'a> {
    pub client: bool,
    pub limits: SocketLimits,
    pub outbox: OutboxLimits,
    /// After our Close the application receives on.
    pub listens: bool,
    /// Messages are left unread for a while.
    pub late: bool,
    /// Messages are taken in pieces.
    pub pieces: bool,
    /// The driver polls above the high-water mark too.
    pub rude: bool,
    /// Messages may be compressed.
    pub compression: Option<Context>,
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
            listens: has(b'h'),
            late: has(b'a'),
            pieces: has(b'p'),
            rude: has(b'~'),
            compression: match (has(b'd'), has(b'D')) {
                (_, true) => Some(Context::None),
                (true, false) => Some(Context::TakenOver),
                (false, false) => None,
            },
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

    /// Bytes that may be unread: those of a read, or a control frame.
    pub fn received(&self) -> usize {
        self.limits.received_bytes.max(256)
    }

    pub fn socket(&self) -> Socket {
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
        let limits = self.limits.clone().into();
        let socket = Socket::from_parts(role, Bytes::new(), limits, self.outbox, jitter, None);
        match self.compression {
            Some(context) => socket.deflate(agreement(context)),
            None => socket,
        }
    }
}

/// Small windows, so that they are left; one agreement for all inputs, so that compressors are shared.
fn agreement(context: Context) -> &'static Agreement {
    static AGREEMENTS: OnceLock<[Agreement; 2]> = OnceLock::new();
    let make = |sent, received| {
        let mut deflate = Deflate::default();
        (deflate.least, deflate.level, deflate.memory_level) = (16, 1, 1);
        (deflate.window, deflate.sent_context, deflate.received_context) =
            (WindowBits::LEAST, sent, received);
        let offer = &b"permessage-deflate; client_max_window_bits"[..];
        Agreement::answer([offer], &Arc::new(deflate)).unwrap().unwrap()
    };
    let [taken_over, none] = AGREEMENTS.get_or_init(|| [make(300, Some(WindowBits::LEAST)), make(0, None)]);
    match context {
        Context::TakenOver => taken_over,
        Context::None => none,
    }
}

/// So small that a short input meets each of them.
fn small_limits() -> (SocketLimits, OutboxLimits) {
    let mut limits = SocketLimits::default();
    limits.frame_bytes = 300;
    limits.message_bytes = 400;
    limits.streamed_bytes = 600;
    limits.fragments = 5;
    limits.received_bytes = 1;
    limits.message_pace = Pace::silence(Duration::from_secs(5)).total(Duration::from_secs(20), 2);
    limits.ping_interval = Some(Duration::from_secs(7));
    limits.pong_time = Duration::from_secs(3);
    let pace = Pace::silence(Duration::from_secs(5)).total(Duration::from_secs(20), 2);
    (limits, OutboxLimits { bytes: 200, high_water: 64, pace })
}
