//! A wait that is given up.

use endwell::ws::Close;
use endwell_loom::{Explore, Pipe, block_on, connect, poll_once, spawn, texts_before_close};

use crate::{assert_delivered, write};

/// Whoever leaves the line, waiting or granted, leaves the room to the next.
#[test]
fn a_send_is_dropped() {
    Explore::preemptions("a send that is dropped, another, the driver", 3).check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let (one, other) = (socket.outlet(), socket.outlet());
        assert!(one.try_send("x").is_ok());
        let one = spawn(move || {
            let mut send = one.send("a");
            let polled = poll_once(&mut send);
            // Whether it is in the line, was granted room, or was accepted.
            let message = send.into_message();
            match polled {
                Some(Ok(())) => assert!(message.is_none()),
                Some(Err(error)) => assert_eq!(crate::as_text(&error.message), "a"),
                None => assert_eq!(crate::as_text(&message.unwrap()), "a"),
            }
        });
        let other = spawn(move || {
            assert!(write(&other, "b"), "nobody has closed yet");
            other.close(Close::EMPTY);
        });
        block_on(driver);
        one.join().unwrap();
        other.join().unwrap();
        let sent = pipe.sent();
        let delivered = texts_before_close(&sent);
        assert!(matches!(delivered[..], ["x", "b"] | ["x", "a", "b"] | ["x", "b", "a"]), "{delivered:?}");
        drop(socket);
    });
}

/// It leaves while it waits, or with the room that it was granted; the one behind gets it.
#[test]
fn a_granted_send_is_dropped() {
    Explore::preemptions("a send in the line that is dropped, the next, the driver", 4).check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let (one, other) = (socket.outlet(), socket.outlet());
        assert!(one.try_send("x").is_ok());
        let mut first = Box::pin(async move { one.send("a").await });
        assert!(poll_once(&mut first).is_none(), "it is the first in the line");
        let other = spawn(move || {
            assert!(write(&other, "b"), "nobody has closed yet");
            other.close(Close::EMPTY);
        });
        let first = spawn(move || drop(first));
        block_on(driver);
        first.join().unwrap();
        other.join().unwrap();
        assert_delivered(texts_before_close(&pipe.sent()), [("b", true), ("x", true)]);
        drop(socket);
    });
}
