//! S9: the ways in which a WebSocket ends are told apart, the same to the handler as to whoever counts connections.

use std::time::Duration;

use endwell::core::Limit;
use endwell::ws::{Close, CloseCode, Content, End, Outcome};
use endwell::{Ended, EndedKind, Exchange};

use crate::aborted::aborted;
use crate::peer::{BINARY, FIN, PING, Peer, TEXT, close, frame, text};
use crate::service::{accept, closing_within, echo_to_the_end};
use crate::support::{Gate, Runtime, on_every_runtime, start_with, told};

on_every_runtime!(the_ends_are_told_apart, our_own_close, the_transport_fails_while_we_close);

/// What the peer does, and how that ends.
struct Case {
    name: &'static str,
    act: fn(Peer),
    is: fn(&Ended) -> bool,
}

const CASES: &[Case] = &[
    Case {
        name: "the stream ends without a Close",
        act: |mut peer| {
            peer.client.end_write();
            assert!(peer.client.rest().len() <= 4);
        },
        is: |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::EndOfStream)),
    },
    Case {
        name: "the stream ends within a frame",
        act: |mut peer| {
            peer.send(&text("hello")[..4]);
            peer.client.end_write();
            assert!(peer.client.rest().len() <= 4);
        },
        is: |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::EndOfStream)),
    },
    Case {
        name: "the peer closes",
        act: |mut peer| {
            peer.send(close(4321));
            assert_eq!(peer.assert_fails(), 4321);
        },
        is: |ended| {
            let EndedKind::WebSocket(Outcome::Closed { first: End::Theirs, received, sent }) = ended.kind()
            else {
                return false;
            };
            [received, sent].iter().all(|close| close.code().is_some_and(|code| code.number() == 4321))
        },
    },
    Case {
        name: "a frame without a mask",
        act: |mut peer| {
            peer.send([FIN | TEXT, 2, b'h', b'i']);
            assert_eq!(peer.assert_fails(), 1002);
        },
        is: |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::Violated(_))),
    },
    Case {
        name: "text that is not UTF-8",
        act: |mut peer| {
            peer.send(frame(FIN | TEXT, b"\xff"));
            assert_eq!(peer.assert_fails(), 1007);
        },
        is: |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::Violated(_))),
    },
    Case {
        name: "a fragmented ping",
        act: |mut peer| {
            peer.send(frame(PING, b""));
            assert_eq!(peer.assert_fails(), 1002);
        },
        is: |ended| matches!(ended.kind(), EndedKind::WebSocket(Outcome::Violated(_))),
    },
    Case {
        name: "a message above the limit",
        act: |mut peer| {
            peer.send(frame(FIN | BINARY, &[0; 1001]));
            assert_eq!(peer.assert_fails(), 1009);
        },
        is: |ended| {
            let EndedKind::WebSocket(Outcome::Exceeded(exceeded)) = ended.kind() else { return false };
            exceeded.limit == Limit::MessageBytes
        },
    },
    Case {
        name: "the transport fails",
        act: |mut peer| {
            peer.send(text("hello"));
            assert_eq!(peer.frame().as_text(), "hello");
            peer.client.reset();
        },
        is: |ended| matches!(ended.kind(), EndedKind::Transport(error) if error.kind() == std::io::ErrorKind::ConnectionReset),
    },
];

fn the_ends_are_told_apart<R: Runtime>() {
    let (tell, told) = told();
    let mut config = closing_within(Duration::from_secs(5));
    config.ws.message_bytes = 1000;
    let server = start_with::<R, _, _>(config, move |exchange| echo_to_the_end(exchange, tell.clone()));
    for Case { name, act, is } in CASES {
        act(Peer::connect(&server));
        let (seen, counted) = (told.next(), server.next_end());
        assert!(is(&seen), "{name}: {seen:?}");
        assert_eq!(format!("{seen:?}"), format!("{counted:?}"), "{name}");
    }
}

fn our_own_close<R: Runtime>() {
    let (tell, told) = told();
    let server = start_with::<R, _, _>(closing_within(Duration::from_secs(5)), move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let mut socket = accept(exchange)?;
            let Some(message) = socket.receive().await else { return Err(aborted()) };
            assert!(matches!(message.content(), Content::Text(_)));
            let close = Close::new(CloseCode::new(4001).unwrap(), "enough").unwrap();
            let ended = socket.close(close).await;
            tell.send(ended.clone()).unwrap();
            Err::<endwell::Answered, _>(ended)
        }
    });
    let mut peer = Peer::connect(&server);
    peer.send(text("now"));
    let frame = peer.frame();
    assert_eq!((frame.code(), &frame.payload[2..]), (4001, &b"enough"[..]));
    // What the peer had sent before it saw our Close is thrown away, and answered by nothing.
    peer.send(text("late"));
    peer.send(crate::peer::frame(FIN | PING, b"late"));
    peer.send(close(1000));
    peer.client.assert_closed();
    drop(peer);
    let (seen, counted) = (told.next(), server.next_end());
    assert_eq!(format!("{seen:?}"), format!("{counted:?}"));
    let EndedKind::WebSocket(Outcome::Closed { first: End::Ours, sent, received }) = seen.kind() else {
        panic!("{seen:?}")
    };
    assert_eq!((sent.reason(), received.code().map(CloseCode::number)), ("enough", Some(1000)));
}

/// Our Close is on the wire, and the peer resets: that is no end of a stream, and no clean end.
fn the_transport_fails_while_we_close<R: Runtime>() {
    let (tell, told) = told();
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start_with::<R, _, _>(closing_within(Duration::from_secs(5)), move |exchange: Exchange| {
        let (tell, gate) = (tell.clone(), waiting.clone());
        async move {
            let ended = accept(exchange)?.close(Close::EMPTY).await;
            tell.send(ended.clone()).unwrap();
            gate.pass().await;
            Err::<endwell::Answered, _>(ended)
        }
    });
    let mut peer = Peer::connect(&server);
    assert!(peer.frame().payload.is_empty());
    peer.client.reset();
    let seen = told.next();
    gate.open(1);
    let counted = server.next_end();
    assert_eq!(format!("{seen:?}"), format!("{counted:?}"));
    assert!(matches!(seen.kind(), EndedKind::Transport(_)), "{seen:?}");
}
