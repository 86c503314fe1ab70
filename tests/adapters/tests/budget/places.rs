//! What a full server does when one more comes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::Limit;
use endwell::{EndedKind, Exchange, ServerConfig};

use crate::peer::Peer;
use crate::support::{Client, Gate, Running, Runtime, on_every_runtime, start_narrow, start_with};
use crate::{GET, SOON, assert_reset, handle, newcomer};

on_every_runtime!(
    idle_ones_make_room,
    silent_ones_make_room,
    busy_ones_do_not,
    the_stalled_one_that_holds_most_makes_room,
    an_address_can_be_bounded,
);

const FULL: usize = 8;

fn full() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.connections = FULL;
    config
}

fn assert_made_room(server: &Running) {
    let ended = server.next_end();
    let EndedKind::Limit(exceeded) = ended.kind() else { panic!("{ended}") };
    assert_eq!(exceeded.limit, Limit::Connections);
}

/// A client that was answered, and keeps its connection.
fn kept_alive(server: &Running) -> Client {
    let mut client = server.connect();
    client.send(GET);
    assert_eq!(client.response().unwrap().status, 200);
    client
}

/// The longest idle first, though it came last; and it sees a clean end.
fn idle_ones_make_room<R: Runtime>() {
    let server = start_with::<R, _, _>(full(), handle);
    let mut clients: Vec<_> = (0..FULL).map(|_| kept_alive(&server)).collect();
    thread::sleep(Duration::from_millis(600));
    for client in &mut clients[..FULL - 1] {
        client.send(GET);
        client.response().unwrap();
    }
    thread::sleep(Duration::from_millis(600));
    assert!(newcomer(server.address) < SOON);
    assert_made_room(&server);
    clients.pop().unwrap().assert_closed();
    assert_eq!(server.counters.shed(), 1);
    for client in &mut clients {
        client.send(GET);
        assert_eq!(client.response().unwrap().status, 200);
    }
}

fn silent_ones_make_room<R: Runtime>() {
    let server = start_with::<R, _, _>(full(), handle);
    let mut clients: Vec<_> = (0..FULL).map(|_| server.connect()).collect();
    let began = Instant::now();
    while (server.counters.accepted() as usize) < FULL {
        assert!(began.elapsed() < crate::support::LONG);
        thread::yield_now();
    }
    thread::sleep(Duration::from_millis(1100));
    assert!(newcomer(server.address) < SOON);
    assert_made_room(&server);
    clients.remove(0).assert_closed();
}

/// Handlers that work, and a WebSocket that is quiet.
fn busy_ones_do_not<R: Runtime>() {
    let gate = Gate::new();
    let passes = gate.clone();
    let server = start_with::<R, _, _>(full(), move |exchange: Exchange| {
        let gate = passes.clone();
        async move {
            if exchange.path() != "/chat" {
                gate.pass().await;
            }
            handle(exchange).await
        }
    });
    let quiet = Peer::connect(&server);
    let mut clients: Vec<_> = (1..FULL).map(|_| server.connect()).collect();
    for client in &mut clients {
        client.send(GET);
    }
    let mut late = server.connect();
    late.send(GET);
    late.socket.set_read_timeout(Some(Duration::from_millis(5500))).unwrap();
    assert!(late.socket.peek(&mut [0]).is_err(), "it waits");
    assert_eq!((server.counters.accepted() as usize, server.counters.shed()), (FULL, 0));
    late.socket.set_read_timeout(Some(crate::support::LONG)).unwrap();
    gate.open(FULL);
    // The first that is idle makes room.
    assert_eq!(late.response().unwrap().status, 200);
    assert!(server.counters.shed() > 0);
    drop(quiet);
}

/// None is idle. Two do not take their responses, and one of them has more to take.
fn the_stalled_one_that_holds_most_makes_room<R: Runtime>() {
    let server = start_narrow::<R, _, _>(full(), handle);
    let began = Instant::now();
    let [large, small] = [4, 2].map(|many| {
        let mut client = Client::connect_narrow(server.address);
        client.send(format!("GET / HTTP/1.1\r\nhost: a\r\nx-len: {}\r\n\r\n", many << 20));
        client.read_exactly(17);
        client
    });
    let quiet: Vec<_> = (2..FULL).map(|_| Peer::connect(&server)).collect();
    let mut late = server.connect();
    late.send(GET);
    assert_eq!(late.response().unwrap().status, 200);
    assert!(began.elapsed() >= Duration::from_secs(5), "{:?}", began.elapsed());
    assert_made_room(&server);
    assert_reset(large);
    drop((small, quiet));
}

fn an_address_can_be_bounded<R: Runtime>() {
    let mut config = full();
    let most = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&most);
    config.admit = Some(Arc::new(move |ends, open| {
        assert!(ends.peer.to_string().starts_with("127.0.0.1:"));
        seen.fetch_max(open, Ordering::Relaxed);
        open < 2
    }));
    let server = start_with::<R, _, _>(config, handle);
    let clients = [kept_alive(&server), kept_alive(&server)];
    server.connect().assert_closed();
    assert_eq!((server.counters.not_admitted(), server.counters.accepted()), (1, 2));
    assert_eq!(most.load(Ordering::Relaxed), 2);
    drop(clients);
    for _ in 0..2 {
        server.next_end();
    }
    newcomer(server.address);
}
