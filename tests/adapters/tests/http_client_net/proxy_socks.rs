//! SOCKS proxies.

use std::io::ErrorKind;

use endwell::client::proxy::{Denied, ProxyError, Reason};
use endwell::client::{Connection, Origin};
use endwell::{ClientConfig, Connector};

use crate::dialling::{Dialling, get, run};
use crate::proxy::{read, refused, through};
use crate::server::{Accepted, once};
use crate::support::on_every_runtime;

on_every_runtime!(
    a_request_through_it,
    with_credentials,
    names_and_addresses,
    an_answer_in_pieces_and_bytes_behind_it,
    credentials_that_are_not_accepted,
    replies,
    answers_that_are_none,
    a_name_that_is_too_long
);

const NO_METHOD: &[u8] = b"\x05\x00";
const BOUND: &[u8] = b"\x05\x00\x00\x01\0\0\0\0\0\0";

/// Offers nothing but no authentication, and asks for `a.example:80`.
fn asked(client: &mut Accepted) {
    assert_eq!(client.read(3), b"\x05\x01\x00");
    client.send(NO_METHOD);
    assert_eq!(client.read(16), b"\x05\x01\x00\x03\x09a.example\x00\x50");
}

fn origin() -> Origin {
    Origin::http("a.example", 80)
}

fn a_request_through_it<R: Dialling>() {
    let proxy = once(|mut client| {
        asked(&mut client);
        client.send(BOUND);
        assert_eq!(client.head(), "GET /x HTTP/1.1\r\nhost: a\r\n\r\n");
        client.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        client.assert_left();
    });
    run::<R, _>(async {
        let connector = through::<R>("socks5h", "", proxy.address);
        let connection = Connection::connect(&connector, &origin(), &ClientConfig::default()).await.unwrap();
        let mut received = connection.send(&get("/x"), "").await.unwrap();
        assert_eq!(received.read_all(5).await.unwrap(), "hello");
    });
}

fn with_credentials<R: Dialling>() {
    let proxy = once(|mut client| {
        assert_eq!(client.read(4), b"\x05\x02\x00\x02");
        client.send_bytes(b"\x05\x02");
        assert_eq!(client.read(15), b"\x01\x04user\x08hunter:2");
        client.send_bytes(b"\x01\x00");
        client.read(16);
        client.send_bytes(BOUND);
        client.assert_left();
    });
    run::<R, _>(async {
        let connector = through::<R>("socks5", "user:hunter%3a2@", proxy.address);
        connector.connect(&origin()).await.unwrap();
    });
}

fn names_and_addresses<R: Dialling>() {
    for (host, expected) in [
        ("b", &b"\x03\x01b"[..]),
        ("127.0.0.9", b"\x01\x7f\0\0\x09"),
        ("::2", b"\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02"),
    ] {
        let proxy = once(move |mut client| {
            client.read(3);
            client.send(NO_METHOD);
            assert_eq!(client.read(3), b"\x05\x01\x00");
            assert_eq!(client.read(expected.len()), expected);
            assert_eq!(client.read(2), b"\x01\xbb");
            client.send(BOUND);
            client.assert_left();
        });
        run::<R, _>(async {
            let connector = through::<R>("socks5", "", proxy.address);
            connector.connect(&Origin::http(host, 443)).await.unwrap();
        });
    }
}

fn an_answer_in_pieces_and_bytes_behind_it<R: Dialling>() {
    for send in [Accepted::send, Accepted::send_bytes] {
        for bound in [
            &b"\x05\x00\x00\x01\0\0\0\0\0\0hello"[..],
            b"\x05\x00\x00\x03\x03abc\0\0hello",
            b"\x05\x00\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0hello",
        ] {
            let proxy = once(move |mut client| {
                asked(&mut client);
                send(&mut client, bound);
                send(&mut client, b", world");
                client.assert_left();
            });
            run::<R, _>(async {
                let connector = through::<R>("socks5", "", proxy.address);
                let (mut transport, _) = connector.connect(&origin()).await.unwrap();
                assert_eq!(read(&mut transport, 12).await, b"hello, world");
            });
        }
    }
}

fn credentials_that_are_not_accepted<R: Dialling>() {
    for (credentials, answers, expected) in [
        ("user:hunter2@", [&b"\x05\x02"[..], b"\x01\x01"], "does not accept the"),
        ("user:hunter2@", [b"\x05\xff", b""], "does not accept the"),
        ("", [b"\x05\xff", b""], "wants"),
        ("", [b"\x05\x02", b""], "wants"),
    ] {
        let proxy = once(move |mut client| {
            for answer in answers.into_iter().filter(|answer| !answer.is_empty()) {
                let _ = std::io::Read::read(&mut client.0, &mut [0; 100]).unwrap();
                client.send(answer);
            }
            client.assert_left();
        });
        run::<R, _>(async {
            let connector = through::<R>("socks5", credentials, proxy.address);
            let (error, text) = refused(&connector, &origin(), proxy.address).await;
            let expected =
                format!("the proxy socks5://PROXY {expected} credentials for a tunnel to a.example:80");
            assert_eq!((error.kind(), text), (ErrorKind::PermissionDenied, expected));
            let inner: &ProxyError = error.get_ref().unwrap().downcast_ref().unwrap();
            assert!(inner.wants_credentials() && inner.head().is_none());
        });
    }
}

fn replies<R: Dialling>() {
    for (number, denied, kind) in [
        (1, Denied::Failure, ErrorKind::Other),
        (2, Denied::NotAllowed, ErrorKind::PermissionDenied),
        (3, Denied::NetworkUnreachable, ErrorKind::NetworkUnreachable),
        (4, Denied::HostUnreachable, ErrorKind::HostUnreachable),
        (5, Denied::ConnectionRefused, ErrorKind::ConnectionRefused),
        (6, Denied::TtlExpired, ErrorKind::TimedOut),
        (7, Denied::CommandNotSupported, ErrorKind::Unsupported),
        (8, Denied::AddressTypeNotSupported, ErrorKind::Unsupported),
    ] {
        let proxy = once(move |mut client| {
            asked(&mut client);
            client.send([5, number, 0, 1, 0, 0, 0, 0, 0, 0]);
            client.until_left();
        });
        run::<R, _>(async {
            let connector = through::<R>("socks5", "", proxy.address);
            let (error, text) = refused(&connector, &origin(), proxy.address).await;
            let inner: &ProxyError = error.get_ref().unwrap().downcast_ref().unwrap();
            assert!(matches!(inner.reason, Reason::Denied(found) if found == denied), "{text}");
            assert_eq!(error.kind(), kind, "{text}");
            assert!(
                text.starts_with("the proxy socks5://PROXY made no connection to a.example:80: "),
                "{text}"
            );
            assert!(text.ends_with(&format!(" (SOCKS reply {number})")), "{text}");
        });
    }
}

fn answers_that_are_none<R: Dialling>() {
    for (answer, expected) in [
        (&b""[..], "the proxy socks5://PROXY closed the connection before it answered for a.example:80"),
        (b"\x05", "the proxy socks5://PROXY closed the connection before it answered for a.example:80"),
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            "the proxy socks5://PROXY broke the protocol: expected version 5",
        ),
        (b"\x05\x01", "the proxy socks5://PROXY broke the protocol: expected a method"),
        (b"\x05\x00\x05\x00\x00\x01\0\0", "the proxy socks5://PROXY closed the connection before"),
        (
            b"\x05\x00\x04\x00\x00\x01\0\0\0\0\0\0",
            "the proxy socks5://PROXY broke the protocol: expected version",
        ),
        (
            b"\x05\x00\x05\x09\x00\x01\0\0\0\0\0\0",
            "the proxy socks5://PROXY broke the protocol: expected a method",
        ),
        (
            b"\x05\x00\x05\x00\x01\x01\0\0\0\0\0\0",
            "the proxy socks5://PROXY broke the protocol: expected a reserved",
        ),
        (
            b"\x05\x00\x05\x00\x00\x02\0\0\0\0\0\0",
            "the proxy socks5://PROXY broke the protocol: expected an address",
        ),
        (
            b"\x05\x00\x05\x00\x00\x03\x01\xff\0\0",
            "the proxy socks5://PROXY broke the protocol: expected an address",
        ),
    ] {
        let proxy = once(move |mut client| {
            client.read(3);
            client.send_last(answer);
            client.until_left();
        });
        run::<R, _>(async {
            let connector = through::<R>("socks5", "", proxy.address);
            let (_, text) = refused(&connector, &origin(), proxy.address).await;
            assert!(text.starts_with(expected), "{text}");
        });
    }
}

fn a_name_that_is_too_long<R: Dialling>() {
    let proxy = once(|mut client| client.assert_left());
    run::<R, _>(async {
        let connector = through::<R>("socks5", "", proxy.address);
        let origin = Origin::http(&"x".repeat(256), 80);
        let (error, _) = refused(&connector, &origin, proxy.address).await;
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}
