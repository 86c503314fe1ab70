//! S35: a handler that panics, drops its exchange, or returns an error, at each stage.

use std::future::poll_fn;
use std::io::IoSlice;
use std::panic::resume_unwind;

use endwell::blocking::{block_on, handler};
use endwell::http::{FieldSection, Framing, StatusCode};
use endwell::{Answered, Ended, Exchange};

use crate::aborted::aborted;
use crate::support::{Client, Cut, Running, Runtime, on_every_runtime, start};

on_every_runtime!(
    before_reading,
    half_a_body_read,
    head_written,
    half_a_body_written,
    until_close,
    after_an_upgrade,
    after_the_answer,
);

const FAULTS: [&str; 3] = ["panic", "drop", "error"];

/// `/stage/fault`: fails at the stage, in that way.
async fn fail(mut exchange: Exchange) -> Result<Answered, Ended> {
    let path = exchange.path().to_owned();
    let (_, path) = path.split_once('/').unwrap();
    let Some((stage, fault)) = path.split_once('/') else {
        return Ok(exchange.respond(StatusCode::OK, "well"));
    };
    match stage {
        "before" => Err(self::fault(fault, exchange)),
        "read" => {
            assert_eq!(exchange.read().await?.unwrap(), "0123456789");
            Err(self::fault(fault, exchange))
        }
        "head" => Err(self::fault(fault, exchange.start(StatusCode::OK, Framing::Length(10)))),
        "length" | "chunked" => {
            let framing = if stage == "length" { Framing::Length(10) } else { Framing::Chunked };
            let (request, mut response) = exchange.start(StatusCode::OK, framing);
            response.write("01234").await?;
            Err(self::fault(fault, (request, response)))
        }
        "upgraded" => {
            let (mut upgraded, answered) = exchange.switch("echo", &FieldSection::new()).unwrap();
            let written = poll_fn(|cx| upgraded.poll_write(cx, &[IoSlice::new(b"hi")])).await;
            assert_eq!(written.unwrap(), 2);
            drop(answered);
            Err(self::fault(fault, upgraded))
        }
        "answered" => {
            let answered = exchange.respond(StatusCode::OK, "answered");
            Err(self::fault(fault, answered))
        }
        _ => panic!("no such stage"),
    }
}

/// Fails with `held` still held, or, where the fault is that it was dropped, without.
fn fault<T>(fault: &str, held: T) -> Ended {
    match fault {
        // Without the message that a panic of a test prints.
        "panic" => resume_unwind(Box::new("on purpose")),
        "drop" => drop(held),
        _ => {}
    }
    aborted()
}

#[derive(Debug, PartialEq, Eq)]
struct Seen {
    unanswered: u64,
    failed: u64,
    panicked: u64,
    aborted: u64,
}

/// Runs the stage with each fault, in a handler that is a future and in one that is plain code: the same is seen.
fn each<R: Runtime>(request: impl Fn(&str) -> String, check: impl Fn(&mut Client)) -> Seen {
    let seen = each_on(&start::<R, _, _>(fail), &request, &check);
    let plain = start::<R, _, _>(handler(|exchange| block_on(fail(exchange))));
    assert_eq!(each_on(&plain, &request, &check), seen, "as plain code");
    seen
}

/// Each fault, beside a connection that is kept open and used before and after.
fn each_on(server: &Running, request: impl Fn(&str) -> String, check: impl Fn(&mut Client)) -> Seen {
    let mut beside = server.connect();
    for fault in FAULTS {
        beside.send("GET /well HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(beside.response().unwrap().body, b"well", "before {fault}");
        let mut client = server.connect();
        client.send(request(fault));
        check(&mut client);
        drop(client);
        server.next_end();
        beside.send("GET /well HTTP/1.1\r\nhost: a\r\n\r\n");
        assert_eq!(beside.response().unwrap().body, b"well", "after {fault}");
    }
    Seen {
        unanswered: server.counters.unanswered(),
        failed: server.counters.failed(),
        panicked: server.counters.panicked(),
        aborted: server.counters.aborted(),
    }
}

/// An error costs its exchange. A panic costs the connection: what else the handler has left undone is not known.
fn assert_answered_for(client: &mut Client) {
    let response = client.response().unwrap();
    assert_eq!(response.status, 500);
    if response.announces_close() {
        client.assert_closed();
    }
}

fn before_reading<R: Runtime>() {
    let seen =
        each::<R>(|fault| format!("GET /before/{fault} HTTP/1.1\r\nhost: a\r\n\r\n"), assert_answered_for);
    assert_eq!(seen, Seen { unanswered: 1, failed: 2, panicked: 1, aborted: 0 });
}

fn half_a_body_read<R: Runtime>() {
    let seen = each::<R>(
        |fault| format!("POST /read/{fault} HTTP/1.1\r\nhost: a\r\ncontent-length: 20\r\n\r\n0123456789"),
        assert_answered_for,
    );
    assert_eq!(seen, Seen { unanswered: 1, failed: 2, panicked: 1, aborted: 0 });
}

fn head_written<R: Runtime>() {
    let seen = each::<R>(
        |fault| format!("GET /head/{fault} HTTP/1.1\r\nhost: a\r\n\r\n"),
        |client| match client.response() {
            Err(Cut::InBody(response)) => assert!(response.status == 200 && response.body.is_empty()),
            other => panic!("expected a response without its body, got {other:?}"),
        },
    );
    assert_eq!(seen, Seen { unanswered: 0, failed: 0, panicked: 1, aborted: 3 });
}

fn half_a_body_written<R: Runtime>() {
    for framing in ["length", "chunked"] {
        let seen = each::<R>(
            |fault| format!("GET /{framing}/{fault} HTTP/1.1\r\nhost: a\r\n\r\n"),
            |client| match client.response() {
                Err(Cut::InBody(response)) => assert_eq!(response.body, b"01234"),
                other => panic!("expected half a body, got {other:?}"),
            },
        );
        assert_eq!(seen, Seen { unanswered: 0, failed: 0, panicked: 1, aborted: 3 }, "{framing}");
    }
}

fn until_close<R: Runtime>() {
    let seen = each::<R>(
        |fault| format!("GET /chunked/{fault} HTTP/1.0\r\n\r\n"),
        |client| match client.response() {
            Err(Cut::Reset(std::io::ErrorKind::ConnectionReset)) => {}
            other => panic!("expected a reset, got {other:?}"),
        },
    );
    assert_eq!(seen, Seen { unanswered: 0, failed: 0, panicked: 1, aborted: 3 });
}

fn after_an_upgrade<R: Runtime>() {
    let seen = each::<R>(
        |fault| {
            format!(
                "GET /upgraded/{fault} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n"
            )
        },
        |client| {
            assert_eq!(client.response().unwrap().status, 101);
            assert_eq!(client.rest(), b"hi");
        },
    );
    assert_eq!(seen, Seen { unanswered: 0, failed: 0, panicked: 1, aborted: 0 });
}

/// What a handler does after its answer is no matter of the client's.
fn after_the_answer<R: Runtime>() {
    let seen = each::<R>(
        |fault| format!("GET /answered/{fault} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"),
        |client| {
            assert_eq!(client.response().unwrap().body, b"answered");
            client.assert_closed();
        },
    );
    assert_eq!(seen, Seen { unanswered: 0, failed: 0, panicked: 1, aborted: 0 });
}
