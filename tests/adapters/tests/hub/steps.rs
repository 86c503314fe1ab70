//! A fan-out goes in steps, and holds up no one: not those who join and leave meanwhile, nor another topic.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::Duration;

use endwell::hub::{Hub, Login};
use endwell::tokio::Tokio;
use endwell::ws::{Socket, WhenFull};
use endwell::{Driver, ServerConfig};
use tokio::io::DuplexStream;

use crate::memory::{Still, socket};
use crate::support::LONG;

/// A runtime's waker that stops the thread that wakes it, until it is told to go on. Its own thread goes on.
struct Stopping {
    own: ThreadId,
    woken: std::sync::Mutex<Sender<()>>,
    go_on: std::sync::Mutex<Receiver<()>>,
}

impl Wake for Stopping {
    fn wake(self: Arc<Self>) {
        if thread::current().id() == self.own {
            return;
        }
        let _ = self.woken.lock().unwrap().send(());
        let _ = self.go_on.lock().unwrap().recv_timeout(LONG);
    }
}

/// A message for a thousand members over one connection, of which each gets it once.
#[tokio::test]
async fn each_of_a_thousand_gets_it_once() {
    const MEMBERS: usize = 1000;
    let hub = Hub::default();
    let (one, _driver, _far) = socket(Tokio, &ServerConfig::default());
    let mut members: Vec<_> = (0..MEMBERS).map(|_| hub.join(&one)).collect();
    for member in &members {
        member.login("guest", Login::Beside { at_most: MEMBERS }).unwrap();
        member.subscribe("room").unwrap();
    }
    // Slots are free here and there.
    for index in (0..MEMBERS).rev().step_by(3) {
        drop(members.swap_remove(index));
    }
    let left = members.len() as u64;
    let except = members[17].key();
    let full = WhenFull::DropNewest;
    let queued = || hub.snapshot().connections[0].queued_messages as u64;
    let mut expected = 0;
    for (recipients, receivers) in [
        (hub.topic("room"), left),
        (hub.topic("room").except(except), left - 1),
        (hub.user("guest"), left),
        (hub.everyone().except(except), left - 1),
    ] {
        let receipt = recipients.send("x", full).now();
        assert_eq!((receipt.receivers(), receipt.accepted + receipt.dropped), (receivers, receivers));
        expected += receipt.accepted;
        assert_eq!(queued(), expected);
    }
    assert_eq!(expected, 1024, "the bound of the queue");
}

/// A connection whose task waits for messages, and is slow to wake.
struct Slow {
    socket: Socket,
    driver: Driver,
    waker: Waker,
    _far: DuplexStream,
    is_woken: Receiver<()>,
    go_on: Sender<()>,
}

impl Slow {
    fn new() -> Self {
        let (socket, driver, far) = socket(Still::default(), &ServerConfig::default());
        let (woken, is_woken) = channel();
        let (tell, go_on) = channel();
        let waker = Waker::from(Arc::new(Stopping {
            own: thread::current().id(),
            woken: woken.into(),
            go_on: go_on.into(),
        }));
        Self { socket, driver, waker, _far: far, is_woken, go_on: tell }
    }

    /// Takes what there is, and waits.
    fn wait(&mut self) {
        while self.is_woken.try_recv().is_ok() {}
        let polled = Pin::new(&mut self.driver).poll(&mut Context::from_waker(&self.waker));
        assert!(polled.is_pending());
    }
}

#[test]
fn others_join_and_leave_during_a_fan_out() {
    let hub = Hub::default();
    let (mut first, (second, _driver, _far)) =
        (Slow::new(), socket(Still::default(), &ServerConfig::default()));
    let (slow, quick) = (hub.join(&first.socket), hub.join(&second));
    slow.subscribe("room").unwrap();
    quick.subscribe("room").unwrap();
    first.wait();
    thread::scope(|scope| {
        let sending = scope.spawn(|| hub.topic("room").send("x", WhenFull::DropNewest).now());
        first.is_woken.recv_timeout(LONG).unwrap();
        // The fan-out is within its first receiver.
        let third = hub.join(&second);
        third.login("alice", Login::Replace).unwrap();
        assert_eq!(third.subscribe("room"), Ok(true));
        assert_eq!((hub.counts().connections, hub.topic_presence("room").len()), (3, 3));
        third.subscribe("another").unwrap();
        assert_eq!(hub.topic("another").send("y", WhenFull::DropNewest).now().accepted, 1);
        assert_eq!(hub.user("alice").send("y", WhenFull::DropNewest).now().accepted, 1);
        drop(third);
        drop(quick);
        first.go_on.send(()).unwrap();
        let receipt = sending.join().unwrap();
        assert_eq!((receipt.accepted, receipt.receivers()), (2, 2), "those who were here when it began");
    });
}

/// A second message does not pass the first one, which is stopped between two receivers.
#[test]
fn one_fan_out_does_not_pass_another() {
    let hub = Hub::default();
    let (mut first, (second, driver, _far)) =
        (Slow::new(), socket(Still::default(), &ServerConfig::default()));
    let members = [hub.join(&first.socket), hub.join(&second)];
    for member in &members {
        member.subscribe("room").unwrap();
        member.login("alice", Login::Beside { at_most: 2 }).unwrap();
    }
    for (recipients, texts) in
        [(hub.topic("room"), ["1", "2"]), (hub.user("alice"), ["3", "4"]), (hub.everyone(), ["5", "6"])]
    {
        first.wait();
        thread::scope(|scope| {
            let sending = scope.spawn(|| recipients.send(texts[0], WhenFull::DropNewest).now());
            first.is_woken.recv_timeout(LONG).unwrap();
            let (done, is_done) = channel();
            let another = recipients.clone();
            scope.spawn(move || {
                assert_eq!(another.send(texts[1], WhenFull::DropNewest).now().accepted, 2);
                done.send(()).unwrap();
            });
            // Longer than it takes if nothing holds it up.
            assert!(is_done.recv_timeout(Duration::from_millis(100)).is_err(), "it has passed the other");
            first.go_on.send(()).unwrap();
            assert_eq!(sending.join().unwrap().accepted, 2);
            is_done.recv_timeout(LONG).unwrap();
        });
    }
    // What was accepted comes back, in order.
    let outlet = second.outlet();
    drop(driver);
    let texts: Vec<_> = outlet.unsent().iter().map(|message| message.as_text().unwrap().to_owned()).collect();
    assert_eq!(texts, ["1", "2", "3", "4", "5", "6"]);
}
