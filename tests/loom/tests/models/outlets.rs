//! Many writers and one wire. The queue has room for one message, so they wait for each other.

use endwell::ws::Close;
use endwell_loom::{Explore, Pipe, block_on, connect, frame, poll_once, spawn, texts_before_close};

use crate::{as_text, assert_delivered, write};

#[test]
fn one_writer_and_a_closer() {
    Explore::all("a writer, a closer, the driver").check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let outlet = socket.outlet();
        let (half, _receive) = socket.split();
        let writer = spawn(move || write(&outlet, "a"));
        let closer = spawn(move || drop(half.close(Close::EMPTY)));
        block_on(driver);
        closer.join().unwrap();
        assert_delivered(texts_before_close(&pipe.sent()), [("a", writer.join().unwrap())]);
    });
}

/// The second waits for the room of the first.
#[test]
fn two_writers() {
    Explore::preemptions("2 writers, the driver", 3).check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let (one, other) = (socket.outlet(), socket.outlet());
        let one = spawn(move || write(&one, "a"));
        let other = spawn(move || {
            assert!(write(&other, "b"), "nobody has closed yet");
            other.close(Close::EMPTY);
        });
        block_on(driver);
        other.join().unwrap();
        assert_delivered(texts_before_close(&pipe.sent()), [("a", one.join().unwrap()), ("b", true)]);
        drop(socket);
    });
}

fn two_writers_and_a_closer(explore: Explore, pipe: fn() -> Pipe) {
    explore.check(move || {
        let pipe = pipe();
        let (socket, driver) = connect(&pipe);
        let (one, other, last) = (socket.outlet(), socket.outlet(), socket.outlet());
        let (half, _receive) = socket.split();
        let one = spawn(move || write(&one, "a"));
        let other = spawn(move || write(&other, "b"));
        let closer = spawn(move || drop(half.close(Close::EMPTY)));
        block_on(driver);
        closer.join().unwrap();
        let accepted = [("a", one.join().unwrap()), ("b", other.join().unwrap())];
        assert_delivered(texts_before_close(&pipe.sent()), accepted);
        assert!(last.unsent().is_empty(), "what was accepted was delivered");
    });
}

#[test]
fn two_writers_and_a_closer_over_an_open_wire() {
    two_writers_and_a_closer(Explore::preemptions("2 writers, a closer, the driver", 3), Pipe::new);
}

#[test]
fn two_writers_and_a_closer_over_a_wire_that_stalls() {
    let explore = Explore::preemptions("2 writers, a closer, the driver, a write that stalls", 2);
    two_writers_and_a_closer(explore, || Pipe::new().stall_once());
}

/// Whoever closes through an outlet does not overtake what was accepted before, and two who close are one.
#[test]
fn two_closers() {
    Explore::preemptions("a writer who closes, another closer, the driver", 3).check(|| {
        let pipe = Pipe::new();
        let (socket, driver) = connect(&pipe);
        let (one, other) = (socket.outlet(), socket.outlet());
        let one = spawn(move || {
            let accepted = write(&one, "a");
            one.close(Close::EMPTY);
            accepted
        });
        let other = spawn(move || other.close(Close::EMPTY));
        block_on(driver);
        other.join().unwrap();
        assert_delivered(texts_before_close(&pipe.sent()), [("a", one.join().unwrap())]);
        drop(socket);
    });
}

/// The peer closes: what was accepted and had no turn any more comes back, once.
#[test]
fn the_peer_closes() {
    Explore::preemptions("2 writers, the peer closes, the driver", 2).check(|| {
        let pipe = Pipe::with_peer();
        let (socket, driver) = connect(&pipe);
        let (one, other, last) = (socket.outlet(), socket.outlet(), socket.outlet());
        let (_send, receive) = socket.split();
        drop(receive);
        let one = spawn(move || write(&one, "a"));
        let other = spawn(move || write(&other, "b"));
        let peer = spawn({
            let pipe = pipe.clone();
            move || pipe.feed(&frame(0x88, &[]))
        });
        block_on(driver);
        peer.join().unwrap();
        let accepted = [("a", one.join().unwrap()), ("b", other.join().unwrap())];
        let (sent, unsent) = (pipe.sent(), last.unsent());
        let mut kept = texts_before_close(&sent);
        kept.extend(unsent.iter().map(as_text));
        assert_delivered(kept, accepted);
    });
}

/// A writer in the line learns of the close when it begins: the peer reads on only then.
#[test]
fn a_writer_in_the_line_and_a_closer() {
    Explore::preemptions("a writer in the line, a closer, the driver, a wire that stalls till then", 3)
        .check(|| {
            let pipe = Pipe::with_peer().stalled();
            let (socket, mut driver) = connect(&pipe);
            let outlet = socket.outlet();
            assert!(outlet.try_send("x").is_ok());
            assert!(poll_once(&mut driver).is_none());
            assert!(outlet.try_send("y").is_ok());
            let (half, _receive) = socket.split();
            let writer = spawn({
                let pipe = pipe.clone();
                move || {
                    assert!(!write(&outlet, "a"), "there is no room");
                    pipe.resume();
                }
            });
            let closer = spawn(move || drop(half.close(Close::EMPTY)));
            block_on(driver);
            writer.join().unwrap();
            closer.join().unwrap();
            assert_eq!(texts_before_close(&pipe.sent()), ["x", "y"]);
        });
}
