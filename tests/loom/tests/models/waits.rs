//! Waiting for the transport, for the end, and for a time.

use std::time::Duration;

use endwell::ws::{Close, SendTimeoutError};
use endwell_loom::{Explore, Pipe, Sent, block_on, connect, poll_once, spawn, texts_before_close};

use crate::{as_text, assert_delivered, write};

/// What was accepted before a flush is with the transport after it, whoever sent it.
#[test]
fn a_flush_and_the_end() {
    Explore::preemptions("a writer who flushes and closes, another flush, the driver", 2).check(|| {
        let pipe = Pipe::new().stall_once();
        let (socket, driver) = connect(&pipe);
        let (one, other) = (socket.outlet(), socket.outlet());
        let one = spawn({
            let pipe = pipe.clone();
            move || {
                assert!(write(&one, "a"));
                block_on(one.flush()).expect("nobody has closed yet");
                assert_eq!(pipe.sent(), [Sent::Text("a".into())]);
                one.close(Close::EMPTY);
            }
        });
        // Nothing of its own is under way: it is told in any case.
        let other = spawn(move || block_on(other.flush()).is_ok());
        block_on(driver);
        one.join().unwrap();
        other.join().unwrap();
        assert_eq!(texts_before_close(&pipe.sent()), ["a"]);
        drop(socket);
    });
}

#[test]
fn a_flush_that_is_dropped() {
    Explore::preemptions("a flush that is dropped, another, the driver", 4).check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let (one, other) = (socket.outlet(), socket.outlet());
        assert!(one.try_send("a").is_ok());
        let one = spawn(move || drop(poll_once(&mut one.flush())));
        let other = spawn({
            let pipe = pipe.clone();
            move || {
                block_on(other.flush()).expect("nobody has closed yet");
                assert_eq!(pipe.sent(), [Sent::Text("a".into())]);
                other.close(Close::EMPTY);
            }
        });
        block_on(driver);
        one.join().unwrap();
        other.join().unwrap();
        drop(socket);
    });
}

#[test]
fn the_end_is_told_to_all() {
    Explore::preemptions("2 wait for the end, a closer, the driver", 2).check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let (one, other, closer) = (socket.outlet(), socket.outlet(), socket.outlet());
        let one = spawn(move || block_on(one.closed()));
        let other = spawn(move || block_on(other.closed()));
        let closer = spawn(move || closer.close(Close::EMPTY));
        let ended = format!("{:?}", block_on(driver));
        assert_eq!(format!("{:?}", one.join().unwrap()), ended);
        assert_eq!(format!("{:?}", other.join().unwrap()), ended);
        closer.join().unwrap();
        drop(socket);
    });
}

/// The time of the first in the line is over while the peer reads on: it gets the room or its message back, and the next
/// gets the room.
#[test]
fn a_time_is_over() {
    Explore::preemptions("a send with a time, the next, the peer, the driver", 1).check(|| {
        let pipe = Pipe::with_peer().stalled().time_flies();
        let (socket, mut driver) = connect(&pipe);
        let (one, other) = (socket.outlet(), socket.outlet());
        assert!(one.try_send("x").is_ok());
        assert!(poll_once(&mut driver).is_none());
        assert!(one.try_send("y").is_ok());
        let one = spawn(move || match block_on(one.send_timeout("a", Duration::from_secs(1))) {
            Ok(()) => true,
            Err(SendTimeoutError::Timeout(message)) => {
                assert_eq!(as_text(&message), "a");
                false
            }
            Err(SendTimeoutError::NotSent(error)) => {
                assert_eq!(as_text(&error.message), "a");
                false
            }
        });
        let other = spawn(move || {
            assert!(write(&other, "b"), "nobody has closed yet");
            other.close(Close::EMPTY);
        });
        let peer = spawn({
            let pipe = pipe.clone();
            move || pipe.resume()
        });
        block_on(driver);
        peer.join().unwrap();
        other.join().unwrap();
        let accepted = [("a", one.join().unwrap()), ("b", true), ("x", true), ("y", true)];
        assert_delivered(texts_before_close(&pipe.sent()), accepted);
        drop(socket);
    });
}

/// Nobody makes room, and the connection's task keeps the time.
#[test]
fn a_time_is_kept() {
    Explore::all("a send with a time, the driver").check(|| {
        let pipe = Pipe::with_peer().stalled().time_flies();
        let (socket, mut driver) = connect(&pipe);
        let outlet = socket.outlet();
        assert!(outlet.try_send("x").is_ok());
        assert!(poll_once(&mut driver).is_none());
        assert!(outlet.try_send("y").is_ok());
        let peer = pipe.clone();
        let writer = spawn(move || {
            let sent = block_on(outlet.send_timeout("a", Duration::from_secs(1)));
            assert!(matches!(sent, Err(SendTimeoutError::Timeout(_))), "{sent:?}");
            outlet.close(Close::EMPTY);
            peer.resume();
        });
        block_on(driver);
        writer.join().unwrap();
        assert_eq!(texts_before_close(&pipe.sent()), ["x", "y"]);
        drop(socket);
    });
}

/// The Close is written while the message waits for the wire: what was flushed was still handed over.
#[test]
fn a_flush_across_the_close() {
    Explore::preemptions("a flush, a closer, the peer, the driver", 2).check(|| {
        let pipe = Pipe::with_peer().stalled();
        let (socket, driver) = connect(&pipe);
        let outlet = socket.outlet();
        let (half, _receive) = socket.split();
        assert!(outlet.try_send("a").is_ok());
        let mut flush = Box::pin(async move { outlet.flush().await });
        assert!(poll_once(&mut flush).is_none());
        let flush =
            spawn(move || assert!(block_on(flush).is_ok(), "the connection ended behind the message"));
        let closer = spawn(move || drop(half.close(Close::EMPTY)));
        let peer = spawn({
            let pipe = pipe.clone();
            move || pipe.resume()
        });
        block_on(driver);
        flush.join().unwrap();
        closer.join().unwrap();
        peer.join().unwrap();
        assert_eq!(texts_before_close(&pipe.sent()), ["a"]);
    });
}
