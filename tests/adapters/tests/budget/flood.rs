//! WebSockets that send most of a large message each.

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::Limit;
use endwell::{Ended, EndedKind, ServerConfig};

use crate::held_help::{HELD, PEAK, on_each_runtime};
use crate::peer::{BINARY, CLOSE, FIN, Peer};
use crate::support::{AsyncStd, Blocking, Client, CurrentThread, LONG, Runtime, Smol, Tokio, start_with};
use crate::{SOON, handle, newcomer};

const BUDGET: usize = 16 << 20;
const SOCKETS: usize = 64;
const MESSAGE: usize = 1 << 20;

/// What each connection may hold that does not count, or is not read soon enough: one buffer.
const EACH: usize = 64 << 10;

/// What each thread keeps for reading and writing, what it reads until it looks again, and as much again while the memory of
/// its message grows, which moves it: all may be in the same turn.
const THREAD: usize = (144 + 2 * 256) << 10;

/// A socket that sends a message up to its last byte, as fast as it is read.
struct Flooder {
    client: Client,
    left: usize,
    is_open: bool,
    received: Vec<u8>,
}

impl Flooder {
    fn begin(peer: Peer) -> Self {
        let mut client = peer.client;
        client.send([FIN | BINARY, 0x80 | 127]);
        client.send((MESSAGE as u64).to_be_bytes());
        client.send([0; 4]);
        client.socket.set_nonblocking(true).unwrap();
        Self { client, left: MESSAGE - 1, is_open: true, received: Vec::new() }
    }

    /// Sends what goes. True if it did anything.
    fn go(&mut self) -> bool {
        static CHUNK: [u8; 64 << 10] = [0; 64 << 10];
        if !self.is_open {
            return false;
        }
        let mut buffer = [0; 64];
        match self.client.socket.read(&mut buffer) {
            Ok(len @ 1..) => self.received.extend_from_slice(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => self.is_open = false,
        }
        if self.left == 0 {
            return false;
        }
        match self.client.socket.write(&CHUNK[..self.left.min(CHUNK.len())]) {
            Ok(len) => self.left -= len,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => self.is_open = false,
        }
        true
    }

    /// The code of the Close that it got.
    fn code(&self) -> Option<u16> {
        (self.received.first() == Some(&(FIN | CLOSE)))
            .then(|| u16::from_be_bytes([self.received[2], self.received[3]]))
    }
}

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.held_bytes = BUDGET;
    config.ws.close_time = Duration::from_millis(200);
    config
}

/// Sends most of 64 MiB at once, against 16 MiB. Then they keep alive what they hold.
fn flood<R: Runtime>() {
    let server = start_with::<R, _, _>(config(), handle);
    // What the runtime makes once is no connection's. A busy machine is slow without a flood too.
    let usual = (0..20).map(|_| newcomer(server.address)).max().unwrap();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let mut flooders: Vec<_> = (0..SOCKETS).map(|_| Flooder::begin(Peer::connect(&server))).collect();
    let began = Instant::now();
    let mut longest = Duration::ZERO;
    loop {
        let moved = flooders.iter_mut().filter_map(|flooder| flooder.go().then_some(())).count();
        longest = longest.max(newcomer(server.address));
        // One newcomer at a time: what it holds, and its thread, end with it.
        while server.counters.accepted() - server.counters.ended() > SOCKETS as u64 {
            assert!(began.elapsed() < LONG, "a newcomer stays");
            thread::yield_now();
        }
        // Everything has arrived: the server holds the messages of those that it has not shed.
        let kept: Vec<_> = flooders.iter().filter(|flooder| flooder.code().is_none()).collect();
        let arrived = HELD.load(Ordering::Relaxed).saturating_sub(before);
        let shed = server.counters.shed() as usize;
        let are_sent = kept.len() <= BUDGET / MESSAGE && kept.iter().all(|flooder| flooder.left == 0);
        if are_sent && kept.len() * (MESSAGE - 1) <= arrived && kept.len() + shed == SOCKETS {
            break;
        }
        assert!(began.elapsed() < LONG, "{} kept, {shed} shed, {arrived} bytes", kept.len());
        if moved == 0 {
            thread::sleep(Duration::from_millis(1));
        }
    }
    let peak = PEAK.load(Ordering::Relaxed) - before;
    let shed = server.counters.shed();
    println!(
        "{}: {SOCKETS} sockets, {} MiB in all, under {} MiB: peak {} KiB, {shed} shed, newcomers at most {longest:.1?}",
        R::NAME,
        (SOCKETS * MESSAGE) >> 20,
        BUDGET >> 20,
        peak >> 10,
    );
    let each = if R::NAME == Blocking::NAME { EACH + THREAD } else { EACH };
    assert!(peak < BUDGET + (SOCKETS + 1) * each, "{peak} bytes");
    assert!(longest < SOON + usual * 50, "{longest:?}, where {usual:?} is usual");
    // Those that are left have nearly all of their messages there.
    let kept = flooders.iter().filter(|flooder| flooder.code().is_none()).count();
    assert!((8..=BUDGET / MESSAGE).contains(&kept), "{kept} are left");
    for flooder in flooders.iter().filter(|flooder| flooder.code().is_some()) {
        assert_eq!(flooder.code(), Some(1013));
    }
    assert_eq!(shed as usize, SOCKETS - kept);
    for _ in 0..shed {
        // The newcomers have ended too.
        let ended = std::iter::repeat_with(|| server.next_end())
            .find(|ended| !matches!(ended.kind(), EndedKind::ByPeer));
        let Some(exceeded) = ended.as_ref().and_then(Ended::exceeded) else { panic!("{ended:?}") };
        assert_eq!(exceeded.limit, Limit::HeldBytes);
    }
    assert_eq!((server.counters.overloaded(), server.counters.unanswered()), (0, 0));
}

#[test]
fn the_budget_bounds_what_a_flood_makes_the_server_hold_and_locks_nobody_out() {
    on_each_runtime(
        "flood::the_budget_bounds_what_a_flood_makes_the_server_hold_and_locks_nobody_out",
        [
            (Tokio::NAME, flood::<Tokio>),
            (CurrentThread::NAME, flood::<CurrentThread>),
            (AsyncStd::NAME, flood::<AsyncStd>),
            (Smol::NAME, flood::<Smol>),
            (Blocking::NAME, flood::<Blocking>),
        ],
    );
}
