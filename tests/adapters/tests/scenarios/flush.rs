//! What is answered is on the wire before the connection's task waits for anything, also for the handler's own work.

use endwell::http::{Framing, StatusCode};
use endwell::{Answered, Exchange};

use crate::aborted::aborted;
use crate::support::{Gate, Runtime, on_every_runtime, start};

on_every_runtime!(
    a_piece_leaves_while_the_producer_waits,
    an_answer_leaves_while_its_handler_goes_on,
    each_of_many_pipelined_answers_leaves_in_time,
    flushed_is_taken,
);

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn a_piece_leaves_while_the_producer_waits<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let (_, mut response) = exchange.start(StatusCode::OK, Framing::Length(9));
            for piece in ["abc", "def", "ghi"] {
                response.write(piece).await?;
                gate.pass().await;
            }
            response.finish()
        }
    });
    let mut client = server.connect();
    client.send(GET);
    let mut seen = Vec::new();
    for piece in ["abc", "def", "ghi"] {
        while !seen.ends_with(piece.as_bytes()) {
            seen.extend(client.read_exactly(1));
        }
        gate.open(1);
    }
}

/// The handler answers and goes on: the client does not wait for the rest of its work.
fn an_answer_leaves_while_its_handler_goes_on<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let answered = exchange.respond(StatusCode::OK, "at once");
            gate.pass().await;
            answered
        }
    });
    let mut client = server.connect();
    for _ in 0..3 {
        client.send(GET);
        assert_eq!(client.response().unwrap().body, b"at once");
        gate.open(1);
    }
}

/// Eight requests in one segment, work before each answer: each answer leaves before the next one's work is done.
fn each_of_many_pipelined_answers_leaves_in_time<R: Runtime>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            gate.pass().await;
            exchange.respond(StatusCode::OK, "worked")
        }
    });
    let mut client = server.connect();
    client.send(GET.repeat(8));
    for _ in 0..8 {
        gate.open(1);
        assert_eq!(client.response().unwrap().body, b"worked");
    }
}

/// `flush` waits until the transport has everything, in the handler's task and in another one.
fn flushed_is_taken<R: Runtime>() {
    let server = start::<R, _, _>(async |exchange: Exchange| {
        let elsewhere = exchange.path() == "/elsewhere";
        let (_, mut response) = exchange.start(StatusCode::OK, Framing::Chunked);
        let work = async move {
            for _ in 0..10 {
                response.write(vec![b'x'; 100_000]).await?;
                response.flush().await?;
            }
            response.finish()
        };
        if !elsewhere {
            return work.await;
        }
        let (tell, told) = tokio::sync::oneshot::channel();
        R::spawn(async move {
            let _ = tell.send(work.await);
        });
        told.await.unwrap_or(Err::<Answered, _>(aborted()))
    });
    let mut client = server.connect();
    for path in ["/", "/elsewhere"] {
        client.send(format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n"));
        assert_eq!(client.response().unwrap().body.len(), 1_000_000);
    }
}
