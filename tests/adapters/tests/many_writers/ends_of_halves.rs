//! S10 and S11 with the halves of a socket in two tasks, and halves that are dropped.

use std::sync::Arc;
use std::task::Poll;

use endwell::ws::{CloseCode, Content, End, Outcome};
use endwell::{Answered, EndedKind, Exchange, ServerConfig};

use crate::peer::{BINARY, FIN, PING, PONG, Peer, close, frame, text};
use crate::service::{Wakes, accept, handing_over, spawn, wait};
use crate::support::{Gate, Runtime, on_every_runtime, pattern, start};

on_every_runtime!(
    answered_while_the_send_half_is_idle,
    a_reader_is_woken_once_by_the_end,
    a_task_that_reads_hears_of_the_close,
    without_a_receive_half_pings_are_answered,
    without_a_send_half_it_closes,
);

/// S10: the reader gets the event and then does something else; the send half does nothing at all.
fn answered_while_the_send_half_is_idle<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let (send, mut recv) = accept(exchange)?.split();
            let reading = spawn::<R, _>(async move {
                while recv.receive().await.is_some() {
                    gate.pass().await;
                }
                recv.closed().await
            });
            let ended = reading.await;
            drop(send);
            Err::<Answered, _>(ended)
        }
    });
    for round in 0..20 {
        let mut peer = Peer::connect(&server);
        let payload = pattern(round);
        peer.send(frame(FIN | PING, &payload));
        let pong = peer.frame();
        assert_eq!((pong.first, pong.payload), (FIN | PONG, payload));
        gate.open(1);
        peer.send(close(4000));
        assert_eq!(peer.assert_fails(), 4000);
        gate.open(1);
        drop(peer);
        let ended = server.next_end();
        assert!(
            matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { first: End::Theirs, .. })),
            "{ended:?}"
        );
    }
}

/// S11: whoever ends the connection, a reader that waits is woken once, and then knows.
fn a_reader_is_woken_once_by_the_end<R: Runtime>() {
    for way in ["half", "outlet", "dropped", "reset"] {
        let (server, next) = handing_over::<R>(ServerConfig::default());
        let mut peer = Peer::connect(&server);
        let (send, mut recv) = next().split();
        let outlet = send.outlet();
        let wakes = Arc::new(Wakes::default());
        let mut receiving = recv.receive();
        assert!(wakes.poll(&mut receiving).is_pending());
        // The connection's task has seen that somebody waits: it has written for the socket since.
        wait(async {
            outlet.send("waits").await.unwrap();
            outlet.flush().await.unwrap();
        });
        assert_eq!(peer.frame().as_text(), "waits");
        assert_eq!(wakes.count(), 0);
        match way {
            "half" => drop(send.close(CloseCode::NORMAL)),
            "outlet" => outlet.clone().close(CloseCode::NORMAL),
            "dropped" => drop(send),
            _ => {
                peer.client.reset();
                wakes.wait(1);
                assert!(matches!(wakes.poll(&mut receiving), Poll::Ready(None)));
                // The connection is over though both halves are still there.
                assert!(matches!(server.next_end().kind(), EndedKind::Transport(_)));
                drop(receiving);
                let ended = wait(recv.closed());
                assert!(matches!(ended.kind(), EndedKind::Transport(_)), "{ended:?}");
                assert_eq!(wakes.count(), 1);
                drop(send);
                continue;
            }
        }
        wakes.wait(1);
        assert!(matches!(wakes.poll(&mut receiving), Poll::Ready(None)), "{way}");
        assert_eq!(peer.assert_closes(), if way == "dropped" { 1011 } else { 1000 });
        drop((peer, receiving));
        let ended = wait(recv.closed());
        assert!(
            matches!(ended.kind(), EndedKind::WebSocket(Outcome::Closed { first: End::Ours, .. })),
            "{ended:?}"
        );
        assert_eq!(wakes.count(), 1, "{way}");
    }
}

/// S11 on the runtime's own tasks.
fn a_task_that_reads_hears_of_the_close<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let (send, mut recv) = accept(exchange)?.split();
        let reading = spawn::<R, _>(async move {
            let mut messages = 0;
            while let Some(message) = recv.receive().await {
                messages += usize::from(message.is_data());
            }
            (messages, recv.closed().await)
        });
        let ended = send.close(CloseCode::NORMAL).await;
        let (messages, also) = reading.await;
        assert_eq!((messages, format!("{also:?}")), (0, format!("{ended:?}")));
        Err::<Answered, _>(ended)
    });
    for _ in 0..50 {
        let mut peer = Peer::connect(&server);
        assert_eq!(peer.assert_closes(), 1000);
        drop(peer);
        assert!(matches!(
            server.next_end().kind(),
            EndedKind::WebSocket(Outcome::Closed { first: End::Ours, .. })
        ));
    }
}

/// What comes is read and thrown away, so that pings are still seen; and the send half works.
fn without_a_receive_half_pings_are_answered<R: Runtime>() {
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let mut peer = Peer::connect(&server);
    let (mut send, recv) = next().split();
    drop(recv);
    let message = frame(FIN | BINARY, &pattern(60_000));
    for round in 0..100u8 {
        // In all far more than the sockets hold, and than a socket may have received.
        peer.send(&message);
        peer.send(frame(FIN | PING, &[round]));
        let pong = peer.frame();
        assert_eq!((pong.first, &pong.payload[..]), (FIN | PONG, &[round][..]));
    }
    wait(send.send("still there")).unwrap();
    assert_eq!(peer.frame().as_text(), "still there");
    peer.send(close(1000));
    assert_eq!(peer.assert_fails(), 1000);
    assert!(wait(send.send("late")).is_err());
}

/// 1011, behind what was sent; until then the receive half goes on.
fn without_a_send_half_it_closes<R: Runtime>() {
    let (server, next) = handing_over::<R>(ServerConfig::default());
    let mut peer = Peer::connect(&server);
    let (mut send, mut recv) = next().split();
    peer.send(text("hello"));
    let hello = wait(recv.receive()).unwrap();
    assert_eq!(hello.content(), Content::Text("hello"));
    wait(send.send("last")).unwrap();
    drop(send);
    assert_eq!(peer.frame().as_text(), "last");
    assert!(wait(recv.receive()).is_none());
    assert_eq!(peer.assert_closes(), 1011);
    drop(peer);
    let ended = wait(recv.closed());
    let EndedKind::WebSocket(Outcome::Closed { sent, .. }) = ended.kind() else { panic!("{ended:?}") };
    assert_eq!(*sent, CloseCode::INTERNAL_ERROR.into());
}
