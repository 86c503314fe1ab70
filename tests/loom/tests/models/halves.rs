//! A half for each of two tasks.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use endwell::ws::{Close, Content, ReceiveHalf};
use endwell_loom::{Explore, Pipe, Sent, block_on, connect, frame, spawn, texts_before_close};

use crate::accepted;

/// What was received, to the end.
fn receive_all(mut half: ReceiveHalf) -> String {
    let mut story = String::new();
    while let Some(message) = block_on(half.receive()) {
        story.push_str(match message.content() {
            Content::Ping(_) => "ping ",
            Content::Text(_) => "text ",
            Content::Close(_) => "close ",
            other @ (Content::Pong(_) | Content::Binary(_)) => panic!("{other:?}"),
        });
    }
    story
}

/// The pong and the answer to the Close are on the wire though nobody uses the sending half.
#[test]
fn the_sending_half_idles() {
    Explore::preemptions("a reader, the peer, the driver", 4).check(|| {
        let pipe = Pipe::with_peer();
        let (socket, driver) = connect(&pipe);
        let (_send, receive) = socket.split();
        let reader = spawn(move || receive_all(receive));
        let peer = spawn({
            let pipe = pipe.clone();
            move || pipe.feed(&[frame(0x89, b"?"), frame(0x88, &[])].concat())
        });
        block_on(driver);
        assert_eq!(reader.join().unwrap(), "ping close ");
        peer.join().unwrap();
        assert_eq!(pipe.sent(), [Sent::Pong(b"?".into()), Sent::Close]);
    });
}

/// Nobody receives either: the half is dropped while a ping arrives.
#[test]
fn the_receiving_half_is_dropped() {
    Explore::all("a reader who leaves, the peer, the driver").check(|| {
        let pipe = Pipe::with_peer();
        let (socket, driver) = connect(&pipe);
        let (_send, receive) = socket.split();
        let reader = spawn(move || drop(receive));
        let peer = spawn({
            let pipe = pipe.clone();
            move || pipe.feed(&[frame(0x89, b"?"), frame(0x88, &[])].concat())
        });
        block_on(driver);
        reader.join().unwrap();
        peer.join().unwrap();
        assert_eq!(pipe.sent(), [Sent::Pong(b"?".into()), Sent::Close]);
    });
}

/// The writer waits for the wire, the reader for the room that its answers need, and the peer does everything in pieces.
#[test]
fn both_halves_wait() {
    Explore::preemptions("a writer, a reader, the peer in pieces, the driver", 1).check(|| {
        let pipe = Pipe::with_peer().stalled();
        let (socket, driver) = connect(&pipe);
        let (mut send, receive) = socket.split();
        let writer = spawn(move || {
            let written = ["a", "b"].map(|text| accepted(block_on(send.send(text)), text));
            // Dropped now, it would close.
            (written, send)
        });
        let reader = spawn(move || receive_all(receive));
        let peer = spawn({
            let pipe = pipe.clone();
            move || {
                let ping = frame(0x89, b"?");
                pipe.feed(&ping[..3]);
                pipe.feed(&[&ping[3..], &frame(0x81, b"!")].concat());
                pipe.resume();
                pipe.feed(&frame(0x88, &[]));
            }
        });
        block_on(driver);
        assert_eq!(reader.join().unwrap(), "ping text close ");
        peer.join().unwrap();
        let sent = pipe.sent();
        assert!(sent.contains(&Sent::Pong(b"?".into())), "{sent:?}");
        let ([a, b], _send) = writer.join().unwrap();
        crate::assert_delivered(texts_before_close(&sent), [("a", a), ("b", b)]);
    });
}

/// A half writes, and an outlet of it: they take turns, and the Close is the last.
#[test]
fn a_half_and_an_outlet() {
    Explore::preemptions("a half, an outlet, the driver", 2).check(|| {
        let pipe = Pipe::new().stall_once();
        let (socket, driver) = connect(&pipe);
        let outlet = socket.outlet();
        let (mut send, _receive) = socket.split();
        let half = spawn(move || {
            let is_accepted = accepted(block_on(send.send("a")), "a");
            block_on(send.close(Close::EMPTY));
            is_accepted
        });
        let outlet = spawn(move || crate::write(&outlet, "b"));
        block_on(driver);
        assert!(half.join().unwrap(), "nobody has closed yet");
        crate::assert_delivered(
            texts_before_close(&pipe.sent()),
            [("a", true), ("b", outlet.join().unwrap())],
        );
    });
}

/// Everybody who waits for the end is told of it.
#[test]
fn two_wait_for_the_end() {
    Explore::preemptions("a closer who waits, a half that waits for the end, the driver", 3).check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let (send, receive) = socket.split();
        let closer = spawn(move || block_on(send.close(Close::EMPTY)));
        let other = spawn(move || block_on(receive.closed()));
        let ended = format!("{:?}", block_on(driver));
        assert_eq!(format!("{:?}", closer.join().unwrap()), ended);
        assert_eq!(format!("{:?}", other.join().unwrap()), ended);
        assert_eq!(pipe.sent(), [Sent::Close]);
    });
}

/// The application is polled beside the driver, in the same task: neither wakes the other for nothing.
#[test]
fn an_application_beside_its_driver() {
    Explore::all("the driver and its application in one task, the peer").check(|| {
        let pipe = Pipe::with_peer().stalled();
        let (mut socket, mut driver) = connect(&pipe);
        let peer = spawn({
            let pipe = pipe.clone();
            move || {
                pipe.feed(&frame(0x81, b"!"));
                pipe.resume();
            }
        });
        let mut application = pin!(async move {
            assert!(socket.receive().await.is_some());
            assert!(accepted(socket.send("a").await, "a"));
            assert!(accepted(socket.send("b").await, "b"));
            socket.flush().await.unwrap();
            socket.close(Close::EMPTY).await
        });
        let mut ended = None;
        block_on(poll_fn(|cx| {
            // It may be told before the driver is.
            if ended.is_none() {
                if let Poll::Ready(how) = application.as_mut().poll(cx) {
                    ended = Some(how);
                }
            }
            Pin::new(&mut driver).poll(cx)
        }));
        peer.join().unwrap();
        assert_eq!(texts_before_close(&pipe.sent()), ["a", "b"]);
    });
}
