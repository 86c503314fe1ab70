//! Another protocol, RFC 9110 7.8.

use endwell_core::Limit;
use endwell_core::http::{Field, Method, Upgrade};
use endwell_core_tests::asking::{Ask, Asking, Note, Until, head};
use endwell_core_tests::hearing::{hear, refused};
use endwell_core_tests::io;

fn offer(protocol: &str) -> Ask {
    let head = head(Method::Options).with(Field::from_static("accept", "a"));
    Ask::Switch(Upgrade::new(head, protocol).unwrap())
}

const SENT: &str =
    "OPTIONS / HTTP/1.1\r\nhost: h\r\naccept: a\r\nconnection: upgrade\r\nupgrade: tool/2.0\r\n\r\n";

#[test]
fn a_101_for_what_was_offered_hands_the_connection_over() {
    for (fields, protocol) in [
        ("Connection: Upgrade~Upgrade: tool/2.0~", "tool/2.0"),
        ("Connection: x, UPGRADE~Upgrade: TOOL/2.0~Set-Cookie: a~", "tool/2.0"),
        ("Upgrade: , tool~Connection: upgrade~", "tool"),
        ("Connection: upgrade~Upgrade: tool~Content-Length: 5~", "tool"),
    ] {
        for interim in ["", "HTTP/1.1 103 x~Link: a~~HTTP/1.1 100 x~~"] {
            let response = format!("{interim}HTTP/1.1 101 x~{fields}~\\x16\\x03more");
            let hearing = hear(&offer(protocol), &response);
            assert_eq!(hearing.notes.last(), Some(&Note::Open(b"\x16\x03more".to_vec())), "{fields}");
            let granted = hearing.notes.iter().filter(|note| matches!(note, Note::Interim(101, _))).count();
            assert_eq!(granted, 1);
            assert!(protocol == "tool" || hearing.sent() == SENT, "{}", hearing.sent());
        }
    }
}

#[test]
fn a_101_for_anything_else_is_a_failure() {
    let (protocol, connection) =
        ("the protocol that was offered, and nothing else", "`upgrade` in Connection");
    for (version, fields, why) in [
        ("1.1", "Connection: upgrade~", protocol),
        ("1.1", "Connection: upgrade~Upgrade: tool/1.0~", protocol),
        ("1.1", "Connection: upgrade~Upgrade: tool~", protocol),
        ("1.1", "Connection: upgrade~Upgrade: tool/2.0, other~", protocol),
        ("1.1", "Connection: upgrade~Upgrade: tool/2.0~Upgrade: tool/2.0~", protocol),
        ("1.1", "Upgrade: tool/2.0~", connection),
        ("1.1", "Connection: close~Upgrade: tool/2.0~", connection),
        ("1.0", "Connection: upgrade~Upgrade: tool/2.0~", "HTTP/1.1 in a 101"),
    ] {
        refused(&hear(&offer("tool/2.0"), &format!("HTTP/{version} 101 x~{fields}~more")), why);
    }
    refused(&hear(&offer("tool/2.0"), ""), "before any byte");
}

/// A server that does not know the protocol answers the request, and the connection is that of HTTP.
#[test]
fn any_other_response_is_one() {
    for (status, fields, kept) in
        [(200, "", true), (426, "Upgrade: other~", true), (503, "Connection: close~", false)]
    {
        let hearing = hear(&offer("tool/2.0"), &format!("HTTP/1.1 {status} x~Content-Length: 2~{fields}~no"));
        assert_eq!((hearing.status(), hearing.kept), (Some(status), kept));
        assert_eq!(hearing.content(), Some((&b"no"[..], Until::End)));
    }
    // What the method asks for decides how it is read.
    let asks = Ask::Switch(Upgrade::new(head(Method::Head), "tool").unwrap());
    let hearing = hear(&asks, "HTTP/1.1 200 x~Content-Length: 5~~");
    assert_eq!((hearing.content(), hearing.kept), (Some((&b""[..], Until::End)), true));
    // RFC 9110 8.6: it has no content, and says so where content has a meaning.
    let mut asking = Asking::new(&[Ask::Switch(Upgrade::new(head(Method::Post), "tool").unwrap())]);
    let sent = String::from_utf8(asking.take(usize::MAX)).unwrap();
    assert!(sent.contains("\r\ncontent-length: 0\r\n"), "{sent}");
    // The next request goes over the same connection.
    let mut asking = Asking::new(&[offer("tool/2.0"), Ask::get()]);
    assert_eq!(asking.take(usize::MAX), SENT.as_bytes());
    asking.feed(b"HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(asking.take(usize::MAX), b"GET / HTTP/1.1\r\nhost: h\r\n\r\n");
}

/// The body goes out before the other protocol, also if the server switches before it has read all of it. RFC 9110 7.8.
#[test]
fn the_body_goes_out_before_the_other_protocol() {
    let limits = || endwell_core::http::HttpLimits::default().into();
    let client =
        endwell_core::http::client::ClientConnection::new(limits(), endwell_core::OutboxLimits::default());
    let mut handshake = client.switch(Upgrade::new(head(Method::Post), "tcp").unwrap(), "some text".into());
    io::feed(handshake.io(), b"HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: tcp\r\n\r\n");
    let endwell_core::http::client::Opening::Open(_, mut upgraded) = handshake.poll() else { panic!("open") };
    upgraded.write("more".into()).unwrap();
    let sent = String::from_utf8(io::written(upgraded.io())).unwrap();
    assert!(sent.contains("\r\ncontent-length: 9\r\n") && sent.ends_with("\r\n\r\nsome textmore"), "{sent}");
}

/// The time for the answer runs as that of any other; behind it, the other protocol has none.
#[test]
fn the_answer_must_come_in_time_and_then_no_time_runs() {
    let limits = || endwell_core::http::HttpLimits::default().into();
    let client =
        endwell_core::http::client::ClientConnection::new(limits(), endwell_core::OutboxLimits::default());
    let head = Upgrade::new(head(Method::Get), "tool").unwrap();
    let mut handshake = client.switch(head, bytes::Bytes::new());
    assert_eq!(io::waits(handshake.io(), 0), None, "it is not written");
    io::take(handshake.io(), usize::MAX);
    assert_eq!(io::waits(handshake.io(), 0).unwrap().reason, Limit::ResponseTime);
    io::feed(handshake.io(), b"HTTP/1.1 101 x\r\nconnection: upgrade\r\nupgrade: tool\r\n\r\nhi");
    let endwell_core::http::client::Opening::Open(_, mut upgraded) = handshake.poll() else { panic!("open") };
    assert_eq!(upgraded.received().unwrap().take(), b"hi"[..]);
    assert_eq!(io::waits(upgraded.io(), 1 << 40), None);
    upgraded.write("yo".into()).unwrap();
    assert_eq!(io::written(upgraded.io()), b"yo");
}
