//! What many writers make one connection hold (S16, S17, S33), measured as in `held_adapters`. The long run, with 1,000
//! readers and a broadcast of 10,000 messages, is `--release -- --ignored`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "a test that cannot go on has failed"
)]

#[path = "help/aborted.rs"]
mod aborted;
#[path = "scenarios/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "shared with the scenarios")]
mod support;

#[path = "web_socket/peer.rs"]
#[expect(dead_code, reason = "shared with the scenarios")]
mod peer;

#[path = "many_writers/service.rs"]
#[expect(dead_code, reason = "shared with the scenarios")]
mod service;

mod held_help;

use std::sync::atomic::Ordering;
use std::thread;

use endwell::ws::{Delivery, Outlet, SendHalf, Socket, WhenFull, broadcast};
use endwell::{EndedKind, ServerConfig};
use held_help::{HELD, PEAK, on_each_runtime, settle};
use peer::Peer;
use service::{handing_over_narrow, wait};
use support::{AsyncStd, Blocking, CurrentThread, LONG, Running, Runtime, Smol, Tokio};

/// How much is done.
struct Size {
    readers: usize,
    receivers: usize,
    broadcast: usize,
}

const ORDINARY: Size = Size { readers: 50, receivers: 30, broadcast: 200 };
const FULL: Size = Size { readers: 1000, receivers: 100, broadcast: 10_000 };

/// What outlets and the output may hold for a connection.
const QUEUED: usize = 64 << 10;
const OUTPUT: usize = 32 << 10;
/// Its own states and tables, the queue's among them.
const OWN: usize = 24 << 10;
/// What each thread lends, and the runtime's own.
const THREADS: usize = 1 << 20;

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.outlet.bytes = QUEUED;
    config.output.bytes = OUTPUT;
    config.output.high_water = OUTPUT / 2;
    // The long run takes longer than it takes to the first one, which nobody would answer.
    config.ws.ping_interval = None;
    config
}

/// Connections whose peers read nothing yet.
fn connect(
    server: &Running,
    next: &impl Fn() -> Socket,
    count: usize,
) -> (Vec<Peer>, Vec<SendHalf>, Vec<Outlet>) {
    let mut all = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..count {
        all.0.push(Peer::connect_narrow(server));
        let (send, recv) = next().split();
        drop(recv);
        all.2.push(send.outlet());
        all.1.push(send);
    }
    all
}

/// Sends as much as is accepted. Each message is another.
fn fill(outlets: &[Outlet]) {
    for outlet in outlets {
        while outlet.try_send(vec![b'x'; 1000]).is_ok() {}
    }
}

/// The most that is held above what was held before.
fn most(act: impl FnOnce()) -> usize {
    settle();
    let before = HELD.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    act();
    settle();
    PEAK.load(Ordering::Relaxed) - before
}

/// S16: nobody reads, and every producer sends as much as is taken.
fn readers_that_stall<R: Runtime>(count: usize) {
    let (server, next) = handing_over_narrow::<R>(config());
    let (peers, sends, outlets) = connect(&server, &next, count);
    let held = most(|| {
        // Twice, since the connections' tasks take some of the first.
        for _ in 0..2 {
            fill(&outlets);
            settle();
        }
    });
    println!("{count} stalled readers: at most {} bytes held for each", held / count);
    assert!(held > count * QUEUED, "the bound was not tried: {held}");
    assert!(held < count * (QUEUED + OUTPUT + OWN) + THREADS, "{held} bytes held");
    for peer in peers {
        peer.client.reset();
    }
    drop(sends);
}

/// S17: one message to many, first while nobody reads, then to the end. The payload is there once.
fn one_message_to_many<R: Runtime>(size: &Size) {
    const MESSAGE: usize = 8000;
    let mut config = config();
    config.outlet.bytes = 1 << 20;
    let (server, next) = handing_over_narrow::<R>(config);
    let (peers, sends, outlets) = connect(&server, &next, size.receivers);
    let send = |index: usize| {
        // Text, of which a clone would be a copy.
        let message = format!("{index:08}{}", "x".repeat(MESSAGE - 8));
        let deliveries =
            wait(broadcast(message, outlets.iter().map(|outlet| (outlet, WhenFull::Wait(LONG)))));
        assert!(deliveries.iter().all(|delivery| matches!(delivery, Delivery::Accepted)));
    };
    // As many as fit into every queue.
    let first = (1 << 20) / MESSAGE;
    let held = most(|| (0..first).for_each(send));
    println!(
        "{first} messages of {MESSAGE} bytes to {} stalled receivers: at most {held} bytes held, {} without sharing",
        size.receivers,
        first * MESSAGE * size.receivers
    );
    assert!(held < first * MESSAGE + size.receivers * (OUTPUT / 2 + OWN) + THREADS, "{held} bytes held");
    let total = size.broadcast;
    let reading: Vec<_> = split(peers)
        .into_iter()
        .map(|mut peers| {
            thread::spawn(move || {
                for index in 0..total {
                    for peer in &mut peers {
                        let message = peer.frame().payload;
                        assert_eq!(
                            (message.len(), &message[..8]),
                            (MESSAGE, format!("{index:08}").as_bytes())
                        );
                    }
                }
                peers
            })
        })
        .collect();
    let held = most(|| (first..total).for_each(send));
    for thread in reading {
        drop(thread.join().unwrap());
    }
    println!("{total} messages to {} receivers: all delivered, at most {held} bytes more", size.receivers);
    drop(sends);
}

fn split(mut peers: Vec<Peer>) -> [Vec<Peer>; 2] {
    let half = peers.split_off(peers.len() / 2);
    [peers, half]
}

/// Outlets that are kept when their connections are gone, with messages that nobody will read.
fn outlets_outlive_their_connections<R: Runtime>(count: usize) {
    let (server, next) = handing_over_narrow::<R>(config());
    let descriptors = descriptors();
    let (peers, sends, outlets) = connect(&server, &next, count);
    fill(&outlets);
    for peer in peers {
        peer.client.reset();
    }
    for outlet in &outlets {
        let ended = wait(outlet.closed());
        assert!(matches!(ended.kind(), EndedKind::Transport(_)), "{ended:?}");
    }
    (0..count).for_each(|_| drop(server.next_end()));
    // The halves are still there, and the sockets are not.
    assert_eq!(self::descriptors(), descriptors);
    drop(sends);
    let unsent: usize = outlets.iter().map(|outlet| outlet.unsent().len()).sum();
    let with = HELD.load(Ordering::Relaxed);
    drop(outlets);
    let held = with.saturating_sub(HELD.load(Ordering::Relaxed)) / count;
    println!(
        "{count} outlets without a connection: {unsent} messages came back, then {held} bytes held for each"
    );
    assert!(unsent > 10 * count && held < 1000, "{held} bytes held for each");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn all<R: Runtime>(size: &Size) {
    readers_that_stall::<R>(size.readers);
    one_message_to_many::<R>(size);
    outlets_outlive_their_connections::<R>(size.readers);
}

fn ordinary<R: Runtime>() {
    all::<R>(&ORDINARY);
}

fn full<R: Runtime>() {
    all::<R>(&FULL);
}

#[test]
fn bytes_held_are_bounded() {
    on_each_runtime(
        "bytes_held_are_bounded",
        [
            (Tokio::NAME, ordinary::<Tokio>),
            (CurrentThread::NAME, ordinary::<CurrentThread>),
            (AsyncStd::NAME, ordinary::<AsyncStd>),
            (Smol::NAME, ordinary::<Smol>),
            (Blocking::NAME, ordinary::<Blocking>),
        ],
    );
}

#[test]
#[ignore = "the long run"]
fn bytes_held_are_bounded_in_full() {
    on_each_runtime(
        "bytes_held_are_bounded_in_full",
        [
            (Tokio::NAME, full::<Tokio>),
            (CurrentThread::NAME, full::<CurrentThread>),
            (AsyncStd::NAME, full::<AsyncStd>),
            (Smol::NAME, full::<Smol>),
            (Blocking::NAME, full::<Blocking>),
        ],
    );
}
