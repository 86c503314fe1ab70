//! S10: what the peer is owed is on the wire, whatever the application does next. S12: what was sent before the close
//! goes out before the Close. The flush rule.

use std::time::{Duration, Instant};

use endwell::ws::{Close, CloseCode, Content, Message};
use endwell::{Exchange, ServerConfig};

use crate::aborted::aborted;
use crate::peer::{BINARY, CLOSE, FIN, PING, PONG, Peer, close, frame, text};
use crate::service::accept;
use crate::support::{Gate, Runtime, on_every_runtime, pattern, start, start_narrow};
use crate::tally::Tally;

on_every_runtime!(
    answered_before_the_event,
    all_that_was_sent_comes_before_the_close,
    each_answer_leaves_when_its_work_is_done,
);

/// The handler gets the event and then waits for what the peer does only when it has its answer.
fn answered_before_the_event<R: Runtime>() {
    const ROUNDS: usize = 50;
    for elsewhere in [false, true] {
        let gate = Gate::new();
        let waiting = gate.clone();
        let server = start::<R, _, _>(move |exchange: Exchange| {
            let gate = waiting.clone();
            async move {
                let mut socket = match accept(exchange) {
                    Ok(socket) => socket,
                    Err(ended) => return ended,
                };
                let work = async move {
                    while let Some(message) = socket.receive().await {
                        assert!(!message.is_data());
                        gate.pass().await;
                    }
                    socket.close(Close::EMPTY).await
                };
                if elsewhere {
                    R::spawn(async move { drop(work.await) });
                    return aborted();
                }
                work.await
            }
        });
        let (mut pongs, mut closes, mut tally) = (0, 0, Tally::default());
        for round in 0..ROUNDS {
            let mut peer = Peer::connect(&server);
            let payload = pattern(round * 2);
            peer.send(frame(FIN | PING, &payload));
            let pong = peer.frame();
            assert_eq!((pong.first, pong.payload), (FIN | PONG, payload));
            pongs += 1;
            gate.open(1);
            peer.send(close(4000));
            assert_eq!(peer.frame().code(), 4000);
            closes += 1;
            gate.open(1);
            peer.client.assert_closed();
            drop(peer);
            tally.add(&server.next_end());
        }
        println!(
            "S10 {:<9} socket {}: {ROUNDS} rounds, pongs {pongs}, closes {closes}, {tally}",
            R::NAME,
            if elsewhere { "in another task" } else { "in the handler" },
        );
        assert_eq!(tally.of("closed by the peer"), ROUNDS);
    }
}

/// Far more than the sockets hold is sent, and the close follows at once.
fn all_that_was_sent_comes_before_the_close<R: Runtime>() {
    const MESSAGES: usize = 20;
    let server = start_narrow::<R, _, _>(ServerConfig::default(), async |exchange: Exchange| {
        let mut socket = accept(exchange)?;
        for index in 0..MESSAGES {
            let mut data = pattern(50_000);
            data[0] = index as u8;
            socket.send(data).await?;
        }
        Err::<endwell::Answered, _>(socket.close(CloseCode::NORMAL).await)
    });
    let mut peer = Peer::connect_narrow(&server);
    for index in 0..MESSAGES {
        let message = peer.frame();
        assert_eq!((message.first, message.payload.len()), (FIN | BINARY, 50_000));
        assert_eq!(usize::from(message.payload[0]), index);
        assert!(message.payload[1..] == pattern(50_000)[1..]);
    }
    assert_eq!(peer.assert_closes(), 1000);
}

/// Eight messages in one segment, 5 ms of work for each: the answers leave one by one.
fn each_answer_leaves_when_its_work_is_done<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let mut socket = accept(exchange)?;
            while let Some(message) = socket.receive().await {
                match message.content() {
                    Content::Text("gated") => gate.pass().await,
                    Content::Text(_) => R::sleep(Duration::from_millis(5)).await,
                    _ => continue,
                }
                let answer: Message = message;
                socket.send(answer).await?;
            }
            Err::<endwell::Answered, _>(socket.close(Close::EMPTY).await)
        }
    });
    let mut peer = Peer::connect(&server);
    // Without a clock: the next answer's work begins only when the one before has arrived.
    peer.send(text("gated").repeat(8));
    for _ in 0..8 {
        gate.open(1);
        assert_eq!(peer.frame().as_text(), "gated");
    }
    let began = Instant::now();
    peer.send(text("timed").repeat(8));
    let times: Vec<_> = (0..8)
        .map(|_| {
            assert_eq!(peer.frame().as_text(), "timed");
            began.elapsed().as_millis()
        })
        .collect();
    println!("flush rule {:<9} 8 messages, 5 ms of work each: answers after {times:?} ms", R::NAME);
    peer.send(frame(FIN | CLOSE, b""));
    assert!(peer.frame().payload.is_empty());
    peer.client.assert_closed();
}
