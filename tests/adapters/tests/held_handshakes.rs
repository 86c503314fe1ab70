//! S5: handshakes that fail leave nothing behind: no connection, no descriptor, no memory. Measured as in
//! `held_adapters`. The long run, with 10,000 of them on each runtime, is `--release -- --ignored --nocapture`.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::wildcard_enum_match_arm,
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

#[path = "web_socket/service.rs"]
#[expect(dead_code, reason = "shared with the scenarios")]
mod service;

mod held_help;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use endwell::{Ended, EndedKind, Exchange, ServerConfig};
use held_help::{HELD, on_each_runtime};
use peer::{HANDSHAKE, Peer};
use service::{accept, echo};
use support::{AsyncStd, Blocking, Client, CurrentThread, LONG, Running, Runtime, Smol, Tokio, start_with};

/// Handshakes that fail at a time, of each kind. The silent ones are silent together.
const EACH: usize = 25;

const ORDINARY: usize = 2000;
const FULL: usize = 10_000;

/// How long a peer may be silent.
const SILENCE: Duration = Duration::from_millis(50);

/// Bytes that may be held above the baseline for each handshake that failed: a runtime's tables are not exact, and what
/// is left of a connection is more.
const SLACK: usize = 128;

/// How a handshake fails.
#[derive(Clone, Copy, Debug)]
enum Fails {
    /// What comes is no request.
    Malformed,
    /// It is a request that cannot be accepted.
    WithoutKey,
    /// The peer resets at once.
    Reset,
    /// The peer resets behind the request, before it can have read the answer.
    ResetBehind,
    /// The peer resets within the head.
    ResetWithin,
    /// The peer says nothing.
    Silent,
    /// The peer says no more than half a head.
    SilentWithin,
}

const ALL: [Fails; 7] = [
    // The silent ones first: their time runs while the others fail.
    Fails::Silent,
    Fails::SilentWithin,
    Fails::Malformed,
    Fails::WithoutKey,
    Fails::Reset,
    Fails::ResetBehind,
    Fails::ResetWithin,
];

impl Fails {
    /// Fails so. The client, if its end is still to come.
    fn begin(self, address: SocketAddr) -> Option<Client> {
        let mut client = Client::connect(address);
        match self {
            Self::Silent => return Some(client),
            Self::SilentWithin => {
                client.send(half());
                return Some(client);
            }
            Self::Malformed => {
                client.send(HANDSHAKE.replace("HTTP/1.1", "HTTP/1.1 "));
                assert_eq!(client.response().unwrap().status, 400);
                client.assert_closed();
            }
            Self::WithoutKey => {
                client.send(HANDSHAKE.replace("sec-websocket-key", "sec-websocket-lock"));
                assert_eq!(client.response().unwrap().status, 400);
            }
            Self::Reset => client.reset(),
            Self::ResetBehind => {
                client.send(HANDSHAKE);
                client.reset();
            }
            Self::ResetWithin => {
                client.send(half());
                client.reset();
            }
        }
        None
    }

    /// The end of one who was silent.
    fn end(self, mut client: Client) {
        if let Self::SilentWithin = self {
            assert_eq!(client.response().unwrap().status, 408);
        }
        client.assert_closed();
    }
}

fn half() -> &'static [u8] {
    &HANDSHAKE.as_bytes()[..HANDSHAKE.len() / 2]
}

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.http.first_byte_time = SILENCE;
    config.http.head_time = SILENCE;
    config
}

async fn handle(exchange: Exchange) -> Ended {
    let mut socket = match accept(exchange) {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    echo(&mut socket).await;
    socket.close(endwell::ws::Close::EMPTY).await
}

/// How connections ended, in words that fit a table.
type Ends = BTreeMap<String, usize>;

/// So many of each kind, and one that does not fail.
fn wave(server: &Running, each: usize, ends: &mut Ends) {
    let begun: Vec<_> = ALL
        .iter()
        .flat_map(|fails| (0..each).map(move |_| *fails))
        .filter_map(|fails| Some((fails, fails.begin(server.address)?)))
        .collect();
    for (fails, client) in begun {
        fails.end(client);
    }
    // Accepted behind all others.
    let mut peer = Peer::connect(server);
    peer.send(peer::close(1000));
    assert_eq!(peer.assert_fails(), 1000);
    drop(peer);
    wait_until("every connection has ended", || server.counters.accepted() == server.counters.ended());
    let accepted = usize::try_from(server.counters.accepted()).unwrap();
    while ends.values().sum::<usize>() < accepted {
        *ends.entry(name(&server.next_end())).or_default() += 1;
    }
}

fn name(ended: &Ended) -> String {
    match ended.kind() {
        EndedKind::Protocol(_) => "Protocol".into(),
        EndedKind::Limit(exceeded) => format!("{:?}", exceeded.limit),
        EndedKind::Transport(error) => format!("{:?}", error.kind()),
        EndedKind::WebSocket(_) => "WebSocket".into(),
        other => format!("{other:?}"),
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

fn held() -> usize {
    HELD.load(Ordering::Relaxed)
}

fn wait_until(what: &str, is_met: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_met() {
        assert!(
            begin.elapsed() < LONG,
            "never: {what}; {} descriptors, {} bytes held",
            descriptors(),
            held()
        );
        thread::sleep(Duration::from_millis(1));
    }
}

fn failed_handshakes<R: Runtime>(count: usize) {
    let server = start_with::<R, _, _>(config(), handle);
    let mut ends = Ends::new();
    // What a runtime makes once, and each of its threads, is no handshake's.
    for _ in 0..4 {
        wave(&server, EACH, &mut ends);
    }
    held_help::settle();
    let before = (descriptors(), held());
    let began = Instant::now();
    for _ in 0..count.div_ceil(EACH * ALL.len()) {
        wave(&server, EACH, &mut ends);
    }
    let took = began.elapsed();
    wait_until("the descriptors of the baseline", || descriptors() == before.0);
    wait_until("the memory of the baseline", || held() < before.1 + count * SLACK);
    let failed = count.div_ceil(EACH * ALL.len()) * EACH * ALL.len();
    println!(
        "S5  {:<17} {failed} failed in {took:.1?}; descriptors {} -> {}, bytes held {} -> {}",
        R::NAME,
        before.0,
        descriptors(),
        before.1,
        held()
    );
    println!("    {ends:?}");
    assert_eq!(server.counters.accepted(), server.counters.ended());
    assert_eq!((server.counters.panicked(), server.counters.unanswered()), (0, 0));
}

fn ordinary<R: Runtime>() {
    failed_handshakes::<R>(ORDINARY);
}

fn full<R: Runtime>() {
    failed_handshakes::<R>(FULL);
}

#[test]
fn failed_handshakes_leave_nothing() {
    on_each_runtime(
        "failed_handshakes_leave_nothing",
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
fn failed_handshakes_leave_nothing_in_full() {
    on_each_runtime(
        "failed_handshakes_leave_nothing_in_full",
        [
            (Tokio::NAME, full::<Tokio>),
            (CurrentThread::NAME, full::<CurrentThread>),
            (AsyncStd::NAME, full::<AsyncStd>),
            (Smol::NAME, full::<Smol>),
            (Blocking::NAME, full::<Blocking>),
        ],
    );
}
