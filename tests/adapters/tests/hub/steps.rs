//! A fan-out goes in steps, and holds up no one: not those who join and leave meanwhile, nor another topic.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Wake, Waker};
use std::thread;

use endwell::ServerConfig;
use endwell::hub::{Hub, Login};
use endwell::tokio::Tokio;
use endwell::ws::WhenFull;

use crate::memory::socket;
use crate::support::LONG;

/// A runtime's waker that stops whoever wakes it, until it is told to go on.
struct Stopping {
    woken: std::sync::Mutex<Sender<()>>,
    go_on: std::sync::Mutex<Receiver<()>>,
}

impl Wake for Stopping {
    fn wake(self: Arc<Self>) {
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

#[test]
fn others_join_and_leave_during_a_fan_out() {
    let hub = Hub::default();
    let config = ServerConfig::default();
    let (first, mut driver, _far) = socket(crate::memory::Still::default(), &config);
    let (second, _driver, _other_far) = socket(crate::memory::Still::default(), &config);
    let (slow, quick) = (hub.join(&first), hub.join(&second));
    slow.subscribe("room").unwrap();
    quick.subscribe("room").unwrap();
    let (woken, is_woken) = channel();
    let (tell, go_on) = channel();
    let waker = Waker::from(Arc::new(Stopping { woken: woken.into(), go_on: go_on.into() }));
    // The connection's task waits for messages, and waking it takes long.
    let pinned = std::pin::Pin::new(&mut driver);
    assert!(pinned.poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    thread::scope(|scope| {
        let sending = scope.spawn(|| hub.topic("room").send("x", WhenFull::DropNewest).now());
        is_woken.recv_timeout(LONG).unwrap();
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
        tell.send(()).unwrap();
        let receipt = sending.join().unwrap();
        assert_eq!((receipt.accepted, receipt.receivers()), (2, 2), "those who were here when it began");
    });
    drop(slow);
    drop(tell);
}
