//! Requests that are sent again, and those that are not: RFC 9110 9.2.2.

use endwell::client::{PoolLimits, RequestError, SendError};
use endwell::http::{Method, Request};

use crate::counted::{bounded, pool_with, settled};
use crate::dialling::{Dialling, get, head, run};
use crate::server::{Server, echoing, serving};
use crate::support::on_every_runtime;

on_every_runtime!(
    by_the_method,
    if_the_application_says_so,
    whatever_was_not_sent,
    not_over_a_new_connection,
    once_and_over_a_new_connection,
    never_when_an_answer_has_begun,
    with_the_same_body,
    only_so_often
);

/// Each connection answers as many requests as `good` says, and closes without an answer to the next.
fn fickle(good: usize) -> Server {
    serving(move |mut peer| {
        for _ in 0..good {
            let Some(asked) = peer.request() else { return };
            peer.answer(&asked);
        }
        peer.request();
    })
}

fn by_the_method<R: Dialling>() {
    for (method, is_sent_again) in [
        ("GET", true),
        ("OPTIONS", true),
        ("TRACE", true),
        ("PUT", true),
        ("DELETE", true),
        ("POST", false),
        ("PATCH", false),
        ("REPORT", false),
    ] {
        let server = fickle(1);
        run::<R, _>(async {
            let pool = bounded::<R>(1, 1);
            drop(pool.send(&server.origin(), &head(method, "/1"), "").await.unwrap());
            settled::<R>(&pool, 1, 1).await;
            match pool.send(&server.origin(), &head(method, "/2"), "").await {
                Ok(mut received) => {
                    assert!(is_sent_again, "{method}");
                    assert_eq!(received.retries(), 1);
                    assert_eq!(received.read_all(100).await.unwrap(), format!("{method} /2"));
                }
                Err(error) => {
                    assert!(!is_sent_again, "{method}");
                    assert!(!error.is_safe_to_retry());
                    let text = "the request was not answered: closed by the peer; safe to retry: no";
                    assert_eq!(error.to_string(), text);
                    settled::<R>(&pool, 0, 0).await;
                }
            }
        });
    }
}

fn if_the_application_says_so<R: Dialling>() {
    let server = fickle(1);
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.send(&server.origin(), &get("/1"), "").await.unwrap());
        let received = pool.send_as(&server.origin(), &head("POST", "/2"), "", true).await.unwrap();
        assert_eq!(received.retries(), 1);
        drop(received);
        let error = pool.send_as(&server.origin(), &get("/3"), "", false).await.unwrap_err();
        assert_eq!((error.is_safe_to_retry(), error.retries()), (false, 0));
    });
}

/// The server leaves between the last look at the connection and the request.
fn whatever_was_not_sent<R: Dialling>() {
    let server = echoing();
    run::<R, _>(async {
        let (pool, count) = pool_with::<R>(PoolLimits::default());
        drop(pool.send(&server.origin(), &head("POST", "/1"), "").await.unwrap());
        count.be_unlucky();
        let mut received = pool.send_as(&server.origin(), &head("POST", "/2"), "", false).await.unwrap();
        assert_eq!((received.retries(), server.accepted()), (1, 2));
        assert_eq!(received.read_all(100).await.unwrap(), "POST /2");
    });
}

/// Whoever closes a new connection has something against the request.
fn not_over_a_new_connection<R: Dialling>() {
    let server = fickle(0);
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        let error = pool.send(&server.origin(), &get("/"), "").await.unwrap_err();
        assert!(matches!(error, SendError::Failed { failure: RequestError::Unanswered(_), .. }));
        assert_eq!((error.is_safe_to_retry(), error.retries()), (true, 0));
        let text = "the request was not answered: closed by the peer; safe to retry: yes";
        assert_eq!(error.to_string(), text);
    });
    assert_eq!(server.accepted(), 1);
}

/// Each connection that was idle fails. A request that may have arrived is not tried on one after the other.
fn once_and_over_a_new_connection<R: Dialling>() {
    let server = fickle(1);
    run::<R, _>(async {
        let pool = bounded::<R>(5, 5);
        let mut held = Vec::new();
        for _ in 0..5 {
            held.push(pool.send(&server.origin(), &get("/1"), "").await.unwrap());
        }
        drop(held);
        settled::<R>(&pool, 5, 5).await;
        let mut received = pool.send(&server.origin(), &get("/2"), "").await.unwrap();
        assert_eq!((received.retries(), server.accepted()), (1, 6));
        assert_eq!(received.read_all(100).await.unwrap(), "GET /2");
    });
}

fn never_when_an_answer_has_begun<R: Dialling>() {
    let server = serving(|mut peer| {
        if let Some(asked) = peer.request() {
            peer.answer(&asked);
        }
        peer.request();
        peer.send("HTTP/1.1 2");
    });
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.send(&server.origin(), &get("/1"), "").await.unwrap());
        let error = pool.send(&server.origin(), &get("/2"), "").await.unwrap_err();
        assert!(matches!(error, SendError::Failed { failure: RequestError::Failed(_), retries: 0, .. }));
        assert!(error.to_string().ends_with("; safe to retry: no"), "{error}");
    });
    assert_eq!(server.accepted(), 1);
}

fn with_the_same_body<R: Dialling>() {
    let server = serving(|mut peer| {
        if let Some(asked) = peer.request() {
            if peer.number == 1 {
                peer.answer(&asked);
                peer.request();
                return;
            }
            peer.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", asked.body.len()));
            peer.send(&asked.body);
            peer.until_left();
        }
    });
    let body: Vec<u8> = crate::support::pattern(100_000);
    run::<R, _>(async {
        let pool = bounded::<R>(1, 1);
        drop(pool.send(&server.origin(), &get("/1"), "").await.unwrap());
        let put = Request::new(Method::Put, "a", "/2").unwrap();
        let mut received = pool.send(&server.origin(), &put, body.clone()).await.unwrap();
        assert_eq!(received.retries(), 1);
        assert_eq!(received.read_all(1 << 20).await.unwrap(), body);
    });
}

fn only_so_often<R: Dialling>() {
    let server = fickle(1);
    run::<R, _>(async {
        let mut limits = PoolLimits::default();
        limits.retries = 0;
        let (pool, _) = pool_with::<R>(limits);
        drop(pool.send(&server.origin(), &get("/1"), "").await.unwrap());
        let error = pool.send(&server.origin(), &get("/2"), "").await.unwrap_err();
        assert_eq!((error.is_safe_to_retry(), error.retries()), (true, 0));
    });
}
