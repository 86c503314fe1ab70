//! A clean end is told from one that was cut off: close_notify.

use std::io::ErrorKind;

use endwell::client::RequestError;
use endwell::http::{Framing, StatusCode};
use endwell::{Answered, EndedKind, Exchange};

use crate::aborted::aborted;
use crate::dialling::{Dialling, get, run};
use crate::peer::{Peer, once};
use crate::secure::{Secure, dial};
use crate::support::{Gate, on_every_runtime, start};

on_every_runtime!(
    a_body_until_the_close,
    a_body_until_the_close_that_is_cut_off,
    the_announced_length_needs_no_close_notify,
    the_server_left_without_an_answer,
    the_server_says_that_it_closes,
    a_response_that_is_aborted,
    a_request_behind_which_the_client_ends,
    a_client_that_leaves_without_a_word,
    a_client_that_leaves,
);

const CUT: &str = "expected close_notify before the end of the stream, got none: what came may not be all \
                   (RFC 8446 6.1)";

fn a_body_until_the_close<R: Dialling>() {
    let server = once(|mut client| {
        client.read_until("\r\n\r\n");
        client.send("HTTP/1.0 200 OK\r\n\r\nhello ");
        client.send("world");
        client.close_notify();
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read_all(100).await.unwrap(), "hello world");
        assert!(received.finish().await.is_none());
    });
}

/// Anybody on the way can end the stream below TLS. Nobody takes the body for a whole one.
fn a_body_until_the_close_that_is_cut_off<R: Dialling>() {
    let server = once(|mut client| {
        client.read_until("\r\n\r\n");
        client.send("HTTP/1.0 200 OK\r\n\r\nhello");
        client.end_write();
        // Kept open, so that it is the end and not a reset.
        let _ = client.rest();
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read().await.unwrap().unwrap(), "hello");
        let error = received.read().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the body was cut off after 5 bytes: the transport failed: {CUT}")
        );
        let EndedKind::Transport(cause) = error.ended.kind() else { panic!("{error}") };
        assert_eq!(cause.kind(), ErrorKind::UnexpectedEof);
    });
}

fn the_announced_length_needs_no_close_notify<R: Dialling>() {
    let server = once(|mut client| {
        client.read_until("\r\n\r\n");
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        client.end_write();
        let _ = client.rest();
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read_all(5).await.unwrap(), "hello");
        // It may not be seen yet that the server has left.
        if let Some(mut connection) = received.finish().await {
            let ended = connection.closed().await;
            assert!(matches!(ended.kind(), EndedKind::ByPeer), "{ended}");
        }
    });
}

/// With close_notify or without, the request was not answered.
fn the_server_left_without_an_answer<R: Dialling>() {
    for says_so in [true, false] {
        let server = once(move |mut client| {
            client.read_until("\r\n\r\n");
            if says_so {
                client.close_notify();
            }
            client.end_write();
            let _ = client.rest();
        });
        let failure =
            run::<R, _>(async { dial::<R>(server.address).await.send(&get("/"), "").await.unwrap_err() });
        assert!(matches!(failure, RequestError::Unanswered(_)), "{failure}");
        assert_eq!(matches!(failure.ended().kind(), EndedKind::ByPeer), says_so, "{failure}");
    }
}

fn the_server_says_that_it_closes<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(async |exchange: Exchange| exchange.respond(StatusCode::OK, "all"));
    let mut client = Peer::client(server.address);
    client.shake_hands().unwrap();
    client.send("GET / HTTP/1.0\r\n\r\n");
    let (response, end) = client.rest();
    end.unwrap();
    assert!(response.ends_with(b"\r\n\r\nall"));
}

/// S34: cut off by its handler. Until the close, as for HTTP/1.0, there is no close_notify, whatever the stream below does;
/// in chunks, as for our own client, there is no last one.
fn a_response_that_is_aborted<R: Dialling>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<Secure<R>, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
            body.write("half").await?;
            body.flush().await?;
            gate.pass().await;
            drop(body);
            Err::<Answered, _>(aborted())
        }
    });
    let mut client = Peer::client(server.address);
    client.shake_hands().unwrap();
    client.send("GET / HTTP/1.0\r\n\r\n");
    client.read_until("half");
    gate.open(1);
    let (rest, end) = client.rest();
    assert!(rest.is_empty());
    let kind = end.unwrap_err().kind();
    assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::UnexpectedEof), "{kind}");

    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read().await.unwrap().unwrap(), "half");
        gate.open(1);
        received.read().await.unwrap_err();
    });
}

/// A half-close: the client says that it has sent all, and is answered.
fn a_request_behind_which_the_client_ends<R: Dialling>() {
    let gate = Gate::new();
    let waiting = gate.clone();
    let server = start::<Secure<R>, _, _>(move |exchange: Exchange| {
        let gate = waiting.clone();
        async move {
            gate.pass().await;
            exchange.respond(StatusCode::OK, "answer")
        }
    });
    let mut client = Peer::client(server.address);
    client.shake_hands().unwrap();
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    client.close_notify();
    client.end_write();
    gate.open(1);
    let (response, end) = client.rest();
    end.unwrap();
    assert!(response.ends_with(b"answer"));
}

/// Between requests nothing is missing. Within one, and while one is answered, it stays a failure.
fn a_client_that_leaves_without_a_word<R: Dialling>() {
    let server = start::<Secure<R>, _, _>(async |mut exchange: Exchange| {
        if exchange.path() != "/wait" {
            return Ok(exchange.respond(StatusCode::OK, "ok"));
        }
        while exchange.read().await?.is_some() {}
        Err::<Answered, _>(exchange.gone().await)
    });
    let leave = |says: &[&str]| {
        let mut client = Peer::client(server.address);
        client.shake_hands().unwrap();
        client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        client.read_until("ok");
        for said in says {
            client.send(said);
        }
        client.end_write();
        server.next_end()
    };
    for between in [&[][..], &["\r\n"]] {
        let ended = leave(between);
        assert!(matches!(ended.kind(), EndedKind::ByPeer), "{between:?}: {ended}");
    }
    for within in [
        &["GET /"][..],
        &["GET / HTTP/1.1\r\nhost: a\r\n"],
        &["POST /wait HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n", "12"],
        &["POST /wait HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\na\r\n"],
        &["GET /wait HTTP/1.1\r\nhost: a\r\n\r\n"],
    ] {
        assert_eq!(leave(within).to_string(), format!("the transport failed: {CUT}"), "{within:?}");
    }
}

/// RFC 9112 9.8: a client sends close_notify before it closes. Here it drops its connection.
fn a_client_that_leaves<R: Dialling>() {
    let server = once(|mut client| {
        client.read_until("\r\n\r\n");
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        let (rest, end) = client.rest();
        end.unwrap();
        assert!(rest.is_empty());
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read_all(2).await.unwrap(), "ok");
        let mut connection = received.finish().await.expect("a connection that is kept");
        assert!(connection.is_open());
        drop(connection);
        // Its driver closes it, and is waited for.
        server.done().await;
    });
}
