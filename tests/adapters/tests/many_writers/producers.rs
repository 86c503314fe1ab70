//! S13: many producers and a ping timer beside them. S15: two messages in a row through one writer.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use endwell::ws::{Close, CloseCode, Content, Control};
use endwell::{Ended, Exchange};
use smol::stream::StreamExt;

use crate::judge::{EACH, PRODUCERS, Sums, judge, message};
use crate::peer::{CLOSE, FIN, PING, PONG, Peer, TEXT, close, frame};
use crate::service::{accept, handing_over, spawn, wait};
use crate::support::{
    AsyncStd, Blocking, CurrentThread, Runtime, Smol, Tokio, on_every_runtime, start, told,
};

on_every_runtime!(
    eight_producers_and_a_ping_timer,
    a_ping_is_answered_while_producers_never_stop,
    two_messages_in_a_row,
);

const INTERVAL: Duration = Duration::from_micros(200);

/// What the server did: pings that it has sent, and pongs that it got.
struct Pinged {
    pings: usize,
    pongs: usize,
}

/// 8 tasks send, one pings, one receives; then the Close.
async fn produce<R: Runtime>(exchange: Exchange) -> Result<(Pinged, Ended), Ended> {
    let (mut send, mut recv) = accept(exchange)?.split();
    let outlet = send.outlet();
    let busy = Arc::new(AtomicUsize::new(PRODUCERS));
    for producer in 0..PRODUCERS {
        let (outlet, busy) = (outlet.clone(), Arc::clone(&busy));
        R::spawn(async move {
            for index in 0..EACH {
                outlet.send(message(producer, index)).await.unwrap();
            }
            busy.fetch_sub(1, Ordering::Release);
        });
    }
    let receiving = spawn::<R, _>(async move {
        let mut pongs = 0;
        while let Some(message) = recv.receive().await {
            pongs += usize::from(matches!(message.content(), Content::Pong(_)));
        }
        pongs
    });
    let mut timer = smol::Timer::interval(INTERVAL);
    let mut pings = 0;
    while busy.load(Ordering::Acquire) > 0 {
        timer.next().await;
        // When even the reserve for control frames is full, the next one will do.
        pings += usize::from(send.ping(Control::EMPTY).is_ok());
    }
    let ended = send.close(CloseCode::NORMAL).await;
    Ok((Pinged { pings, pongs: receiving.await }, ended))
}

fn rounds<R: Runtime>(count: usize) -> Sums {
    let (tell, told) = told();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let tell = tell.clone();
        async move {
            let (pinged, ended) = produce::<R>(exchange).await?;
            tell.send(pinged).unwrap();
            Err::<endwell::Answered, _>(ended)
        }
    });
    let mut sums = Sums::default();
    for _ in 0..count {
        let began = Instant::now();
        let verdict = judge(server.address);
        sums.add(&verdict, began.elapsed());
        assert_eq!((verdict.torn.as_deref(), verdict.code), (None, Some(1000)));
        let Pinged { pings, pongs } = told.next();
        assert_eq!(verdict.pings, pings, "every ping arrives");
        assert!(pongs <= pings && pings > 0, "{pongs} of {pings}");
    }
    sums
}

fn eight_producers_and_a_ping_timer<R: Runtime>() {
    let sums = rounds::<R>(2);
    println!("S13 {}\nendwell {:<13} {sums}", Sums::HEAD, R::NAME);
    assert!(sums.is_clean());
}

/// Producers fill the queue as fast as it empties, and the peer takes everything: its pings are seen all the same.
fn a_ping_is_answered_while_producers_never_stop<R: Runtime>() {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let stopped = Arc::clone(&stopped);
        async move {
            let (send, mut recv) = accept(exchange)?.split();
            let producers: Vec<_> = (0..PRODUCERS)
                .map(|producer| {
                    let (outlet, stopped) = (send.outlet(), Arc::clone(&stopped));
                    spawn::<R, _>(async move {
                        for index in 0.. {
                            if stopped.load(Ordering::Acquire) {
                                return;
                            }
                            outlet.send(message(producer, index)).await.unwrap();
                        }
                    })
                })
                .collect();
            let receiving = spawn::<R, _>(async move { while recv.receive().await.is_some() {} });
            for producer in producers {
                producer.await;
            }
            let ended = send.close(CloseCode::NORMAL).await;
            receiving.await;
            Err::<endwell::Answered, _>(ended)
        }
    });
    let mut peer = Peer::connect(&server);
    let mut most = 0;
    for round in 0..20u8 {
        peer.send(frame(FIN | PING, &[round]));
        let mut between = 0;
        loop {
            let next = peer.frame();
            if next.first == FIN | PONG {
                break assert_eq!(next.payload, [round]);
            }
            assert_eq!(next.first, FIN | TEXT);
            between += 1;
            assert!(between < 100_000, "no answer for 10 MB");
        }
        most = most.max(between);
    }
    stop.store(true, Ordering::Release);
    println!("{:<17} never more than {most} messages between a ping and its answer", R::NAME);
    while peer.frame().first != FIN | CLOSE {}
    peer.send(close(1000));
    peer.client.assert_closed();
}

/// signal-cli-rest-api 572: the second message waited for ever for a lock that the first had.
fn two_messages_in_a_row<R: Runtime>() {
    let (server, next) = handing_over::<R>(endwell::ServerConfig::default());
    let mut peer = Peer::connect(&server);
    let (mut send, recv) = next().split();
    let outlet = send.outlet();
    wait(async {
        for text in ["one", "two"] {
            send.send(text).await.unwrap();
        }
        send.flush().await.unwrap();
        for text in ["three", "four"] {
            outlet.send(text).await.unwrap();
        }
        outlet.flush().await.unwrap();
    });
    for text in ["one", "two", "three", "four"] {
        let frame = peer.frame();
        assert_eq!((frame.first, &frame.payload[..]), (FIN | TEXT, text.as_bytes()));
    }
    let closing = send.close(Close::EMPTY);
    assert!(peer.frame().payload.is_empty());
    peer.send(close(1000));
    peer.client.assert_closed();
    drop(peer);
    println!("{} | {}", wait(closing), wait(recv.closed()));
}

/// `ENDWELL_ROUNDS` rounds on each runtime, and with another server, if `ENDWELL_GORILLA` is its program, in one table:
/// see `tests/benches/s13.sh`.
#[test]
#[ignore = "the long run"]
fn side_by_side() {
    let count = std::env::var("ENDWELL_ROUNDS").map_or(20, |count| count.parse().unwrap());
    println!("{}", Sums::HEAD);
    if let Ok(program) = std::env::var("ENDWELL_GORILLA") {
        for variant in ["unlocked", "mutex"] {
            println!("gorilla {variant:<13} {}", gorilla(&program, variant, count));
        }
    }
    line::<Tokio>(count);
    line::<CurrentThread>(count);
    line::<AsyncStd>(count);
    line::<Smol>(count);
    line::<Blocking>(count);
}

fn line<R: Runtime>(count: usize) {
    let sums = rounds::<R>(count);
    println!("endwell {:<17} {sums}", R::NAME);
    assert!(sums.is_clean());
}

/// A process that ends with its value.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The server prints its address, and for each connection how often a write panicked.
fn gorilla(program: &str, variant: &str, count: usize) -> Sums {
    let mut server = Process(Command::new(program).arg(variant).stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(server.0.stdout.take().unwrap()).lines();
    let mut next = move || lines.next().expect("a line of the server").unwrap();
    let address: SocketAddr = next().parse().unwrap();
    let mut sums = Sums::default();
    for _ in 0..count {
        let began = Instant::now();
        let verdict = judge(address);
        sums.add(&verdict, began.elapsed());
        sums.panics += next().parse::<usize>().unwrap();
    }
    sums
}
