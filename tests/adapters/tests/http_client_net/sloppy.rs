//! Responses of sloppy servers, read as every client reads them, or strictly.

use endwell::client::RequestError;
use endwell::http::{HttpLimits, Reading, StatusCode};
use endwell::{ClientConfig, Connector, EndedKind};

use crate::dialling::{Dialling, dial, dial_with, get, run};
use crate::proxy::{read, refused, through};
use crate::server::{Accepted, once, scripted};
use crate::support::on_every_runtime;

on_every_runtime!(taken, refused_strictly, kept_where_the_end_is_sure, an_answer_of_a_proxy);

const SLOPPY: [(&str, u16); 6] = [
    (
        "HTTP/1.1 200 OK\r\ncontent-security-policy: default-src a;\r\n  img-src *\r\ncontent-length: 5\r\n\r\nhello",
        200,
    ),
    ("HTTP/1.1 999 Request denied\r\ncontent-length: 5\r\n\r\nhello", 999),
    ("HTTP/1.1 200\ncontent-length: 5, 5\n\nhello", 200),
    ("HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5  \r\nhello\r\n0\r\n\r\n", 200),
    (
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        200,
    ),
    ("HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\n\r\nhello", 200),
];

fn strict() -> ClientConfig {
    let mut config = ClientConfig::default();
    config.http.reading = Reading::Strict;
    config
}

fn taken<R: Dialling>() {
    for (response, status) in SLOPPY {
        for send in [Accepted::send, Accepted::send_bytes] {
            let server = once(move |mut client| {
                client.head();
                send(&mut client, response);
            });
            run::<R, _>(async {
                let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
                assert_eq!(received.status().as_u16(), status, "{response}");
                assert_eq!(received.status().is_server_error(), status == 999);
                assert_eq!(received.read_all(5).await.unwrap(), "hello", "{response}");
                if let Some(policy) = received.fields().get_str("content-security-policy") {
                    assert_eq!(policy, "default-src a; img-src *");
                }
            });
        }
    }
}

fn refused_strictly<R: Dialling>() {
    for (response, _) in SLOPPY {
        let server = once(move |mut client| {
            client.head();
            client.send(response);
            client.until_left();
        });
        run::<R, _>(async {
            let sent = dial_with::<R>(server.address, &strict()).await.send(&get("/"), "");
            let Err(RequestError::Failed(ended)) = sent.await else { panic!("{response}") };
            let EndedKind::Protocol(violation) = ended.kind() else { panic!("{ended}") };
            assert!(violation.section().starts_with("RFC 91"), "{violation}");
        });
    }
}

/// Where two readers could differ in where a response ends, nothing behind it is another's.
fn kept_where_the_end_is_sure<R: Dialling>() {
    for (fields, kept) in [
        ("content-length: 5\r\ncontent-length: 5", true),
        ("content-length:\r\n 5", true),
        ("content-length: 5\r\nX: y\r\n z", true),
        ("content-length: 1\r\ntransfer-encoding: chunked", false),
        ("transfer-encoding: identity, chunked", false),
    ] {
        let server = once(move |mut client| {
            client.head();
            let body = if kept { "hello" } else { "5\r\nhello\r\n0\r\n\r\n" };
            client.send(format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n{body}"));
            if kept {
                client.head();
                client.send("HTTP/1.1 204\r\n\r\n");
            }
            client.until_left();
        });
        run::<R, _>(async {
            let mut received = dial::<R>(server.address).await.send(&get("/"), "").await.unwrap();
            assert_eq!(received.read_all(5).await.unwrap(), "hello", "{fields}");
            let connection = received.finish().await;
            assert_eq!(connection.is_some(), kept, "{fields}");
            let Some(connection) = connection else { return };
            assert_eq!(connection.send(&get("/"), "").await.unwrap().status(), StatusCode::NO_CONTENT);
        });
    }
}

fn an_answer_of_a_proxy<R: Dialling>() {
    let answer: fn(Accepted) = |mut client| {
        client.head();
        client.send("HTTP/1.1 200\r\nvia: a,\r\n\tb\nlast:\n\nhello");
        client.until_left();
    };
    let proxy = scripted([answer, answer]);
    run::<R, _>(async {
        let origin = endwell::client::Origin::http("a.example", 80);
        let connector = through::<R>("http", "", proxy.address);
        let (mut transport, _) = connector.connect(&origin).await.unwrap();
        assert_eq!(read(&mut transport, 5).await, b"hello");
        drop(transport);
        let mut limits = HttpLimits::default();
        limits.reading = Reading::Strict;
        let (_, text) = refused(&connector.limits(limits), &origin, proxy.address).await;
        assert!(text.contains("three digits between two spaces"), "{text}");
    });
}
