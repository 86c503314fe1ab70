//! S1 and S2: peers that are gone during the handshake. The outcome is the whole 101, or an ordinary end.

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use endwell::http::{Field, FieldSection};
use endwell::ws::Close;
use endwell::{Ended, EndedKind, Exchange, ServerConfig};

use crate::peer::{ANSWER, HANDSHAKE};
use crate::service::{accept, accept_as, echo};
use crate::support::{Client, Gate, LONG, Runtime, on_every_runtime, start, start_narrow, told};
use crate::tally::Tally;

on_every_runtime!(request_and_end_in_one_flight, half_a_request_and_the_end, reset_at_each_stage);

async fn serve_after<R: Runtime>(exchange: Exchange, delay: Duration) -> Ended {
    if !delay.is_zero() {
        R::sleep(delay).await;
    }
    let mut socket = match accept(exchange) {
        Ok(socket) => socket,
        Err(ended) => return ended,
    };
    echo(&mut socket).await;
    socket.close(Close::EMPTY).await
}

/// Sends the pieces and the end of the stream; reads to the end.
fn outcome(mut client: Client, pieces: &[&str]) -> &'static str {
    for piece in pieces {
        client.send(piece);
    }
    client.end_write();
    let mut seen = Vec::new();
    if client.socket.read_to_end(&mut seen).is_err() {
        return "client saw a reset";
    }
    let seen = String::from_utf8_lossy(&seen);
    match seen.split_once("\r\n\r\n") {
        // What may follow is one Close.
        Some((head, rest))
            if head.starts_with("HTTP/1.1 101 ") && head.contains(ANSWER) && rest.len() <= 4 =>
        {
            "client saw the whole 101"
        }
        _ if seen.is_empty() => "client saw only the end",
        _ => panic!("neither: {seen:?}"),
    }
}

/// Every two-part split of the request, whole, and byte by byte; the decision comes at once, after 1 ms, after 50.
fn request_and_end_in_one_flight<R: Runtime>() {
    let mut splits: Vec<Vec<&str>> = (0..HANDSHAKE.len())
        .map(|at| {
            vec![&HANDSHAKE[..at], &HANDSHAKE[at..]].into_iter().filter(|part| !part.is_empty()).collect()
        })
        .collect();
    splits.push((0..HANDSHAKE.len()).map(|at| &HANDSHAKE[at..=at]).collect());
    for delay in [0, 1, 50] {
        let delay = Duration::from_millis(delay);
        let server = start::<R, _, _>(move |exchange| serve_after::<R>(exchange, delay));
        let address = server.address;
        let (next, tally) = (AtomicUsize::new(0), Mutex::new(Tally::default()));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    while let Some(pieces) = splits.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let seen = outcome(Client::connect(address), pieces);
                        tally.lock().unwrap().count(seen);
                    }
                });
            }
        });
        let mut tally = tally.into_inner().unwrap();
        for _ in &splits {
            tally.add(&server.next_end());
        }
        println!("S1  {:<9} decision after {delay:?}: {} rounds, {tally}", R::NAME, splits.len());
        tally.assert_no_write_errors();
        assert_eq!(tally.of("client saw the whole 101"), splits.len());
        assert_eq!(tally.of("end of stream without Close"), splits.len());
        assert_eq!((server.counters.panicked(), server.counters.unanswered()), (0, 0));
    }
}

/// The end comes within the request, at every byte.
fn half_a_request_and_the_end<R: Runtime>() {
    let server = start::<R, _, _>(|exchange| serve_after::<R>(exchange, Duration::ZERO));
    for at in 0..HANDSHAKE.len() {
        let mut client = server.connect();
        client.send(&HANDSHAKE[..at]);
        client.end_write();
        let seen = client.rest();
        assert!(seen.is_empty() || seen.starts_with(b"HTTP/1.1 400 "), "{:?}", seen.escape_ascii());
        drop(client);
        let ended = server.next_end();
        assert!(matches!(ended.kind(), EndedKind::ByPeer | EndedKind::Protocol(_)), "{at}: {ended:?}");
    }
    assert_eq!(server.counters.exchanges(), 0);
}

/// When the peer resets.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    BeforeTheDecision,
    DuringTheDecision,
    AnswerQueued,
    AnswerHalfWritten,
}

fn reset_at_each_stage<R: Runtime>() {
    const ROUNDS: usize = 50;
    for stage in
        [Stage::BeforeTheDecision, Stage::DuringTheDecision, Stage::AnswerQueued, Stage::AnswerHalfWritten]
    {
        let (gate, (tell, arrived)) = (Gate::new(), told());
        let (let_go, wait) = mpsc::channel::<()>();
        let (waiting, wait) = (gate.clone(), Mutex::new(wait));
        let wait: &'static Mutex<_> = Box::leak(Box::new(wait));
        let server = start_narrow::<R, _, _>(ServerConfig::default(), move |exchange: Exchange| {
            let (gate, tell) = (waiting.clone(), tell.clone());
            async move {
                let mut acceptance = exchange.acceptance();
                match stage {
                    Stage::BeforeTheDecision => {
                        tell.send(()).unwrap();
                        gate.pass().await;
                    }
                    Stage::AnswerHalfWritten => acceptance = acceptance.fields(long_fields()),
                    Stage::DuringTheDecision | Stage::AnswerQueued => {}
                }
                let mut socket = match accept_as(exchange, acceptance) {
                    Ok(socket) => socket,
                    Err(ended) => return ended,
                };
                if stage == Stage::AnswerQueued {
                    // Nothing is written before the handler waits, and this blocks instead.
                    tell.send(()).unwrap();
                    wait.lock().unwrap().recv_timeout(LONG).unwrap();
                }
                echo(&mut socket).await;
                let ended = socket.close(Close::EMPTY).await;
                assert!(!matches!(ended.kind(), EndedKind::WebSocket(endwell::ws::Outcome::Closed { .. })));
                ended
            }
        });
        let mut tally = Tally::default();
        for _ in 0..ROUNDS {
            let mut client = Client::connect_narrow(server.address);
            client.socket.write_all(HANDSHAKE.as_bytes()).unwrap();
            match stage {
                Stage::BeforeTheDecision | Stage::AnswerQueued => arrived.next(),
                Stage::AnswerHalfWritten => assert_eq!(client.read_exactly(12), b"HTTP/1.1 101"),
                Stage::DuringTheDecision => {}
            }
            client.reset();
            match stage {
                Stage::BeforeTheDecision => gate.open(1),
                Stage::AnswerQueued => let_go.send(()).unwrap(),
                Stage::DuringTheDecision | Stage::AnswerHalfWritten => {}
            }
            tally.add(&server.next_end());
        }
        println!("S2  {:<9} {stage:?}: {ROUNDS} rounds, {tally}", R::NAME);
        tally.assert_no_write_errors();
        assert_eq!(tally.of("reset by the peer"), ROUNDS);
        assert_eq!(server.counters.panicked(), 0);
    }
}

/// More than the sockets' buffers take.
fn long_fields() -> FieldSection {
    let value: &'static str = Box::leak("x".repeat(1000).into_boxed_str());
    (0..400).fold(FieldSection::new(), |fields, _| fields.with(Field::from_static("x-long", value)))
}
