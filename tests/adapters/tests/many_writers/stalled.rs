//! S16: one reader stalls. The others lose nothing and are pinged on time; the stalled one meets its bound of bytes and
//! its deadline.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use endwell::core::{Limit, Pace};
use endwell::ws::{Delivery, Outcome, Outlet, SendHalf, WhenFull, broadcast};
use endwell::{Ended, EndedKind, ServerConfig};

use crate::peer::{FIN, PING, PONG, Peer, TEXT, frame};
use crate::service::{handing_over_narrow, wait};
use crate::support::{LONG, Runtime, on_every_runtime};

on_every_runtime!(
    one_of_two,
    one_of_many,
    #[ignore = "the long run"]
    one_of_a_thousand,
    whoever_waits_hears_of_the_stall,
);

const INTERVAL: Duration = Duration::from_millis(40);
const STALL: Duration = Duration::from_millis(500);
/// To a connection that waits for the stalled reader comes at most one.
const PINGS: usize = 2;
const MESSAGE: usize = 1000;
const QUEUED: usize = 32 << 10;
const OUTPUT: usize = 16 << 10;
/// Messages that the others get after the stalled one was given up.
const AFTER: usize = 50;
/// What the buffers of two sockets take that are as small as the system lets them be, with room to spare.
const SOCKETS: usize = 64 << 10;

fn config() -> ServerConfig {
    let mut config = ServerConfig::default();
    config.outlet.bytes = QUEUED;
    config.output.bytes = OUTPUT;
    config.output.high_water = OUTPUT / 2;
    config.ws.ping_interval = Some(INTERVAL);
    config
}

fn assert_stalled(ended: &Ended) {
    let (EndedKind::Limit(exceeded) | EndedKind::WebSocket(Outcome::Exceeded(exceeded))) = ended.kind()
    else {
        panic!("{ended:?}")
    };
    assert_eq!(exceeded.limit, Limit::WriteProgress);
}

fn one_of_two<R: Runtime>() {
    one_of::<R>(2);
}

fn one_of_many<R: Runtime>() {
    one_of::<R>(40);
}

fn one_of_a_thousand<R: Runtime>() {
    one_of::<R>(1000);
}

/// Reads messages in order up to the one that says that it is over: how many, and how many pings came. `pinged` counts the
/// peers that enough pings have come to.
fn read_to_the_end(peers: &mut [Peer], pinged: &AtomicUsize) -> Vec<(usize, usize)> {
    let mut seen = vec![(0, 0); peers.len()];
    let mut is_over = vec![false; peers.len()];
    // A message at a time from each, since they all get the same.
    while is_over.contains(&false) {
        for ((peer, (messages, pings)), is_over) in peers.iter_mut().zip(&mut seen).zip(&mut is_over) {
            while !*is_over {
                let next = peer.frame();
                if next.first == FIN | PING {
                    *pings += 1;
                    if *pings == PINGS {
                        pinged.fetch_add(1, Ordering::Relaxed);
                    }
                    peer.send(frame(FIN | PONG, &next.payload));
                    continue;
                }
                assert_eq!(next.first, FIN | TEXT);
                let text = next.as_text().trim_start();
                *is_over = text == "over";
                if !*is_over {
                    assert_eq!(text.parse(), Ok(*messages));
                    *messages += 1;
                }
                break;
            }
        }
    }
    seen
}

fn one_of<R: Runtime>(readers: usize) {
    let (server, next) = handing_over_narrow::<R>(config());
    let connect = |narrow| {
        let peer = if narrow { Peer::connect_narrow(&server) } else { Peer::connect(&server) };
        let (send, recv) = next().split();
        drop(recv);
        (peer, send.outlet(), send)
    };
    let (stalled_peer, stalled, mut stalled_send) = connect(true);
    let (mut peers, mut outlets, mut sends) = (Vec::new(), Vec::<Outlet>::new(), Vec::<SendHalf>::new());
    for _ in 1..readers {
        let (peer, outlet, send) = connect(false);
        peers.push(peer);
        outlets.push(outlet);
        sends.push(send);
    }
    let reading = peers.len().div_ceil(4);
    let pinged = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = std::iter::from_fn(|| {
        let mut some = peers.split_off(peers.len() - reading.min(peers.len()));
        let pinged = Arc::clone(&pinged);
        (!some.is_empty()).then(|| thread::spawn(move || (read_to_the_end(&mut some, &pinged), some)))
    })
    .collect();
    let began = Instant::now();
    let (mut sent, mut accepted, mut dropped) = (0, 0, 0u64);
    let mut slowest = Duration::ZERO;
    // The pings come while the stalled one is still there, and it is given up only then.
    let (mut is_bounded, mut given_up) = (false, None);
    let mut after = 0;
    while after < AFTER {
        assert!(began.elapsed() < LONG, "the stalled one is never given up");
        let message = format!("{sent:MESSAGE$}");
        let others = outlets.iter().map(|outlet| (outlet, WhenFull::Wait(LONG)));
        let sending = Instant::now();
        let deliveries = wait(broadcast(message, others.chain([(&stalled, WhenFull::DropNewest)])));
        slowest = slowest.max(sending.elapsed());
        let (last, others) = deliveries.split_last().unwrap();
        assert!(others.iter().all(|delivery| matches!(delivery, Delivery::Accepted)));
        match last {
            Delivery::Accepted => accepted += 1,
            Delivery::Dropped => dropped += 1,
            Delivery::Ended(ended) => {
                assert_stalled(ended.as_ref().unwrap());
                given_up.get_or_insert_with(|| began.elapsed());
                after += 1;
            }
            other @ (Delivery::Lagged(_) | Delivery::Closed) => panic!("{other:?}"),
        }
        sent += 1;
        if !is_bounded && dropped > 0 && pinged.load(Ordering::Relaxed) == readers - 1 {
            stalled_send.set_output_pace(Pace::silence(STALL));
            is_bounded = true;
        }
        // Producers have something to send now and then.
        thread::sleep(Duration::from_millis(1));
    }
    let time = began.elapsed();
    wait(broadcast("over", outlets.iter().map(|outlet| (outlet, WhenFull::Wait(LONG)))));
    let mut fewest = usize::MAX;
    for thread in threads {
        let (seen, _peers) = thread.join().unwrap();
        for (messages, pings) in seen {
            assert_eq!(messages, sent);
            fewest = fewest.min(pings);
        }
    }
    let lasted = given_up.unwrap();
    println!(
        "S16 {:<17} 1 of {readers} stalls: {sent} messages to each other, the slowest taken after {slowest:?}, at least \
         {fewest} pings in {time:?}; the stalled one: {accepted} accepted, {dropped} dropped, given up after {lasted:?}",
        R::NAME
    );
    assert!(is_bounded && fewest >= PINGS, "{fewest} pings");
    assert!(accepted * MESSAGE <= QUEUED + OUTPUT + SOCKETS && dropped > 0);
    assert_eq!(stalled.lagged(), dropped);
    assert_stalled(&wait(stalled.closed()));
    assert!(lasted >= STALL);
    // The last that were accepted are the ones that were still in the queue.
    let unsent = stalled.unsent();
    assert_eq!(unsent.len(), QUEUED / MESSAGE);
    drop((stalled_peer, stalled_send, sends));
}

/// A sender that waits for room, one that waits for the transport and one that waits for the end all hear of it.
fn whoever_waits_hears_of_the_stall<R: Runtime>() {
    let mut config = config();
    config.output.pace = Pace::silence(STALL);
    let (server, next) = handing_over_narrow::<R>(config);
    let peer = Peer::connect_narrow(&server);
    let (mut send, mut recv) = next().split();
    let outlet = send.outlet();
    let mut index = 0;
    while outlet.try_send(format!("{index:MESSAGE$}")).is_ok() {
        index += 1;
    }
    thread::scope(|scope| {
        let half = scope.spawn(|| {
            wait(async {
                loop {
                    if let Err(error) = send.send(vec![b'x'; MESSAGE]).await {
                        return error;
                    }
                }
            })
        });
        let waiting = scope.spawn(|| {
            wait(async {
                loop {
                    if let Err(error) = outlet.send("waits").await {
                        return error;
                    }
                }
            })
        });
        let flushing = scope.spawn(|| wait(outlet.flush()));
        let reading = scope.spawn(|| wait(recv.receive()));
        assert_stalled(&wait(outlet.closed()));
        assert_eq!(waiting.join().unwrap().message.as_text(), Some("waits"));
        assert_eq!(half.join().unwrap().message.len(), MESSAGE);
        assert_stalled(&flushing.join().unwrap().unwrap_err());
        assert!(reading.join().unwrap().is_none());
    });
    assert_stalled(&server.next_end());
    drop(peer);
}
