//! Two writers, a reader and a closer at once.

use std::future::{pending, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use endwell::ws::Close;
use endwell_loom::{Explore, Pipe, Sent, block_on, connect, frame, poll_once, spawn, texts_before_close};

use crate::{accepted, assert_delivered, write};

#[test]
fn two_writers_a_reader_and_a_closer() {
    Explore::preemptions("2 writers, a reader, a closer, the driver", 1).check(|| {
        let pipe = Pipe::new();
        pipe.feed(&frame(0x89, b"?"));
        let (socket, driver) = connect(&pipe);
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

type Begun = Pin<Box<dyn Future<Output = Vec<(&'static str, bool)>>>>;

/// Polls it once. What it waits for then is left to whoever gets it.
fn begin(
    task: impl Future<Output = Vec<(&'static str, bool)>> + 'static,
) -> (Begun, Vec<(&'static str, bool)>) {
    let mut task: Begun = Box::pin(task);
    match poll_once(&mut task) {
        Some(story) => (Box::pin(pending()), story),
        None => (task, Vec::new()),
    }
}

/// All four begin at once, in every order; then one task sees to the rest. `turns` is how often the driver is polled meanwhile.
fn all_begin(explore: Explore, turns: usize) {
    explore.check(move || {
        let pipe = Pipe::new();
        pipe.feed(&frame(0x89, b"?"));
        let (socket, mut driver) = connect(&pipe);
        let (one, other, last) = (socket.outlet(), socket.outlet(), socket.outlet());
        let (send, mut receive) = socket.split();
        let begun = [
            spawn(move || begin(async move { vec![("a", accepted(one.send("a").await, "a"))] })),
            spawn(move || begin(async move { vec![("b", accepted(other.send("b").await, "b"))] })),
            spawn(move || {
                begin(async move {
                    while receive.receive().await.is_some() {}
                    Vec::new()
                })
            }),
            spawn(move || {
                begin(async move {
                    send.close(Close::EMPTY).await;
                    Vec::new()
                })
            }),
        ];
        // If all have begun, one turn is enough for the end.
        let mut is_over = (0..turns).any(|_| poll_once(&mut driver).is_some());
        let (mut rest, stories): (Vec<Begun>, Vec<_>) =
            begun.map(|task| task.join().unwrap()).into_iter().unzip();
        let mut stories = stories.concat();
        block_on(poll_fn(|cx| {
            rest.retain_mut(|task| match task.as_mut().poll(cx) {
                Poll::Ready(story) => {
                    stories.extend(story);
                    false
                }
                Poll::Pending => true,
            });
            is_over = is_over || Pin::new(&mut driver).poll(cx).is_ready();
            if is_over { Poll::Ready(()) } else { Poll::Pending }
        }));
        for task in &mut rest {
            stories.extend(poll_once(task).into_iter().flatten());
        }
        stories.sort_unstable();
        assert_eq!(
            stories.iter().map(|(text, _)| *text).collect::<String>(),
            "ab",
            "each writer was answered"
        );
        assert_delivered(texts_before_close(&pipe.sent()), stories);
        assert!(last.unsent().is_empty(), "what was accepted was delivered");
    });
}

#[test]
fn everybody_begins() {
    all_begin(Explore::preemptions("2 writers, a reader and a closer begin", 3), 0);
}

#[test]
fn everybody_begins_beside_the_driver() {
    all_begin(Explore::preemptions("2 writers, a reader and a closer begin, a turn of the driver", 2), 1);
}
