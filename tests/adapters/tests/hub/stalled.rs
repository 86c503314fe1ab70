//! S16: one member stalls. The others lose nothing, and the stalled one meets its bound and its deadline.

use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::Duration;

use endwell::core::Pace;
use endwell::hub::{Departure, Hub, HubEvent};
use endwell::ws::WhenFull;
use endwell::{ServerConfig, ws::SendHalf};

use crate::peer::Peer;
use crate::service::{handing_over_narrow, wait};
use crate::support::{LONG, Runtime, on_every_runtime};

on_every_runtime!(
    one_of_two,
    one_of_forty,
    #[ignore = "the long run"]
    one_of_a_thousand,
);

const MESSAGE: usize = 1000;
const QUEUED: usize = 32 << 10;
const OUTPUT: usize = 16 << 10;
/// What the buffers of two sockets take that are as small as the system lets them be, with room to spare.
const SOCKETS: usize = 64 << 10;
/// The messages that may be on their way to a reader that reads.
const AHEAD: usize = 8;
/// Messages behind the one that the stalled member had no room for.
const AFTER: usize = 50;
const STALL: Duration = Duration::from_millis(300);

fn one_of_two<R: Runtime>() {
    one_of::<R>(2);
}

fn one_of_forty<R: Runtime>() {
    one_of::<R>(40);
}

fn one_of_a_thousand<R: Runtime>() {
    one_of::<R>(1000);
}

/// How many messages each reader has read.
struct Progress {
    read: Mutex<Vec<usize>>,
    news: Condvar,
}

impl Progress {
    /// Waits until each reader has read so many.
    fn wait(&self, count: usize) {
        let read = self.read.lock().unwrap();
        let is_behind = |read: &mut Vec<usize>| read.iter().any(|read| *read < count);
        let waited = self.news.wait_timeout_while(read, LONG, is_behind).unwrap();
        assert!(!waited.1.timed_out(), "a reader gets nothing");
    }

    fn note(&self, first: usize, read: &[usize]) {
        self.read.lock().unwrap()[first..first + read.len()].copy_from_slice(read);
        self.news.notify_all();
    }
}

fn one_of<R: Runtime>(readers: usize) {
    let mut config = ServerConfig::default();
    (config.outlet.bytes, config.output.bytes, config.output.high_water) = (QUEUED, OUTPUT, OUTPUT / 2);
    let hub = Hub::default();
    let (server, next) = handing_over_narrow::<R>(config);
    let join = |narrow: bool| {
        let peer = if narrow { Peer::connect_narrow(&server) } else { Peer::connect(&server) };
        let (send, receive) = next().split();
        drop(receive);
        let member = hub.join(&send);
        member.subscribe("room").unwrap();
        (peer, send, member)
    };
    let (stalled_peer, mut stalled, stalled_member) = join(true);
    let (mut peers, mut held) = (Vec::new(), Vec::<(SendHalf, _)>::new());
    for _ in 1..readers {
        let (peer, send, member) = join(false);
        peers.push(peer);
        held.push((send, member));
    }
    let progress = Progress { read: Mutex::new(vec![0; peers.len()]), news: Condvar::new() };
    let others = peers.len() as u64;
    let (mut sent, mut accepted, mut dropped, mut after) = (0_usize, 0_u64, 0_u64, 0);
    thread::scope(|scope| {
        let each = peers.len().div_ceil(4);
        for (index, some) in peers.chunks_mut(each).enumerate() {
            let progress = &progress;
            scope.spawn(move || {
                let mut read = vec![0; some.len()];
                loop {
                    let mut over = 0;
                    for (peer, read) in some.iter_mut().zip(&mut read) {
                        let frame = peer.frame();
                        match frame.as_text().trim_start() {
                            "over" => over += 1,
                            text => assert_eq!(text.parse(), Ok(*read), "one is missing"),
                        }
                        *read += 1;
                    }
                    progress.note(index * each, &read);
                    if over == some.len() {
                        break;
                    }
                }
            });
        }
        let mut is_gone = false;
        let mut events = hub.events();
        while after < AFTER || !is_gone {
            progress.wait(sent.saturating_sub(AHEAD));
            let receipt = hub.topic("room").send(format!("{sent:MESSAGE$}"), WhenFull::DropNewest).now();
            sent += 1;
            assert_eq!(receipt.lagged + receipt.closed + receipt.lost, 0, "{receipt}");
            // All others have it, each time. The stalled one is in exactly one count, while it is here.
            let of_stalled = (receipt.accepted - others, receipt.dropped, receipt.ended);
            match of_stalled {
                (1, 0, 0) => accepted += 1,
                (0, 1, 0) => dropped += 1,
                (0, 0, 0 | 1) => is_gone = true,
                other => panic!("{other:?}"),
            }
            if dropped == 1 {
                stalled.set_output_pace(Pace::silence(STALL));
            }
            after += usize::from(dropped > 0);
            if after > AFTER && !is_gone {
                let event = wait(events.next_event());
                assert_eq!(event, HubEvent::Left { key: stalled_member.key(), departure: Departure::Ended });
            }
        }
        wait(hub.topic("room").send("over", WhenFull::Wait(LONG)));
    });
    println!(
        "S16 {:<17} 1 of {readers} stalls: {sent} messages to each other; the stalled one: {accepted} accepted, {dropped} \
         dropped",
        R::NAME
    );
    assert!(accepted as usize * MESSAGE <= QUEUED + OUTPUT + SOCKETS && dropped > 0);
    assert!(!stalled_member.is_here());
    drop((stalled_peer, stalled, held));
}
