//! Requests and responses of every shape, against our own server.

use bytes::Bytes;
use endwell::http::{Field, FieldSection, Framing, Response, StatusCode};
use endwell::{Answered, Ended, EndedKind, Exchange};

use crate::dialling::{Dialling, dial, get, head, run};
use crate::server::once;
use crate::support::{Gate, Running, on_every_runtime, pattern, start};

on_every_runtime!(
    get_and_post,
    a_hundred_requests_over_one_connection,
    pieces_and_trailers,
    without_content,
    what_is_announced_without_content,
    a_body_that_is_not_read,
    too_large_for_the_bound,
    a_body_that_is_announced_too_large_is_not_waited_for
);

/// Says what it was asked, and gives the body back.
fn echo<R: Dialling>() -> Running {
    start::<R, _, _>(|mut exchange: Exchange| async move {
        let body = exchange.read_all(10 << 20).await?;
        let length = exchange.fields().get("content-length").map_or("none".into(), <[u8]>::to_vec);
        let mut head = Response::new(StatusCode::OK);
        head.fields_mut().push(Field::new("x-method", exchange.method().as_str().as_bytes()).unwrap());
        head.fields_mut().push(Field::new("x-path", exchange.path().as_bytes()).unwrap());
        head.fields_mut().push(Field::new("x-length", &length).unwrap());
        Ok::<Answered, Ended>(exchange.respond(head, body))
    })
}

fn get_and_post<R: Dialling>() {
    let server = echo::<R>();
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let mut received = connection.send(&get("/a?b"), "").await.unwrap();
        assert_eq!(received.status(), StatusCode::OK);
        assert_eq!(received.fields().get("x-path"), Some(&b"/a"[..]));
        assert_eq!(received.fields().get("x-length"), Some(&b"none"[..]));
        assert_eq!(received.read_all(0).await.unwrap(), "");
        let connection = received.finish().await.unwrap();

        for len in [0, 1, 5000, 3 << 20] {
            let body = pattern(len);
            let (mut sent, response) = {
                let connection = connection_of::<R>(&server).await;
                connection.request(&head("POST", "/"), Framing::Length(len as u64))
            };
            for piece in body.chunks(70_000) {
                sent.write(Bytes::copy_from_slice(piece)).await.unwrap();
            }
            sent.finish().unwrap();
            let mut received = response.await.unwrap();
            assert_eq!(received.announced(), Some(len as u64));
            assert!(received.read_all(len).await.unwrap() == body, "{len} bytes");
        }

        let body = pattern(1 << 20);
        let mut received = connection.send(&head("PUT", "/"), body.clone()).await.unwrap();
        assert_eq!(received.fields().get("x-method"), Some(&b"PUT"[..]));
        assert!(received.read_all(body.len()).await.unwrap() == body);
    });
    assert_eq!(server.counters.exchanges(), 6);
}

async fn connection_of<R: Dialling>(server: &Running) -> endwell::client::Connection {
    dial::<R>(server.address).await
}

fn a_hundred_requests_over_one_connection<R: Dialling>() {
    let server = echo::<R>();
    run::<R, _>(async {
        let mut connection = dial::<R>(server.address).await;
        for number in 0..100 {
            let body = format!("number {number}");
            let mut received = connection.send(&head("POST", "/"), body.clone()).await.unwrap();
            assert_eq!(received.read_all(100).await.unwrap(), body);
            connection = received.finish().await.expect("the connection, to be used again");
        }
    });
    assert_eq!((server.counters.accepted(), server.counters.exchanges()), (1, 100));
}

/// Chunked both ways, with trailers both ways.
fn pieces_and_trailers<R: Dialling>() {
    let server = start::<R, _, _>(|mut exchange: Exchange| async move {
        let mut len = 0;
        while let Some(piece) = exchange.read().await? {
            len += piece.len();
        }
        let sum = exchange.trailers().and_then(|fields| fields.get("x-sum").map(<[u8]>::to_vec));
        let (_, mut body) = exchange.start(StatusCode::OK, Framing::Chunked);
        body.write(len.to_string()).await?;
        let mut trailers = FieldSection::new();
        trailers.push(Field::new("x-sum", &sum.unwrap()).unwrap());
        body.finish_with(&trailers)
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let (mut body, response) = connection.request(&head("POST", "/").with_trailers(), Framing::Chunked);
        for piece in pattern(100_000).chunks(999) {
            body.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        let mut trailers = FieldSection::new();
        trailers.push(Field::new("x-sum", b"42").unwrap());
        body.finish_with(&trailers).unwrap();
        let mut received = response.await.unwrap();
        assert_eq!(received.announced(), None);
        assert_eq!(received.read_all(100).await.unwrap(), "100000");
        assert_eq!(received.trailers().unwrap().get("x-sum"), Some(&b"42"[..]));
        assert!(received.finish().await.is_some());
    });
}

/// HEAD, 204 and 304 have no content, whatever the head says; the connection is used again.
fn without_content<R: Dialling>() {
    let server = start::<R, _, _>(|exchange: Exchange| async move {
        let status = match exchange.path() {
            "/204" => StatusCode::NO_CONTENT,
            "/304" => StatusCode::NOT_MODIFIED,
            _ => StatusCode::OK,
        };
        exchange.respond(status, "twelve bytes")
    });
    run::<R, _>(async {
        let mut connection = dial::<R>(server.address).await;
        for (method, target, status, len) in
            [("HEAD", "/", 200, 0), ("GET", "/204", 204, 0), ("GET", "/304", 304, 0), ("GET", "/", 200, 12)]
        {
            let mut received = connection.send(&head(method, target), "").await.unwrap();
            assert_eq!(received.status().as_u16(), status);
            assert_eq!(received.read_all(12).await.unwrap().len(), len, "{method} {target}");
            connection = received.finish().await.unwrap();
        }
    });
    assert_eq!(server.counters.accepted(), 1);
}

/// The length that the content would have is not the length of what comes.
fn what_is_announced_without_content<R: Dialling>() {
    for (method, status, fields, announced) in [
        ("HEAD", 200, "content-length: 12", Some(12)),
        ("HEAD", 200, "transfer-encoding: chunked", None),
        ("HEAD", 404, "x: y", None),
        ("GET", 304, "content-length: 5", Some(5)),
        ("GET", 304, "x: y", None),
        ("GET", 204, "x: y", None),
        ("GET", 200, "content-length: 0", Some(0)),
    ] {
        let answer = format!("HTTP/1.1 {status} x\r\n{fields}\r\n\r\n");
        let server = once(move |mut client| {
            client.head();
            client.send(answer);
        });
        run::<R, _>(async {
            let connection = dial::<R>(server.address).await;
            let mut received = connection.send(&head(method, "/"), "").await.unwrap();
            assert_eq!(received.announced(), announced, "{method} {status} {fields}");
            assert_eq!(received.read_all(0).await.unwrap(), "", "{method} {status} {fields}");
        });
    }
}

/// What nobody reads is thrown away if that is little, and not one byte of it is taken for the next response.
fn a_body_that_is_not_read<R: Dialling>() {
    let server = start::<R, _, _>(|exchange: Exchange| async move {
        let len = exchange.path().strip_prefix('/').and_then(|len| len.parse().ok()).unwrap();
        exchange.respond(StatusCode::OK, vec![b'H'; len])
    });
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let received = connection.send(&get("/60000"), "").await.unwrap();
        let connection = received.finish().await.expect("60,000 bytes are worth reading");
        let mut received = connection.send(&get("/3"), "").await.unwrap();
        assert_eq!(received.read_all(3).await.unwrap(), "HHH");
        let connection = received.finish().await.unwrap();
        let received = connection.send(&get("/70000"), "").await.unwrap();
        assert!(received.finish().await.is_none(), "70,000 bytes are not");
    });
}

fn too_large_for_the_bound<R: Dialling>() {
    let server = echo::<R>();
    run::<R, _>(async {
        let connection = dial::<R>(server.address).await;
        let mut received = connection.send(&head("POST", "/"), "four").await.unwrap();
        let error = received.read_all(3).await.unwrap_err();
        assert!(matches!(error.ended.kind(), EndedKind::Limit(_)), "{error}");
    });
}

/// None of it comes before the client has failed.
fn a_body_that_is_announced_too_large_is_not_waited_for<R: Dialling>() {
    let gate = Gate::new();
    let rest = gate.clone();
    let server = start::<R, _, _>(move |exchange: Exchange| {
        let rest = rest.clone();
        async move {
            let begin = exchange.path().strip_prefix('/').unwrap_or_default().to_owned();
            let (_, mut body) = exchange.start(StatusCode::OK, Framing::Length(12));
            body.write(begin).await?;
            body.flush().await?;
            rest.pass().await;
            Err::<Answered, _>(body.abort())
        }
    });
    run::<R, _>(async {
        let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
        let error = received.read_all(11).await.unwrap_err();
        assert!(matches!(error.ended.kind(), EndedKind::Limit(_)), "{error}");
        assert_eq!((error.received, error.announced), (0, Some(12)));
        // What has been read already is no part of what is asked for.
        let mut received = dial::<R>(server.address).await.send(&get("/one"), "").await.unwrap();
        assert_eq!(received.read().await.unwrap().unwrap(), "one");
        let error = received.read_all(8).await.unwrap_err();
        assert!(matches!(error.ended.kind(), EndedKind::Limit(_)), "{error}");
        gate.open(2);
    });
}
