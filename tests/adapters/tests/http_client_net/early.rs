//! A server that answers before it has the whole request, and reads no further. RFC 9112 9.5.

use std::time::Duration;

use bytes::Bytes;
use endwell::client::RequestWriter;
use endwell::http::{Framing, StatusCode};
use endwell::{Exchange, ServerConfig, WriteError};

use crate::dialling::{Dialling, both, dial, head, run};
use crate::server::once;
use crate::support::{on_every_runtime, start_with};

on_every_runtime!(
    our_server_refuses_a_large_body,
    the_answer_comes_before_the_reset,
    the_writer_gives_up,
    a_body_that_is_dropped
);

/// Writes until nothing more can be written. How much that was.
async fn write_for_ever(mut body: RequestWriter) -> (usize, WriteError) {
    let piece = Bytes::from(vec![7; 64 << 10]);
    let mut len = 0;
    loop {
        match body.write(piece.clone()).await {
            Ok(()) => len += piece.len(),
            Err(error) => return (len, error),
        }
    }
}

/// It answers, announces the close and lingers; then it closes, and writing fails. The answer is there all the same,
/// though nobody looked for it before.
fn our_server_refuses_a_large_body<R: Dialling>() {
    let mut config = ServerConfig::default();
    config.http.linger_time = Duration::from_millis(100);
    let server = start_with::<R, _, _>(config, |exchange: Exchange| async move {
        exchange.respond(StatusCode::CONTENT_TOO_LARGE, "too large")
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (body, response) = connection.request(&head("POST", "/"), Framing::Length(1 << 30));
        let (_, error) = write_for_ever(body).await;
        assert!(matches!(error, WriteError::Ended(_)), "{error}");
        let mut received = response.await.unwrap();
        assert_eq!(received.status(), StatusCode::CONTENT_TOO_LARGE);
        assert_eq!(received.read_all(100).await.unwrap(), "too large");
        assert!(received.finish().await.is_none());
    });
}

/// The reset comes right behind the answer, while the client still writes.
fn the_answer_comes_before_the_reset<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 413 Content Too Large\r\ncontent-length: 100000\r\n\r\n");
        client.send(vec![b'x'; 100_000]);
        // What is unread makes a reset of the close.
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
        let ((_, error), received) = both(write_for_ever(body), response).await;
        assert!(matches!(error, WriteError::Ended(_)), "{error}");
        let mut received = received.unwrap();
        assert_eq!(received.status(), StatusCode::CONTENT_TOO_LARGE);
        // The system may have thrown the rest away with the reset: then that is an error, and no short body.
        match received.read_all(100_000).await {
            Ok(body) => assert!(body == vec![b'x'; 100_000]),
            Err(error) => assert!(error.received < 100_000 && error.announced == Some(100_000), "{error}"),
        }
    });
}

/// The response is there, and its connection is not used again: the request was never whole.
fn the_writer_gives_up<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
        assert!(client.until_left() < 1 << 20);
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Length(1 << 20));
        body.write("some").await.unwrap();
        let mut received = response.await.unwrap();
        assert_eq!(received.status(), StatusCode::FORBIDDEN);
        body.abort();
        assert_eq!(received.read_all(2).await.unwrap(), "no");
        assert!(received.finish().await.is_none());
    });
}

/// A request that was cut off cannot be taken for a whole one. The server may answer it all the same.
fn a_body_that_is_dropped<R: Dialling>() {
    let (go, gone) = std::sync::mpsc::channel();
    let server = once(move |mut client| {
        client.head();
        assert_eq!(client.read(10), b"5\r\nhello\r\n");
        gone.recv().unwrap();
        client.send("HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\n\r\n");
        client.assert_left();
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (mut body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
        body.write("hello").await.unwrap();
        body.flush().await.unwrap();
        drop(body);
        go.send(()).unwrap();
        let received = response.await.unwrap();
        assert_eq!(received.status(), StatusCode::REQUEST_TIMEOUT);
        assert!(received.finish().await.is_none());
    });
}
