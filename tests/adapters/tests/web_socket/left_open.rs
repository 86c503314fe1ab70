//! Applications that drop what they should have ended: the peer is told 1011, and every connection ends.

use std::time::Duration;

use endwell::ws::{Kind, Outcome, Socket};
use endwell::{Answered, Ended, EndedKind, Exchange};

use crate::aborted::aborted;
use crate::peer::{BINARY, Peer, TEXT, close, text};
use crate::service::{accept, closing_within, echo};
use crate::support::{Runtime, on_every_runtime, start_with};

on_every_runtime!(dropped_and_panicked, not_to_be_taken_apart);

/// What the handler does with its socket, by path.
async fn misuse<R: Runtime>(how: &str, mut socket: Socket) -> Result<Answered, Ended> {
    match how {
        "drop" => drop(socket),
        "panic" => {
            let message = socket.receive().await;
            assert!(message.is_none(), "on purpose");
        }
        "drop elsewhere" => R::spawn(async move {
            let mut socket = socket;
            let _ = socket.receive().await;
        }),
        "fragments" => {
            let mut fragments = socket.send_pieces(Kind::Text);
            fragments.write("one ").await?;
            fragments.write("two").await?;
            drop(fragments);
            assert!(socket.send("no more").await.is_err());
            // The close came with the drop, and not with that of the socket: nothing more is received.
            assert!(socket.receive().await.is_none());
        }
        "fragments and panic" => {
            let mut fragments = socket.send_pieces(Kind::Text);
            fragments.write("one ").await?;
            fragments.write("two").await?;
            panic!("on purpose");
        }
        other => unreachable!("{other}"),
    }
    Err(aborted())
}

fn dropped_and_panicked<R: Runtime>() {
    for how in ["drop", "panic", "drop elsewhere", "fragments", "fragments and panic"] {
        let server = start_with::<R, _, _>(closing_within(Duration::from_secs(5)), async move |exchange| {
            misuse::<R>(how, accept(exchange)?).await
        });
        let mut peer = Peer::connect(&server);
        peer.send(text("a message"));
        if how.starts_with("fragments") {
            let (first, second) = (peer.frame(), peer.frame());
            assert_eq!((first.first, &first.payload[..]), (TEXT, &b"one "[..]));
            assert_eq!((second.first, &second.payload[..]), (0, &b"two"[..]));
        }
        assert_eq!(peer.assert_closes(), 1011, "{how}");
        drop(peer);
        let ended = server.next_end();
        assert!(matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. })), "{how}: {ended:?}");
        assert_eq!(server.counters.panicked(), u64::from(how.ends_with("panic")), "{how}");
    }
}

/// A socket that cannot be taken apart is gone all the same, and its connection ends.
fn not_to_be_taken_apart<R: Runtime>() {
    let server = start_with::<R, _, _>(closing_within(Duration::from_secs(5)), async |exchange: Exchange| {
        let within_a_message = exchange.path() == "/within";
        let mut socket = accept(exchange)?;
        if within_a_message {
            let mut fragments = socket.send_pieces(Kind::Binary);
            fragments.write("begun").await?;
            std::mem::forget(fragments);
        } else {
            echo(&mut socket).await;
        }
        assert!(socket.into_parts().is_none());
        Err::<Answered, _>(aborted())
    });
    let mut peer = Peer::connect(&server);
    peer.send(close(1000));
    assert_eq!(peer.assert_fails(), 1000);
    drop(peer);
    let mut peer = Peer::connect_to(&server, "/within");
    assert_eq!(peer.frame().first, BINARY);
    assert_eq!(peer.assert_closes(), 1011);
    drop(peer);
    for _ in 0..2 {
        let ended = server.next_end();
        assert!(matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { .. })), "{ended:?}");
    }
}
