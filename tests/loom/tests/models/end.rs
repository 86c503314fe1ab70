//! The driver is dropped where it is.

use endwell::EndedKind;
use endwell::ws::Close;
use endwell_loom::{Detached, Explore, Pipe, block_on, connect, poll_once, spawn};

use crate::as_text;

/// Whoever waits at an outlet or for a message is told, and what was accepted comes back once.
#[test]
fn outlets_and_a_reader_are_told() {
    Explore::preemptions("a writer, a flush, a reader, the driver is dropped", 3).check(|| {
        let pipe = Pipe::new().stalled();
        let (socket, mut driver) = connect(&pipe);
        let (one, other, last) = (socket.outlet(), socket.outlet(), socket.outlet());
        assert!(one.try_send("x").is_ok());
        assert!(poll_once(&mut driver).is_none());
        assert!(one.try_send("y").is_ok());
        let (_send, mut receive) = socket.split();
        let one = spawn(move || {
            let error = block_on(one.send("a")).unwrap_err();
            assert_eq!(as_text(&error.message), "a");
            assert!(
                matches!(&error.ended, Some(ended) if matches!(ended.kind(), EndedKind::Cancelled)),
                "{error}"
            );
        });
        let other = spawn(move || assert!(block_on(other.flush()).is_err()));
        let reader = spawn(move || assert!(block_on(receive.receive()).is_none()));
        drop(driver);
        one.join().unwrap();
        other.join().unwrap();
        reader.join().unwrap();
        let unsent = last.unsent();
        assert_eq!(unsent.iter().map(as_text).collect::<Vec<_>>(), ["y"]);
        assert!(last.unsent().is_empty(), "each is given out once");
    });
}

/// The same for a half that waits for the wire, and for whoever waits for the end.
#[test]
fn halves_are_told() {
    Explore::all("a half that sends, a half that waits for the end, the driver is dropped").check(|| {
        let pipe = Pipe::new().stalled();
        let (socket, mut driver) = connect(&pipe);
        let outlet = socket.outlet();
        assert!(outlet.try_send("x").is_ok());
        assert!(poll_once(&mut driver).is_none());
        let (mut send, receive) = socket.split();
        let writer = spawn(move || {
            let error = block_on(send.send("a")).unwrap_err();
            assert_eq!(as_text(&error.message), "a");
        });
        let other = spawn(move || assert!(matches!(block_on(receive.closed()).kind(), EndedKind::Cancelled)));
        drop(driver);
        writer.join().unwrap();
        other.join().unwrap();
    });
}

/// Tasks that only their wakers hold: waking one drops it, with the outlet or the half in it. Each needs a lock for that.
#[test]
fn wakers_that_drop_their_tasks() {
    Explore::all("tasks that their wakers hold").check(|| {
        let pipe = Pipe::new().stalled();
        let (socket, mut driver) = connect(&pipe);
        let outlet = socket.outlet();
        assert!(outlet.try_send("x").is_ok());
        assert!(poll_once(&mut driver).is_none());
        assert!(outlet.try_send("y").is_ok());
        let (mut send, mut receive) = socket.split();
        let (one, other, last, closer) = (outlet.clone(), outlet.clone(), outlet.clone(), outlet);
        Detached::start(async move { drop(one.send("a").await) });
        Detached::start(async move { drop(other.flush().await) });
        Detached::start(async move { drop(last.closed().await) });
        Detached::start(async move { drop(send.flush().await) });
        Detached::start(async move { drop(receive.receive().await) });
        // The one in the line first, then the others.
        closer.close(Close::EMPTY);
        drop(driver);
    });
}
