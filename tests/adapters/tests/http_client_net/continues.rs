//! Interim responses, and bodies that wait to be wanted. RFC 9110 10.1.1 and 15.2.

use std::pin::pin;
use std::time::{Duration, Instant};

use endwell::http::{Field, Framing, Interim, StatusCode};
use endwell::{ClientConfig, Exchange};

use crate::dialling::{Dialling, dial, dial_with, get, head, run};
use crate::server::once;
use crate::support::{on_every_runtime, start};

on_every_runtime!(
    early_hints,
    interim_responses_are_passed_over,
    the_body_is_asked_for,
    the_body_is_not_wanted,
    a_body_that_is_withheld_for_ever,
    a_refusal_that_keeps_the_connection,
    a_server_that_does_not_know_of_it,
    two_tasks_wait
);

fn early_hints<R: Dialling>() {
    let server = start::<R, _, _>(|mut exchange: Exchange| async move {
        for link in [&b"</a.css>"[..], b"</b.css>"] {
            exchange.interim(&Interim::early_hints().with(Field::new("link", link).unwrap()));
        }
        exchange.respond(StatusCode::OK, "")
    });
    run::<R, _>(async {
        let mut response = dial::<R>(server.address).await.send(&get("/"), "");
        let mut links = Vec::new();
        while let Some(interim) = response.interim().await {
            assert_eq!(interim.status(), 103);
            links.push(interim.fields().get("link").unwrap().to_vec());
        }
        assert_eq!(links, [b"</a.css>", b"</b.css>"]);
        let received = response.await.unwrap();
        assert_eq!(received.status(), StatusCode::OK);
        assert!(received.finish().await.is_some());
    });
}

fn interim_responses_are_passed_over<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 102 Processing\r\n\r\n");
        client.send("HTTP/1.1 103 Early Hints\r\na: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
        client.assert_left();
    });
    run::<R, _>(async {
        let received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.status(), StatusCode::NO_CONTENT);
    });
}

/// Whoever still holds the body that nobody wants does not hold up the end of the exchange.
fn a_body_that_is_withheld_for_ever<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n");
        client.assert_left();
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (withheld, response) = connection.request_expecting(&head("POST", "/"), Framing::Length(5));
        assert!(response.await.unwrap().finish().await.is_none());
        assert!(withheld.await.is_err());
        server.done().await;
    });
}

fn the_body_is_asked_for<R: Dialling>() {
    let server = start::<R, _, _>(|mut exchange: Exchange| async move {
        assert_eq!(exchange.fields().get("expect"), Some(&b"100-continue"[..]));
        let body = exchange.read_all(100).await?;
        Ok::<_, endwell::Ended>(exchange.respond(StatusCode::OK, body))
    });
    let mut config = ClientConfig::default();
    config.http.continue_time = Duration::from_secs(1000);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let (withheld, response) = connection.request_expecting(&head("POST", "/"), Framing::Length(5));
        let mut body = withheld.await.unwrap();
        body.write("hello").await.unwrap();
        body.finish().unwrap();
        let mut received = response.await.unwrap();
        assert_eq!(received.read_all(5).await.unwrap(), "hello");
        assert!(received.finish().await.is_some());
    });
}

/// 417, and the request is repeated without the expectation on another connection.
fn the_body_is_not_wanted<R: Dialling>() {
    let server = start::<R, _, _>(|mut exchange: Exchange| async move {
        if exchange.fields().get("expect").is_some() {
            return Ok::<_, endwell::Ended>(exchange.respond(StatusCode::EXPECTATION_FAILED, "no"));
        }
        let body = exchange.read_all(100).await?;
        Ok(exchange.respond(StatusCode::OK, body))
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (withheld, response) = connection.request_expecting(&head("POST", "/"), Framing::Length(5));
        withheld.await.unwrap_err();
        let mut received = response.await.unwrap();
        assert_eq!(received.status(), StatusCode::EXPECTATION_FAILED);
        assert_eq!(received.read_all(5).await.unwrap(), "no");
        assert!(received.finish().await.is_none(), "the server was promised a body");
        let mut received = dial::<R>(server.address).await.send(&head("POST", "/"), "hello").await.unwrap();
        assert_eq!(received.read_all(5).await.unwrap(), "hello");
    });
}

/// The server would go on, and waits for the body that it was promised: the connection is of no more use to us.
fn a_refusal_that_keeps_the_connection<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 417 Expectation Failed\r\ncontent-length: 0\r\n\r\n");
        client.assert_left();
    });
    let mut config = ClientConfig::default();
    config.http.continue_time = Duration::from_secs(1000);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let (withheld, response) = connection.request_expecting(&head("POST", "/"), Framing::Length(5));
        let mut withheld = pin!(withheld);
        (&mut withheld).await.unwrap_err();
        // Whoever holds what is left of it holds nothing up.
        assert!(response.await.unwrap().finish().await.is_none());
    });
}

fn a_server_that_does_not_know_of_it<R: Dialling>() {
    let server = once(|mut client| {
        assert!(client.head().contains("\r\nexpect: 100-continue\r\n"));
        assert_eq!(client.read(5), b"hello");
        client.send("HTTP/1.1 204 No Content\r\n\r\n");
        client.assert_left();
    });
    let mut config = ClientConfig::default();
    config.http.continue_time = Duration::from_millis(200);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let began = Instant::now();
        let (withheld, response) = connection.request_expecting(&head("POST", "/"), Framing::Length(5));
        let mut body = withheld.await.unwrap();
        assert!(began.elapsed() >= Duration::from_millis(200));
        body.write("hello").await.unwrap();
        body.finish().unwrap();
        assert_eq!(response.await.unwrap().status(), StatusCode::NO_CONTENT);
    });
}

/// One waits to write and the other to read: neither takes the other's place.
fn two_tasks_wait<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
        assert_eq!(client.read(5), b"hello");
        client.send("HTTP/1.1 204 No Content\r\n\r\n");
        client.assert_left();
    });
    let mut config = ClientConfig::default();
    config.http.continue_time = Duration::from_secs(1000);
    run::<R, _>(async {
        let connection = dial_with::<R>(server.address, &config).await;
        let (withheld, mut response) = connection.request_expecting(&head("POST", "/"), Framing::Length(5));
        R::spawn(async {
            let mut body = withheld.await.unwrap();
            body.write("hello").await.unwrap();
            body.finish().unwrap();
        });
        assert_eq!(response.interim().await.unwrap().status(), 103);
        assert!(response.interim().await.is_none());
        let received = response.await.unwrap();
        assert!(received.finish().await.is_some());
    });
}
