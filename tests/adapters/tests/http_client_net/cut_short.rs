//! What is not whole is told from what is, and what can be sent again from what cannot.

use std::io::ErrorKind;
use std::net::Shutdown;

use endwell::EndedKind;
use endwell::client::RequestError;
use endwell::http::Framing;

use crate::dialling::{Dialling, dial, get, head, run};
use crate::server::{Accepted, once, scripted};
use crate::support::on_every_runtime;

on_every_runtime!(
    bodies_that_are_cut_off,
    a_body_until_the_close,
    a_body_until_the_close_that_is_reset,
    a_body_that_is_reset_before_it_is_read,
    no_answer,
    a_reset_instead_of_an_answer,
    half_a_head,
    an_answer_that_nobody_asked_for,
    the_server_left_before_the_request,
    the_server_left_and_nobody_was_told,
    a_reset_between_requests,
    a_response_that_announces_the_close
);

fn end(client: &Accepted) {
    client.0.shutdown(Shutdown::Write).unwrap();
}

/// The error says how much came, and of how much.
fn bodies_that_are_cut_off<R: Dialling>() {
    let server = scripted([
        |mut client| {
            client.head();
            client.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello");
        },
        |mut client| {
            client.head();
            client.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
        },
        |mut client| {
            client.head();
            client.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\na\r\nhello");
        },
    ]);
    let expected = [
        ("5 of 10 bytes", Some(10)),
        ("expected a last chunk before the end of the stream, got \"5 of 5 bytes\"", None),
        ("expected a last chunk before the end of the stream, got \"5 of 10 bytes\"", None),
    ];
    run::<R, _>(async {
        for (text, announced) in expected {
            let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
            assert_eq!(received.read().await.unwrap().unwrap(), "hello");
            let error = received.read().await.unwrap_err();
            assert_eq!((error.received, error.announced), (5, announced));
            assert!(matches!(error.ended.kind(), EndedKind::Protocol(_)), "{error}");
            assert!(error.to_string().contains(text), "{error}");
            assert!(received.finish().await.is_none());
        }
    });
}

fn a_body_until_the_close<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.0 200 OK\r\n\r\nhello ");
        client.send("world");
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.announced(), None);
        assert_eq!(received.read_all(100).await.unwrap(), "hello world");
        assert!(received.finish().await.is_none());
    });
}

/// A reset is no end: nobody can take the body for a whole one. What had come is given out.
fn a_body_until_the_close_that_is_reset<R: Dialling>() {
    let (go, gone) = std::sync::mpsc::channel();
    let server = once(move |mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\n\r\nhello");
        gone.recv().unwrap();
        client.reset();
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read().await.unwrap().unwrap(), "hello");
        go.send(()).unwrap();
        let error = received.read().await.unwrap_err();
        assert_eq!(error.received, 5);
        let EndedKind::Transport(cause) = error.ended.kind() else { panic!("{error}") };
        assert_eq!(cause.kind(), ErrorKind::ConnectionReset);
    });
}

/// Nobody reads when the connection is reset: what had come before is given out first.
fn a_body_that_is_reset_before_it_is_read<R: Dialling>() {
    let (go, gone) = std::sync::mpsc::channel();
    let server = once(move |mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n");
        gone.recv().unwrap();
        client.send("hello");
        client.reset();
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        go.send(()).unwrap();
        server.done().await;
        assert_eq!(received.read().await.unwrap().unwrap(), "hello");
        let error = received.read().await.unwrap_err();
        assert_eq!((error.received, error.announced), (5, Some(10)));
        assert!(matches!(error.ended.kind(), EndedKind::Transport(_)), "{error}");
    });
}

/// The stream ends before any byte of a response: the request may have been seen.
fn no_answer<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
    });
    run::<R, _>(async {
        let failure = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap_err();
        assert!(
            matches!(&failure, RequestError::Unanswered(ended) if matches!(ended.kind(), EndedKind::ByPeer)),
            "{failure}"
        );
        assert_eq!((failure.is_safe_to_retry(true), failure.is_safe_to_retry(false)), (true, false));
    });
}

fn a_reset_instead_of_an_answer<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.reset();
    });
    run::<R, _>(async {
        let failure = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap_err();
        assert!(
            matches!(&failure, RequestError::Unanswered(ended) if matches!(ended.kind(), EndedKind::Transport(_))),
            "{failure}"
        );
    });
}

/// Or a head that answers something else.
fn half_a_head<R: Dialling>() {
    let server = scripted([
        |mut client| {
            client.head();
            client.send("HTTP/1.1 2");
        },
        |mut client| {
            client.head();
            client.send("HTTP/1.1 103 Early Hints\r\n\r\n");
        },
        |mut client| {
            client.head();
            client.send("HTTP/1.1 101 Switching Protocols\r\n\r\n");
            client.send("HTTP/1.1 204 No Content\r\n\r\n");
        },
    ]);
    run::<R, _>(async {
        for _ in 0..3 {
            let failure = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap_err();
            assert!(
                matches!(&failure, RequestError::Failed(ended) if matches!(ended.kind(), EndedKind::Protocol(_))),
                "{failure}"
            );
            assert!(!failure.is_safe_to_retry(true));
        }
    });
}

/// Bytes behind a response belong to no request, and nobody takes them for the next one's answer.
fn an_answer_that_nobody_asked_for<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        client.assert_left();
    });
    run::<R, _>(async {
        let received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert!(received.finish().await.is_none());
    });
}

/// The connection is kept, and the server closes it: that is known before the next request is sent.
fn the_server_left_before_the_request<R: Dialling>() {
    let server = scripted([
        |mut client| {
            client.head();
            client.send("HTTP/1.1 204 No Content\r\n\r\n");
            end(&client);
            client.assert_left();
        },
        |mut client| {
            client.head();
            client.send("HTTP/1.1 204 No Content\r\n\r\n");
            assert!(client.0.peek(&mut [0]).unwrap() == 1, "the driver still lives");
            client.read(1);
            client.reset();
        },
    ]);
    run::<R, _>(async {
        let received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        // It may be seen already that the server has left.
        if let Some(mut connection) = received.finish().await {
            let ended = connection.closed().await;
            assert!(matches!(ended.kind(), EndedKind::ByPeer), "{ended}");
            assert!(!connection.is_open());
            let (mut body, response) = connection.request(&head("POST", "/"), Framing::Chunked);
            body.write("hello").await.unwrap_err();
            let failure = response.await.unwrap_err();
            assert!(
                matches!(&failure, RequestError::NotSent(ended) if matches!(ended.kind(), EndedKind::ByPeer)),
                "{failure}"
            );
            assert!(failure.is_safe_to_retry(false));
        }
        let received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        let connection = received.finish().await.unwrap();
        let failure = connection.send(&get("/"), "").await.unwrap_err();
        assert!(
            matches!(&failure, RequestError::Unanswered(ended) if matches!(ended.kind(), EndedKind::Transport(_))),
            "{failure}"
        );
    });
}

/// The end of the stream lies in the system, and the connection's task may not have seen it: whoever sends looks first,
/// where a look costs no more than asking the system.
fn the_server_left_and_nobody_was_told<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 204 No Content\r\n\r\n");
    });
    run::<R, _>(async {
        let received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        let Some(connection) = received.finish().await else { return };
        drop(server);
        let failure = connection.send(&head("POST", "/"), "").await.unwrap_err();
        // tokio asks the system only when it was told that there is something to read.
        let is_asked = !R::NAME.starts_with("tokio");
        assert!(failure.is_safe_to_retry(false) || !is_asked, "{failure}");
        assert!(failure.is_safe_to_retry(true), "{failure}");
    });
}

fn a_reset_between_requests<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 204 No Content\r\n\r\n");
        client.reset();
    });
    run::<R, _>(async {
        let received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        let Some(mut connection) = received.finish().await else { return };
        let ended = connection.closed().await;
        assert!(matches!(ended.kind(), EndedKind::Transport(_)), "{ended}");
        let failure = connection.send(&head("POST", "/"), "").await.unwrap_err();
        assert!(
            matches!(&failure, RequestError::NotSent(ended) if matches!(ended.kind(), EndedKind::Transport(_))),
            "{failure}"
        );
    });
}

fn a_response_that_announces_the_close<R: Dialling>() {
    let server = once(|mut client| {
        client.head();
        client.send("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok");
        client.assert_left();
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        assert_eq!(received.read_all(2).await.unwrap(), "ok");
        assert!(received.finish().await.is_none());
    });
}
