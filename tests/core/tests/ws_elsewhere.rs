//! Handshakes on requests that another library received: over HTTP/1.1, and over HTTP/2 (RFC 8441).
#![allow(
    clippy::unwrap_used,
    clippy::std_instead_of_core,
    clippy::wildcard_enum_match_arm,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use endwell_core::OutboxLimits;
use endwell_core::http::{FieldSection, Method, RequestHead, Version};
use endwell_core::ws::{Acceptance, Deflate, NotAHandshake, Origins, Socket, SocketLimits};
use endwell_core_tests::io::{feed, written};
use http::Request;
use ws_help::{masked, receive, text};

const KEY: (&str, &str) = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
const VERSION: (&str, &str) = ("Sec-WebSocket-Version", "13");

fn head(fields: &[(&str, &str)]) -> RequestHead {
    let fields = fields.iter().map(|(name, value)| (*name, value.as_bytes()));
    RequestHead::from_parts(Method::Get, "/chat", Version::Http11, fields).unwrap()
}

fn acceptance() -> Acceptance {
    Acceptance::new(SocketLimits::default().into())
}

fn lines(fields: &FieldSection) -> String {
    String::from_utf8(fields.as_bytes().to_vec()).unwrap()
}

fn speaks(mut socket: Socket) {
    assert_eq!(written(socket.io()), b"", "the other library sends the head");
    feed(socket.io(), &masked(0x81, b"first"));
    assert_eq!(receive(&mut socket), [text("first")]);
}

#[test]
fn over_http_1() {
    let request = head(&[("Host", "a"), ("Connection", "upgrade"), ("Upgrade", "websocket"), KEY, VERSION]);
    let (fields, socket) = acceptance().accept_upgrade(&request, OutboxLimits::default()).unwrap();
    let expected = "connection: upgrade\r\nupgrade: websocket\r\n\
                    sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    assert_eq!(lines(&fields), expected);
    speaks(socket);
}

fn stream(fields: &[(&str, &str)], acceptance: Acceptance) -> Result<(String, Socket), NotAHandshake> {
    let accepted = acceptance.accept_connect("websocket", &head(fields), OutboxLimits::default());
    accepted.map(|(fields, socket)| (lines(&fields), socket))
}

/// RFC 8441 5: no key and no answer, no Upgrade and no Connection. Everything else is as over HTTP/1.1.
#[test]
fn over_http_2() {
    let (fields, socket) = stream(&[("host", "a"), VERSION], acceptance()).unwrap();
    assert_eq!(fields, "");
    speaks(socket);
    let offers = [
        ("host", "a"),
        ("origin", "https://a"),
        VERSION,
        ("sec-websocket-protocol", "v1, v2"),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    let more = FieldSection::new().with(endwell_core::http::Field::from_static("x", "y"));
    let terms =
        acceptance().subprotocols(["v3", "v2"]).deflate(Some(Deflate::without_context().into())).fields(more);
    let (fields, socket) = stream(&offers, terms).unwrap();
    let deflate = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(
        fields,
        format!("sec-websocket-protocol: v2\r\nsec-websocket-extensions: {deflate}\r\nx: y\r\n")
    );
    assert_eq!(socket.subprotocol(), Some("v2"));
}

#[test]
fn what_is_refused_over_http_2() {
    let refused = |fields: &[(&str, &str)]| stream(fields, acceptance()).err();
    assert_eq!(refused(&[("host", "a")]), Some(NotAHandshake::Version));
    assert_eq!(refused(&[("host", "a"), VERSION, VERSION]), Some(NotAHandshake::Version));
    assert_eq!(refused(&[("host", "a"), VERSION, ("origin", "https://b")]), Some(NotAHandshake::Origin));
    assert_eq!(refused(&[VERSION, ("origin", "https://b")]), Some(NotAHandshake::Origin));
    let malformed = [("host", "a"), VERSION, ("sec-websocket-protocol", "a b")];
    assert_eq!(refused(&malformed), Some(NotAHandshake::Subprotocols));
    let other = acceptance().accept_connect("connect-udp", &head(&[VERSION]), OutboxLimits::default());
    assert_eq!(other.err(), Some(NotAHandshake::Protocol));
}

/// RFC 9113 8.2.2 and 8.6: HTTP/2 has no Upgrade, so a refusal over it cannot be 426.
#[test]
fn the_heads_of_refusals_over_http_2() {
    for (reason, status, version) in [
        (NotAHandshake::NotAsked, 400, false),
        (NotAHandshake::Version, 400, true),
        (NotAHandshake::Protocol, 501, false),
        (NotAHandshake::Origin, 403, false),
    ] {
        let head = reason.head_of_stream();
        assert_eq!(head.status().as_u16(), status);
        assert_eq!(head.fields().get("sec-websocket-version").is_some(), version);
        let head = http::Response::try_from(&head).unwrap();
        assert!(!head.headers().contains_key("upgrade") && !head.headers().contains_key("connection"));
    }
}

/// The server's order decides, and the client may go on without one. RFC 6455 4.2.2.
#[test]
fn the_first_supported_subprotocol_that_is_offered() {
    for (offered, chosen) in
        [("v1, v2", Some("v2")), ("v1", Some("v1")), ("V2", None), ("v3", None), ("v", None)]
    {
        let terms = acceptance().subprotocols(["v2", "v1"]);
        let (fields, socket) = stream(&[VERSION, ("sec-websocket-protocol", offered)], terms).unwrap();
        assert_eq!(socket.subprotocol(), chosen, "{offered}");
        assert_eq!(!fields.is_empty(), chosen.is_some(), "{offered}");
    }
    let (_, socket) = stream(&[VERSION], acceptance().subprotocols(["v2"])).unwrap();
    assert_eq!(socket.subprotocol(), None);
}

/// The `http` crate's head, as hyper hands it over: of HTTP/1.1, of HTTP/2, and an extended CONNECT.
#[test]
fn heads_of_the_http_crate() {
    for (method, uri, host, expected) in [
        ("GET", "/a?b", Some("h"), ("GET", "/a?b", Some("h"))),
        ("POST", "https://h:8/a", None, ("POST", "/a", Some("h:8"))),
        ("GET", "https://h", Some("other"), ("GET", "/", Some("other"))),
        ("OPTIONS", "*", Some("h"), ("OPTIONS", "*", Some("h"))),
        ("CONNECT", "h:80", None, ("CONNECT", "h:80", Some("h:80"))),
        ("CONNECT", "https://h/chat?x", None, ("GET", "/chat?x", Some("h"))),
    ] {
        let mut request = Request::builder().method(method).uri(uri).header("origin", "http://h");
        if let Some(host) = host {
            request = request.header("host", host);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let head = RequestHead::try_from(&parts).unwrap();
        assert_eq!((head.method().as_str(), head.target_str(), head.authority()), expected, "{method} {uri}");
    }
    let parts = Request::get("/").header("host", "a").header("host", "b").body(()).unwrap().into_parts().0;
    assert!(RequestHead::try_from(&parts).is_err(), "two hosts");
    let parts = Request::get("https://a/").header("origin", "https://b").body(()).unwrap().into_parts().0;
    assert!(!Origins::Same.allow(&RequestHead::try_from(&parts).unwrap()));
}
