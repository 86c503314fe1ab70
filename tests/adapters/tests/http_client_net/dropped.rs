//! Whatever is dropped half way closes the connection: no request is ever sent over one that is not at rest.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::Poll;

use endwell::client::Connection;
use endwell::http::Framing;
use tokio::sync::oneshot;

use crate::dialling::{Dialling, dial, get, head, is_pending, run};
use crate::server::{Accepted, Scripted, once};
use crate::support::on_every_runtime;

on_every_runtime!(
    an_idle_connection,
    before_the_head,
    between_the_heads,
    within_the_body,
    while_finishing,
    a_withheld_body,
    a_handshake,
    a_wait_that_is_given_up_loses_nothing
);

/// Answers in parts, each when the client has had the one before. Then the client must leave, without a further request.
/// Told when it has the request.
fn answering(parts: &'static [&'static str]) -> (Scripted, mpsc::Sender<()>, oneshot::Receiver<()>) {
    let (go, next) = mpsc::channel();
    let (tell, asked) = oneshot::channel();
    let server = once(move |mut client: Accepted| {
        client.head();
        // A test need not listen.
        let _ = tell.send(());
        for part in parts {
            client.send(part);
            next.recv().unwrap();
        }
        client.assert_left();
    });
    (server, go, asked)
}

/// Polls once, and drops. What was ready already.
async fn given_up<F: Future + Unpin>(mut future: F) -> Option<F::Output> {
    poll_fn(|cx| match Pin::new(&mut future).poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Polls once, and drops.
async fn once_only(mut future: impl Future + Unpin) {
    assert!(is_pending(&mut future).await);
}

async fn ask<R: Dialling>(server: &Scripted) -> endwell::client::ResponseFuture {
    dial::<R>(server.address).await.send(&get("/"), "")
}

fn an_idle_connection<R: Dialling>() {
    let server = once(|mut client| client.assert_left());
    run::<R, _>(async {
        let mut connection: Connection = dial::<R>(server.address).await;
        assert!(connection.is_open());
        drop(connection);
        server.done().await;
    });
}

fn before_the_head<R: Dialling>() {
    let (server, _, asked) = answering(&[]);
    run::<R, _>(async {
        let mut response = ask::<R>(&server).await;
        asked.await.unwrap();
        once_only(&mut response).await;
        drop(response);
        server.done().await;
    });
}

fn between_the_heads<R: Dialling>() {
    let (server, go, _) = answering(&["HTTP/1.1 103 Early Hints\r\n\r\n", "HTTP/1.1 2"]);
    run::<R, _>(async {
        let mut response = ask::<R>(&server).await;
        response.interim().await.unwrap();
        once_only(response.interim()).await;
        go.send(()).unwrap();
        once_only(response).await;
        go.send(()).unwrap();
        server.done().await;
    });
}

fn within_the_body<R: Dialling>() {
    let (server, go, _) = answering(&["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"]);
    run::<R, _>(async {
        let mut received = ask::<R>(&server).await.await.unwrap();
        assert_eq!(received.read().await.unwrap().unwrap(), "hello");
        once_only(received.read()).await;
        drop(received);
        go.send(()).unwrap();
        server.done().await;
    });
}

fn while_finishing<R: Dialling>() {
    let (server, go, _) = answering(&["HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello"]);
    run::<R, _>(async {
        let received = ask::<R>(&server).await.await.unwrap();
        once_only(received.finish()).await;
        go.send(()).unwrap();
        server.done().await;
    });
}

fn a_withheld_body<R: Dialling>() {
    let (server, _, asked) = answering(&[]);
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (withheld, response) = connection.request_expecting(&head("POST", "/"), Framing::Length(5));
        asked.await.unwrap();
        once_only(withheld).await;
        once_only(response).await;
        server.done().await;
    });
}

fn a_handshake<R: Dialling>() {
    let (server, _, asked) = answering(&[]);
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let offer = connection.offer("a", "/").unwrap();
        let mut upgrade = connection.upgrade(offer);
        asked.await.unwrap();
        once_only(&mut upgrade).await;
        drop(upgrade);
        server.done().await;
    });
}

/// Each wait is dropped once and begun again: the exchange is whole, and so is the next one.
fn a_wait_that_is_given_up_loses_nothing<R: Dialling>() {
    let server = once(|mut client| {
        for _ in 0..2 {
            client.head();
            for byte in b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello" {
                client.send([*byte]);
            }
        }
        client.assert_left();
    });
    run::<R, _>(async {
        let mut connection = dial::<R>(server.address).await;
        for _ in 0..2 {
            let mut response = connection.send(&get("/"), "");
            given_up(response.interim()).await;
            if let Some(interim) = response.interim().await {
                assert_eq!(interim.status(), 103);
            }
            let mut received = match given_up(&mut response).await {
                Some(received) => received.unwrap(),
                None => response.await.unwrap(),
            };
            let mut body = Vec::new();
            loop {
                // What is ready is the wait's to give, and is not lost either.
                let piece = match given_up(received.read()).await {
                    Some(piece) => piece,
                    None => received.read().await,
                };
                let Some(piece) = piece.unwrap() else { break };
                body.extend_from_slice(&piece);
            }
            assert_eq!(body, b"hello");
            connection = received.finish().await.unwrap();
        }
    });
}
