//! Two writers, a reader and a closer at once.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use endwell::ws::{Close, ReadAhead};
use endwell_loom::{Explore, Pipe, Sent, block_on, connect, frame, spawn, texts_before_close};

use crate::{assert_delivered, write};

fn everybody(explore: Explore, ahead: Option<ReadAhead>) {
    explore.check(move || {
        let pipe = Pipe::new();
        pipe.feed(&frame(0x89, b"?"));
        let (mut socket, driver) = connect(&pipe);
        if let Some(ahead) = ahead {
            socket.drive(ahead);
        }
        let (one, other, last) = (socket.outlet(), socket.outlet(), socket.outlet());
        let (send, mut receive) = socket.split();
        let one = spawn(move || write(&one, "a"));
        let other = spawn(move || write(&other, "b"));
        let reader = spawn(move || while block_on(receive.receive()).is_some() {});
        let closer = spawn(move || drop(send.close(Close::EMPTY)));
        block_on(driver);
        reader.join().unwrap();
        closer.join().unwrap();
        let accepted = [("a", one.join().unwrap()), ("b", other.join().unwrap())];
        let sent = pipe.sent();
        assert_delivered(texts_before_close(&sent), accepted);
        assert!(sent.iter().filter(|frame| matches!(frame, Sent::Pong(_))).count() <= 1);
        assert!(last.unsent().is_empty(), "what was accepted was delivered");
    });
}

#[test]
fn two_writers_a_reader_and_a_closer() {
    everybody(Explore::preemptions("2 writers, a reader, a closer, the driver", 1), None);
}

#[test]
fn two_writers_a_reader_and_a_closer_while_the_driver_reads_ahead() {
    let explore = Explore::preemptions("2 writers, a reader, a closer, the driver reading ahead", 1);
    everybody(explore, Some(ReadAhead { messages: 1, bytes: 1 }));
}

/// The same in three threads: whoever drives also reads, as a handler does in its connection's task, and a writer closes.
#[test]
fn two_writers_of_whom_one_closes_and_a_task_that_reads() {
    Explore::preemptions("2 writers, the second closes, the driver reads", 3).check(|| {
        let pipe = Pipe::new();
        let (socket, mut driver) = connect(&pipe);
        let (one, other, last) = (socket.outlet(), socket.outlet(), socket.outlet());
        let (_send, mut receive) = socket.split();
        let one = spawn(move || write(&one, "a"));
        let other = spawn(move || {
            let is_accepted = write(&other, "b");
            other.close(Close::EMPTY);
            is_accepted
        });
        block_on(poll_fn(|cx| {
            while let Poll::Ready(Some(_)) = pin!(receive.receive()).poll(cx) {}
            Pin::new(&mut driver).poll(cx)
        }));
        let accepted = [("a", one.join().unwrap()), ("b", other.join().unwrap())];
        assert_delivered(texts_before_close(&pipe.sent()), accepted);
        assert!(last.unsent().is_empty(), "what was accepted was delivered");
    });
}
