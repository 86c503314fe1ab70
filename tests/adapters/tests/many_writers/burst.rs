//! S17: a burst of 10,000 messages to one reader. All are delivered, or what is missing is counted.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use endwell::ServerConfig;
use endwell::ws::{CloseCode, Delivery, Outlet, SendHalf, WhenFull, broadcast};

use crate::peer::{CLOSE, FIN, Peer, close};
use crate::service::{handing_over_narrow, wait};
use crate::support::{Gate, Running, Runtime, on_every_runtime};

on_every_runtime!(
    waiting_delivers_all,
    the_oldest_are_dropped_and_counted,
    the_newest_are_dropped_and_counted,
    too_long_a_wait_is_dropped_and_counted,
    a_reader_that_lags_is_closed,
);

const BURST: u64 = 10_000;

/// A connection that takes little, and what its peer has seen when it is over: the messages' numbers, and the code.
struct Burst {
    server: Running,
    send: SendHalf,
    outlet: Outlet,
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
    let (server, next) = handing_over_narrow::<R>(config);
    let mut peer = Peer::connect_narrow(&server);
    let (send, recv) = next().split();
    drop(recv);
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
    Burst { server, outlet: send.outlet(), send, read, peer }
}

/// One in ten is as long as nine.
fn message(index: u64) -> String {
    let len = if index % 10 == 0 { 918 } else { 102 };
    format!("{index:len$}")
}

/// What arrived, in order and each once; the code; and how many the outlet says were dropped.
fn close_and_read(burst: Burst) -> (Vec<u64>, u16, u64) {
    let Burst { server, send, outlet, read, peer } = burst;
    read.open(1);
    let closing = send.close(CloseCode::NORMAL);
    let (seen, code) = peer.join().unwrap();
    wait(closing);
    drop(server);
    assert!(seen.is_sorted_by(|one, other| one < other));
    (seen, code, outlet.lagged())
}

fn waiting_delivers_all<R: Runtime>() {
    let burst = burst::<R>(64);
    burst.read.open(1);
    wait(async {
        for index in 0..BURST {
            burst.outlet.send(message(index)).await.unwrap();
        }
    });
    let (seen, code, lagged) = close_and_read(burst);
    assert!(seen.into_iter().eq(0..BURST) && (code, lagged) == (1000, 0));
}

fn the_oldest_are_dropped_and_counted<R: Runtime>() {
    // 1,024 messages do not fit into the bytes, so that a long one drops several.
    let burst = burst::<R>(1024);
    let mut dropped = 0;
    for index in 0..BURST {
        match burst.outlet.deliver(message(index), WhenFull::DropOldest).now() {
            Delivery::Accepted => {}
            Delivery::Lagged(count) => dropped += count,
            other @ (Delivery::Dropped | Delivery::Closed | Delivery::Ended(_)) => panic!("{other:?}"),
        }
    }
    let (seen, code, lagged) = close_and_read(burst);
    println!("S17 {:<17} the oldest dropped: {} arrived, Lagged({dropped})", R::NAME, seen.len());
    assert_eq!((seen.len() as u64 + dropped, lagged, code), (BURST, dropped, 1000));
    assert!(dropped > 0);
    // What it has last is the newest.
    assert!(seen.ends_with(&((BURST - 200)..BURST).collect::<Vec<_>>()));
}

fn the_newest_are_dropped_and_counted<R: Runtime>() {
    let burst = burst::<R>(1024);
    let accepted: Vec<_> = (0..BURST)
        .filter(|&index| match burst.outlet.deliver(message(index), WhenFull::DropNewest).now() {
            Delivery::Accepted => true,
            Delivery::Dropped => false,
            other @ (Delivery::Lagged(_) | Delivery::Closed | Delivery::Ended(_)) => panic!("{other:?}"),
        })
        .collect();
    let (seen, code, lagged) = close_and_read(burst);
    println!("S17 {:<17} the newest dropped: {} arrived, {lagged} dropped", R::NAME, seen.len());
    assert!(lagged > 0 && seen == accepted);
    assert_eq!((seen.len() as u64 + lagged, code), (BURST, 1000));
}

/// Each waits 2 ms for a reader that reads nothing, then reads; what was accepted in time arrives.
fn too_long_a_wait_is_dropped_and_counted<R: Runtime>() {
    const SENT: u64 = 200;
    let burst = burst::<R>(64);
    let mut accepted = Vec::new();
    for index in 0..SENT {
        let when_full = WhenFull::Wait(Duration::from_millis(2));
        match wait(broadcast(message(index), [(&burst.outlet, when_full)]))[..] {
            [Delivery::Accepted] => accepted.push(index),
            [Delivery::Dropped] => {}
            ref other => panic!("{other:?}"),
        }
        if index == SENT - 50 {
            burst.read.open(1);
        }
    }
    let (seen, code, lagged) = close_and_read(burst);
    println!("S17 {:<17} waits of 2 ms: {} of {SENT} arrived, {lagged} dropped", R::NAME, seen.len());
    assert_eq!((seen.len() as u64 + lagged, code), (SENT, 1000));
    assert!(lagged > 0 && seen == accepted);
}

/// 1013, and what had been accepted by then has arrived or comes back.
fn a_reader_that_lags_is_closed<R: Runtime>() {
    let burst = burst::<R>(1024);
    let outlet = burst.outlet.clone();
    let mut deliveries = (0..BURST).map(|index| outlet.deliver(message(index), WhenFull::Close).now());
    let accepted = deliveries.by_ref().take_while(|delivery| matches!(delivery, Delivery::Accepted)).count();
    assert!(deliveries.all(|delivery| matches!(delivery, Delivery::Ended(None))));
    let (mut seen, code, lagged) = close_and_read(burst);
    let arrived = seen.len();
    let unsent = outlet.unsent();
    seen.extend(unsent.iter().map(|message| message.as_text().unwrap().trim_start().parse::<u64>().unwrap()));
    assert!(seen.into_iter().eq(0..accepted as u64));
    println!("S17 {:<17} closed: {arrived} arrived, {} came back", R::NAME, unsent.len());
    assert_eq!((code, lagged), (1013, 0));
    assert!(unsent.len() > 400);
}
