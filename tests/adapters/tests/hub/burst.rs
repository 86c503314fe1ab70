//! S17: a burst of 10,000 messages to a topic with one slow reader and one that stands still. All are delivered, or what is
//! missing is in the receipts, exactly.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use endwell::ServerConfig;
use endwell::hub::{Hub, Member, Receipt};
use endwell::ws::{CloseCode, SendHalf, WhenFull};

use crate::peer::{CLOSE, FIN, Peer, close};
use crate::service::{handing_over_narrow, wait};
use crate::support::{Gate, LONG, Running, Runtime, on_every_runtime};

on_every_runtime!(
    waiting_delivers_all,
    the_oldest_are_dropped_and_counted,
    the_newest_are_dropped_and_counted,
    too_long_a_wait_is_dropped_and_counted,
    a_member_that_lags_is_closed,
);

const BURST: u64 = 10_000;

/// A connection that takes little, and what its peer has seen when it is over: the messages' numbers, and the code.
struct Burst {
    hub: Hub,
    server: Running,
    member: Member,
    send: SendHalf,
    /// Lets the peer read.
    read: Gate,
    peer: JoinHandle<(Vec<u64>, u16)>,
}

fn burst<R: Runtime>(messages: usize) -> Burst {
    let mut config = ServerConfig::default();
    config.outlet.messages = messages;
    config.outlet.bytes = 102 * 1024;
    config.output.bytes = 4096;
    config.output.high_water = 1024;
    let hub = Hub::default();
    let (server, next) = handing_over_narrow::<R>(config);
    let mut peer = Peer::connect_narrow(&server);
    let (send, receive) = next().split();
    drop(receive);
    let member = hub.join(&send);
    member.subscribe("room").unwrap();
    let read = Gate::new();
    let waiting = read.clone();
    let peer = thread::spawn(move || {
        wait(waiting.pass());
        let mut seen = Vec::new();
        loop {
            let frame = peer.frame();
            if frame.first == FIN | CLOSE {
                peer.send(close(frame.code()));
                peer.client.assert_closed();
                return (seen, frame.code());
            }
            let index = frame.as_text().trim_start().parse().unwrap();
            assert_eq!(frame.as_text(), message(index));
            seen.push(index);
        }
    });
    Burst { hub, server, member, send, read, peer }
}

/// One in ten is as long as nine.
fn message(index: u64) -> String {
    let len = if index % 10 == 0 { 918 } else { 102 };
    format!("{index:len$}")
}

impl Burst {
    /// Sends a message, which is in exactly one count.
    fn send(&self, index: u64, when_full: WhenFull) -> Receipt {
        let receipt = wait(self.hub.topic("room").send(message(index), when_full));
        assert_eq!(receipt.receivers(), 1, "{receipt}");
        assert!(receipt.lost == 0 || receipt.lagged == 1);
        receipt
    }

    /// What arrived, in order and each once; and the code.
    fn close_and_read(self) -> (Vec<u64>, u16) {
        let Self { hub, server, member, send, read, peer } = self;
        read.open(1);
        let closing = send.close(CloseCode::NORMAL);
        let (seen, code) = peer.join().unwrap();
        wait(closing);
        server.next_end();
        assert!(!member.is_here() && hub.counts().topics == 0);
        drop((member, server));
        assert!(seen.is_sorted_by(|one, other| one < other));
        (seen, code)
    }
}

fn waiting_delivers_all<R: Runtime>() {
    let burst = burst::<R>(64);
    burst.read.open(1);
    for index in 0..BURST {
        assert_eq!(burst.send(index, WhenFull::Wait(LONG)).accepted, 1);
    }
    let (seen, code) = burst.close_and_read();
    assert!(seen.into_iter().eq(0..BURST) && code == 1000);
}

fn the_oldest_are_dropped_and_counted<R: Runtime>() {
    // 1,024 messages do not fit into the bytes, so that a long one drops several.
    let burst = burst::<R>(1024);
    let receipts: Vec<_> = (0..BURST).map(|index| burst.send(index, WhenFull::DropOldest)).collect();
    let lost: u64 = receipts.iter().map(|receipt| receipt.lost).sum();
    assert!(receipts.iter().all(|receipt| receipt.delivered() == 1));
    let (seen, code) = burst.close_and_read();
    println!("S17 {:<17} the oldest dropped: {} arrived, {lost} lost", R::NAME, seen.len());
    assert_eq!((seen.len() as u64 + lost, code), (BURST, 1000));
    assert!(lost > 0 && seen.ends_with(&((BURST - 200)..BURST).collect::<Vec<_>>()), "the newest are there");
}

fn the_newest_are_dropped_and_counted<R: Runtime>() {
    let burst = burst::<R>(1024);
    let accepted: Vec<_> =
        (0..BURST).filter(|&index| burst.send(index, WhenFull::DropNewest).accepted == 1).collect();
    let (seen, code) = burst.close_and_read();
    println!("S17 {:<17} the newest dropped: {} arrived", R::NAME, seen.len());
    assert!(seen == accepted && seen.len() < BURST as usize && code == 1000);
}

/// Each waits 2 ms for a reader that reads nothing, then reads; what was accepted in time arrives.
fn too_long_a_wait_is_dropped_and_counted<R: Runtime>() {
    const SENT: u64 = 200;
    let burst = burst::<R>(64);
    let mut accepted = Vec::new();
    for index in 0..SENT {
        let receipt = burst.send(index, WhenFull::Wait(Duration::from_millis(2)));
        match (receipt.accepted, receipt.dropped) {
            (1, 0) => accepted.push(index),
            (0, 1) => {}
            _ => panic!("{receipt}"),
        }
        if index == SENT - 50 {
            burst.read.open(1);
        }
    }
    let (seen, code) = burst.close_and_read();
    println!("S17 {:<17} waits of 2 ms: {} of {SENT} arrived", R::NAME, seen.len());
    assert!(seen == accepted && seen.len() < SENT as usize && code == 1000);
}

/// 1013, and what had been accepted by then has arrived or comes back.
fn a_member_that_lags_is_closed<R: Runtime>() {
    let burst = burst::<R>(1024);
    let outlet = burst.send.outlet();
    let mut accepted = 0;
    let closed = (0..BURST).find(|&index| {
        let receipt = burst.send(index, WhenFull::Close);
        accepted += receipt.accepted;
        receipt.closed == 1
    });
    assert_eq!(closed, Some(accepted));
    for index in 0..10 {
        assert_eq!(burst.send(index, WhenFull::Close).ended, 1);
    }
    let (mut seen, code) = burst.close_and_read();
    let unsent = outlet.unsent();
    seen.extend(unsent.iter().map(|message| message.as_text().unwrap().trim_start().parse::<u64>().unwrap()));
    assert!(seen.into_iter().eq(0..accepted));
    println!("S17 {:<17} closed: {accepted} accepted, {} came back", R::NAME, unsent.len());
    assert_eq!(code, 1013);
}
