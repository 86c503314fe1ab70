//! S8: a peer that does not answer our Close costs no more than the close limit.

use std::io::Write;
use std::time::{Duration, Instant};

use endwell::ws::{Close, CloseCode, Outcome};
use endwell::{Ended, EndedKind, Exchange};

use crate::aborted::aborted;
use crate::peer::{Peer, text};
use crate::service::{accept, closing_within};
use crate::support::{Runtime, on_every_runtime, start_with};
use crate::tally::Tally;

on_every_runtime!(a_silent_peer_ends_at_the_close_limit, a_peer_that_keeps_the_stream_open);

const LIMIT: Duration = Duration::from_millis(100);

/// How the handler closes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Closes {
    /// It waits for the end.
    Waits,
    /// It drops the future.
    Leaves,
    /// It drops the socket.
    Drops,
    /// It gives the socket to another task, which closes.
    Elsewhere,
}

async fn handle<R: Runtime>(exchange: Exchange, how: Closes) -> Ended {
    let socket = match accept(exchange) {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    match how {
        Closes::Waits => return socket.close(CloseCode::NORMAL).await,
        Closes::Leaves => drop(socket.close(CloseCode::NORMAL)),
        Closes::Drops => drop(socket),
        Closes::Elsewhere => R::spawn(async move {
            let _ = socket.close(CloseCode::NORMAL).await;
        }),
    }
    aborted()
}

fn a_silent_peer_ends_at_the_close_limit<R: Runtime>() {
    const ROUNDS: usize = 5;
    for how in [Closes::Waits, Closes::Leaves, Closes::Drops, Closes::Elsewhere] {
        for talks in [false, true] {
            let server =
                start_with::<R, _, _>(closing_within(LIMIT), move |exchange| handle::<R>(exchange, how));
            let mut waited = Vec::new();
            let mut tally = Tally::default();
            for _ in 0..ROUNDS {
                // Before the Close is sent: however late it is seen here, its time is not over before.
                let began = Instant::now();
                let mut peer = Peer::connect(&server);
                let code = peer.frame().code();
                assert_eq!(code, if how == Closes::Drops { 1011 } else { 1000 });
                // A peer that talks on and never closes is silent too.
                if talks {
                    let message = text("still here");
                    while began.elapsed() < LIMIT / 2 {
                        peer.client.socket.write_all(&message).unwrap();
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
                tally.add(&server.next_end());
                waited.push(began.elapsed());
            }
            let (least, most) = (waited.iter().min().unwrap(), waited.iter().max().unwrap());
            println!(
                "S8  {:<9} {how:?}, peer {}: {ROUNDS} rounds, {tally}, \
                 after {least:.0?} to {most:.0?}",
                R::NAME,
                if talks { "talks on" } else { "is silent" },
            );
            assert_eq!(tally.of("close limit"), ROUNDS);
            // On a busy machine some rounds take longer. No connection is open for ever: each end is awaited.
            assert!(*least >= LIMIT && *least < LIMIT * 10);
        }
    }
}

/// Both Closes have passed, and the peer does not end the stream: the story is a clean end all the same.
fn a_peer_that_keeps_the_stream_open<R: Runtime>() {
    let server = start_with::<R, _, _>(closing_within(LIMIT * 10), async |exchange: Exchange| {
        match accept(exchange) {
            Ok(socket) => socket.close(Close::EMPTY).await,
            Err(ended) => ended,
        }
    });
    let mut peer = Peer::connect(&server);
    assert!(peer.frame().payload.is_empty());
    peer.send(crate::peer::close(1000));
    peer.client.assert_closed();
    let ended = server.next_end();
    assert!(matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. })), "{ended:?}");
}
