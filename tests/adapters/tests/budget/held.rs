//! What is ended when too much is held, and how.

use std::io::Write;
use std::time::{Duration, Instant};

use endwell::core::Limit;
use endwell::{EndedKind, ServerConfig};

use crate::peer::{BINARY, FIN, Peer};
use crate::support::{Client, LONG, Running, Runtime, on_every_runtime, start_narrow, start_with};
use crate::{SOON, assert_reset, handle, newcomer};

on_every_runtime!(
    the_largest_message_is_shed,
    a_body_that_is_gathered_is_shed,
    a_response_that_is_not_taken_is_reset,
    half_messages_that_are_kept_alive_lock_nobody_out,
);

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.held_bytes = 1 << 20;
    config.ws.close_time = Duration::from_millis(200);
    config
}

/// A WebSocket that sends this much of a message.
fn sends(server: &Running, len: usize) -> Peer {
    let mut peer = Peer::connect(server);
    peer.send([FIN | BINARY, 0x80 | 127]);
    peer.send((10_u64 << 20).to_be_bytes());
    peer.send([0; 4]);
    peer.send(vec![0; len]);
    peer
}

fn assert_shed(server: &Running) {
    let ended = server.next_end();
    let EndedKind::Limit(exceeded) = ended.kind() else { panic!("{ended:?}") };
    assert_eq!(exceeded.limit, Limit::HeldBytes);
    assert_eq!(server.counters.shed(), 1);
}

/// Not the one that comes last, and not one that holds no more than a buffer.
fn the_largest_message_is_shed<R: Runtime>() {
    let server = start_with::<R, _, _>(config(), handle);
    let mut small = sends(&server, 10_000);
    let mut large = sends(&server, 500_000);
    // Their memory doubles, up to 512 and twice 256 KiB: with the last of them it is more than 7/8 of 1 MiB.
    let mut other = sends(&server, 200_000);
    let mut last = sends(&server, 200_000);
    assert_eq!(large.assert_closes(), 1013);
    assert_shed(&server);
    for peer in [&mut small, &mut other, &mut last] {
        peer.send(vec![0; 1000]);
    }
    assert!(newcomer(server.address) < SOON);
    assert_eq!(server.counters.shed(), 1);
}

fn a_body_that_is_gathered_is_shed<R: Runtime>() {
    let server = start_with::<R, _, _>(config(), handle);
    let mut client = server.connect();
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10000000\r\n\r\n");
    client.send(vec![0; 1 << 20]);
    let response = client.response().unwrap();
    assert_eq!((response.status, response.field("retry-after")), (413, Some("1".into())));
    client.end_write();
    assert_shed(&server);
    // The handler was told that this is no end of the body.
    assert_eq!((server.counters.exchanges(), server.counters.unanswered()), (1, 0));
    assert_eq!(server.counters.panicked(), 0);
    assert!(newcomer(server.address) < SOON);
}

/// The peer has a second to take some of it.
fn a_response_that_is_not_taken_is_reset<R: Runtime>() {
    let server = start_narrow::<R, _, _>(config(), handle);
    let mut client = Client::connect_narrow(server.address);
    client.send(format!("GET / HTTP/1.1\r\nhost: a\r\nx-len: {}\r\n\r\n", 8 << 20));
    client.read_exactly(17);
    assert_shed(&server);
    assert!(newcomer(server.address) < SOON);
    assert_reset(client);
}

/// They hold as much as they may, and send a byte now and then.
fn half_messages_that_are_kept_alive_lock_nobody_out<R: Runtime>() {
    let server = start_with::<R, _, _>(config(), handle);
    let mut peers: Vec<_> = (0..8).map(|_| sends(&server, 200_000)).collect();
    let began = Instant::now();
    // Three of them are left in the end, and hold 256 KiB each.
    for round in 0.. {
        for peer in &mut peers {
            // It may have been shed.
            let _ = peer.client.socket.write(&[0; 100]);
        }
        assert!(newcomer(server.address) < SOON);
        assert!(began.elapsed() < LONG);
        if round >= 20 && server.counters.shed() >= 5 {
            break;
        }
    }
    // One more for each that grew at the same time as another.
    let shed = server.counters.shed();
    assert!((5..=7).contains(&shed), "{shed}");
    assert_eq!(server.counters.overloaded(), 0);
}
