//! S29 for WebSockets: a server that stops says 1001, also for handlers that do not receive, and is gone in time.

use std::time::{Duration, Instant};

use endwell::ws::{Close, Outcome};
use endwell::{EndedKind, Exchange};

use crate::aborted::aborted;
use crate::peer::{Peer, text};
use crate::service::{accept, closing_within, echo};
use crate::support::{Gate, Runtime, on_every_runtime, start_with};

on_every_runtime!(going_away, going_away_from_the_silent);

/// Three handlers at once: one that receives, one that waits for something else, one whose socket is in another task.
fn going_away<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let mut server =
        start_with::<R, _, _>(closing_within(Duration::from_secs(5)), move |exchange: Exchange| {
            let gate = waiting.clone();
            async move {
                let mut socket = match accept(exchange) {
                    Ok(socket) => socket,
                    Err(ended) => return ended,
                };
                let Some(first) = socket.receive().await else { return aborted() };
                let how = first.as_text().unwrap().to_owned();
                if socket.send(first).await.is_err() {
                    return aborted();
                }
                match &*how {
                    "receives" => echo(&mut socket).await,
                    "waits" => gate.pass().await,
                    _ => {
                        R::spawn(async move {
                            echo(&mut socket).await;
                            let _ = socket.close(Close::EMPTY).await;
                        });
                        return aborted();
                    }
                }
                socket.close(Close::EMPTY).await
            }
        });
    let mut peers: Vec<_> = ["receives", "waits", "elsewhere"]
        .iter()
        .map(|how| {
            let mut peer = Peer::connect(&server);
            peer.send(text(how));
            assert_eq!(peer.frame().as_text(), *how);
            peer
        })
        .collect();
    server.stop();
    for peer in &mut peers {
        assert_eq!(peer.assert_closes(), 1001);
    }
    drop(peers);
    gate.open(1);
    for _ in 0..3 {
        let ended = server.next_end();
        assert!(matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. })), "{ended:?}");
    }
    server.wait();
}

/// Peers that do not answer, and a handler that never comes back: the server's deadline ends both.
fn going_away_from_the_silent<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let mut config = closing_within(Duration::from_secs(60));
    config.shutdown_time = Duration::from_millis(300);
    let mut server = start_with::<R, _, _>(config, move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let hangs = exchange.path() == "/hangs";
            let mut socket = match accept(exchange) {
                Ok(socket) => socket,
                Err(ended) => return ended,
            };
            if hangs {
                gate.pass().await;
            }
            echo(&mut socket).await;
            socket.close(Close::EMPTY).await
        }
    });
    let mut receives = Peer::connect(&server);
    let mut hangs = Peer::connect_to(&server, "/hangs");
    let began = Instant::now();
    server.stop();
    assert_eq!((receives.frame().code(), hangs.frame().code()), (1001, 1001));
    for _ in 0..2 {
        let ended = server.next_end();
        assert!(matches!(ended.kind(), EndedKind::Shutdown), "{ended:?}");
    }
    server.wait();
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(280) && waited < Duration::from_secs(5), "{waited:?}");
}
