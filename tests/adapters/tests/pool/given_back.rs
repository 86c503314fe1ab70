//! What goes back to the pool when it is dropped, and what closes.

use std::sync::mpsc;

use endwell::Exchange;
use endwell::client::{Origin, PoolError, PoolLimits};
use endwell::http::Framing;
use endwell::ws::{Close, Content};

use crate::aborted::aborted;
use crate::counted::{pool, pool_with, settled, until};
use crate::dialling::{Dialling, get, head, run};
use crate::server::{echoing, serving};
use crate::support::{LONG, on_every_runtime, start};

on_every_runtime!(
    a_body_that_was_read,
    a_body_that_was_not_read_but_has_come,
    a_connection_that_was_finished_or_not_used,
    a_body_that_has_not_come_closes,
    a_request_that_is_not_written_closes,
    an_announced_close,
    a_websocket_keeps_its_place,
    nobody_to_connect_to,
    without_its_pool
);

fn a_body_that_was_read<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let pool = pool::<R>();
        for target in ["/a", "/b", "/c"] {
            let mut received = pool.send(&server.origin(), &get(target), "").await.unwrap();
            assert_eq!(received.read_all(100).await.unwrap(), format!("GET {target}"));
            assert_eq!(received.retries(), 0);
            drop(received);
            settled::<R>(&pool, 1, 1).await;
        }
        // Nothing to read.
        drop(pool.send(&server.origin(), &head("POST", "/d"), "body").await.unwrap());
        settled::<R>(&pool, 1, 1).await;
    });
    assert_eq!(server.accepted(), 1);
}

/// Head and body come in one segment.
fn a_body_that_was_not_read_but_has_come<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let pool = pool::<R>();
        for _ in 0..3 {
            let received = pool.send(&server.origin(), &get("/"), "").await.unwrap();
            drop(received);
            assert_eq!((pool.occupancy().connections, pool.occupancy().idle), (1, 1));
        }
    });
    assert_eq!(server.accepted(), 1);
}

fn a_connection_that_was_finished_or_not_used<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let pool = pool::<R>();
        drop(pool.connection(&server.origin()).await.unwrap());
        assert_eq!(pool.occupancy().idle, 1);
        let connection = pool.connection(&server.origin()).await.unwrap();
        assert_eq!(pool.occupancy().idle, 0);
        let (mut body, response) = connection.request(&head("PUT", "/"), Framing::Length(4));
        body.write("body").await.unwrap();
        body.finish().unwrap();
        let connection = response.await.unwrap().finish().await.unwrap();
        let connection = connection.send(&get("/"), "").await.unwrap().finish().await.unwrap();
        drop(connection);
        assert_eq!((pool.occupancy().connections, pool.occupancy().idle), (1, 1));
    });
    assert_eq!(server.accepted(), 1);
}

fn a_body_that_has_not_come_closes<R: Dialling>() {
    let server = serving(|mut peer| {
        peer.request();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        for stage in 0..3 {
            let connection = pool.connection(&server.origin()).await.unwrap();
            let response = connection.send(&get("/"), "");
            if stage > 0 {
                let mut received = response.await.unwrap();
                if stage > 1 {
                    assert_eq!(received.read().await.unwrap().unwrap(), "hello");
                }
                drop(received);
            } else {
                drop(response);
            }
            settled::<R>(&pool, 0, 0).await;
        }
    });
    assert_eq!(server.accepted(), 3);
}

/// The response is whole, and the request is not.
fn a_request_that_is_not_written_closes<R: Dialling>() {
    let server = serving(|mut peer| {
        peer.head();
        peer.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
        peer.until_left();
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        let connection = pool.connection(&server.origin()).await.unwrap();
        let (body, response) = connection.request(&head("PUT", "/"), Framing::Length(4));
        let mut received = response.await.unwrap();
        assert_eq!(received.read_all(100).await.unwrap(), "ok");
        drop(received);
        settled::<R>(&pool, 0, 0).await;
        drop(body);
    });
}

fn an_announced_close<R: Dialling>() {
    let server = serving(|mut peer| {
        while let Some(asked) = peer.request() {
            peer.answer_last(&asked);
            peer.until_left();
        }
    });
    run::<R, _>(async {
        let pool = pool::<R>();
        for _ in 0..3 {
            let mut received = pool.send(&server.origin(), &get("/"), "").await.unwrap();
            assert_eq!(received.read_all(100).await.unwrap(), "GET /");
            assert_eq!(received.retries(), 0);
            drop(received);
            settled::<R>(&pool, 0, 0).await;
        }
    });
    assert_eq!(server.accepted(), 3);
}

fn a_websocket_keeps_its_place<R: Dialling>() {
    let server = start::<R, _, _>(|exchange: Exchange| async {
        let acceptance = exchange.acceptance();
        let mut socket = exchange.accept(acceptance).map_err(|_| aborted())?;
        while let Some(message) = socket.receive().await {
            socket.send(message).await?;
        }
        Err::<endwell::Answered, _>(socket.close(Close::EMPTY).await)
    });
    let origin = Origin::http(&server.address.ip().to_string(), server.address.port());
    run::<R, _>(async {
        let pool = pool::<R>();
        let connection = pool.connection(&origin).await.unwrap();
        let offer = connection.offer("a", "/").unwrap();
        let mut socket = connection.upgrade(offer).await.unwrap().socket;
        assert_eq!((pool.occupancy().connections, pool.occupancy().idle), (1, 0));
        socket.send("hello").await.unwrap();
        let message = socket.receive().await.unwrap();
        assert!(matches!(message.content(), Content::Text("hello")));
        socket.close(Close::EMPTY).await;
        settled::<R>(&pool, 0, 0).await;
        let connection = pool.connection(&origin).await.unwrap();
        let offer = connection.offer("a", "/").unwrap();
        drop(connection.upgrade(offer));
        settled::<R>(&pool, 0, 0).await;
    });
}

fn nobody_to_connect_to<R: Dialling>() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        (limits.per_origin, limits.connections) = (1, 1);
        let (pool, count) = pool_with::<R>(limits);
        // The place is free again each time, and nobody waits.
        for _ in 0..3 {
            let error = pool.connection(&Origin::http("127.0.0.1", closed.port())).await.unwrap_err();
            assert!(matches!(error, PoolError::Io(_)), "{error}");
            let error = pool.connection(&Origin::https("127.0.0.1", closed.port())).await.unwrap_err();
            assert!(
                error.to_string().starts_with("cannot connect: expected an origin without TLS"),
                "{error}"
            );
        }
        assert_eq!((pool.occupancy().connections, count.open()), (0, 0));
    });
}

/// What is idle closes with the last handle; what is in use can be used to its end.
fn without_its_pool<R: Dialling>() {
    let (tell, told) = mpsc::channel();
    let server = serving(move |mut peer| {
        while let Some(asked) = peer.request() {
            peer.answer(&asked);
        }
        tell.send(peer.number).unwrap();
    });
    run::<R, _>(async {
        let (pool, count) = pool_with::<R>(PoolLimits::default());
        let used = pool.connection(&server.origin()).await.unwrap();
        let idle = pool.connection(&server.origin()).await.unwrap();
        drop(idle);
        let other = pool.clone();
        drop(pool);
        assert_eq!(other.occupancy().idle, 1);
        drop(other);
        until::<R>(|| count.open() == 1).await;
        assert_eq!(told.recv_timeout(LONG).unwrap(), 2);
        let mut received = used.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read_all(100).await.unwrap(), "GET /");
        drop(received);
        until::<R>(|| count.open() == 0).await;
        assert_eq!(told.recv_timeout(LONG).unwrap(), 1);
    });
}
