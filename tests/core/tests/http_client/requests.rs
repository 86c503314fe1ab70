//! What a client writes: RFC 9112 3 and 6, RFC 9110 10.1.

use endwell_core::OutboxLimits;
use endwell_core::http::{Field, FieldSection, Framing, Method, Request};
use endwell_core_tests::asking::{Ask, Asking, Note, Pieces, head};
use endwell_core_tests::hearing::hear;
use endwell_core_tests::plan::Plan;
use endwell_core_tests::verdict;

const DONE: &str = "HTTP/1.1 200 OK~Content-Length: 0~~";

#[test]
fn each_form_of_content_is_announced() {
    let chunked = Pieces::new(Framing::Chunked, &[b"hello", b"", b"0123456789abcdef"]);
    let trailers = FieldSection::new().with(Field::from_static("sum", "5"));
    let with_trailers = Pieces { trailers, ..chunked.clone() };
    let known = Pieces::new(Framing::Length(5), &[b"he", b"llo"]);
    let none = Pieces::new(Framing::Length(0), &[]);
    for (ask, sent) in [
        (Ask::with(Method::Get), "GET / HTTP/1.1~host: h~~"),
        (Ask::with(Method::Delete), "DELETE / HTTP/1.1~host: h~~"),
        (Ask::with(Method::Post), "POST / HTTP/1.1~host: h~content-length: 0~~"),
        (Ask::with(Method::Extension("PURGE")), "PURGE / HTTP/1.1~host: h~~"),
        (Ask::Pieces(head(Method::Put), none), "PUT / HTTP/1.1~host: h~content-length: 0~~"),
        (
            Ask::Whole(head(Method::Post), b"hello".to_vec()),
            "POST / HTTP/1.1~host: h~content-length: 5~~hello",
        ),
        (Ask::Whole(head(Method::Get), b"hello".to_vec()), "GET / HTTP/1.1~host: h~content-length: 5~~hello"),
        (Ask::Pieces(head(Method::Put), known), "PUT / HTTP/1.1~host: h~content-length: 5~~hello"),
        (
            Ask::Pieces(head(Method::Patch), chunked),
            "PATCH / HTTP/1.1~host: h~transfer-encoding: chunked~~5~hello~10~0123456789abcdef~0~~",
        ),
        (
            Ask::Pieces(head(Method::Post), with_trailers),
            "POST / HTTP/1.1~host: h~transfer-encoding: chunked~~5~hello~10~0123456789abcdef~0~sum: 5~~",
        ),
    ] {
        let hearing = hear(&ask, DONE);
        assert_eq!(hearing.sent(), sent.replace('~', "\r\n"));
        assert!(hearing.kept, "{sent}");
        // Our server, which is strict, takes it.
        let verdict = verdict::echo(sent.replace('~', "\r\n"));
        assert_eq!((verdict.refused(), verdict.requests().len()), (None, 1), "{sent}");
    }
}

#[test]
fn what_manages_the_connection_stands_in_connection() {
    let get = || head(Method::Get);
    let field = Field::from_static("x", "y");
    for (head, sent, kept) in [
        (get().last(), "connection: close~", false),
        (get().with_trailers(), "connection: te~te: trailers~", true),
        (get().last().with_trailers(), "connection: close, te~te: trailers~", false),
        (get().with(field).with(field), "x: y~x: y~", true),
    ] {
        let hearing = hear(&Ask::Whole(head, vec![]), DONE);
        let expected = format!("GET / HTTP/1.1~host: h~{sent}~").replace('~', "\r\n");
        assert_eq!((hearing.sent(), hearing.kept), (expected.as_str(), kept));
    }
}

#[test]
fn the_other_forms_of_a_target() {
    let options = Request::new(Method::Options, "a.b:81", "*").unwrap();
    assert_eq!(hear(&Ask::Whole(options, vec![]), DONE).sent(), "OPTIONS * HTTP/1.1\r\nhost: a.b:81\r\n\r\n");
    let proxied = Request::new(Method::Get, "[::1]:81", "http://[::1]:81/a?b").unwrap();
    let sent = "GET http://[::1]:81/a?b HTTP/1.1\r\nhost: [::1]:81\r\n\r\n";
    assert_eq!(hear(&Ask::Whole(proxied, vec![]), DONE).sent(), sent);
}

/// The response may come before the request is done, and the request goes on.
#[test]
fn full_duplex() {
    let outbox = OutboxLimits { bytes: 100, ..OutboxLimits::default() };
    let pieces = Pieces::new(Framing::Length(100), &[&[b'a'; 50], &[b'b'; 50]]);
    let asks = [Ask::Pieces(head(Method::Post), pieces), Ask::get()];
    let mut asking = Asking::with(endwell_core::http::HttpLimits::default(), outbox, &asks);
    asking.feed(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhel");
    assert!(matches!(asking.notes().last(), Some(Note::Head(200, ..))));
    asking.feed(b"lo");
    assert!(matches!(asking.notes().last(), Some(Note::Content(..))));
    // The next request waits for the end of this one.
    let mut sent = asking.take(100);
    assert!(sent.starts_with(b"POST / ") && asking.notes().len() == 4, "{:?}", asking.notes());
    assert_eq!(asking.notes().last(), Some(&Note::Asked));
    while let taken @ [_, ..] = &asking.take(100)[..] {
        sent.extend(taken);
    }
    let verdict = verdict::with(sent, |_| Plan::echo());
    assert_eq!(verdict.contents(), [&[[b'a'; 50], [b'b'; 50]].concat()[..], b""]);
}

/// An error that comes while the body is still being sent: it is heard, and the connection is not used again.
#[test]
fn early_errors() {
    let outbox = OutboxLimits { bytes: 100, ..OutboxLimits::default() };
    for (fields, goes_on) in [("", true), ("connection: close\r\n", false)] {
        let pieces = Pieces::new(Framing::Length(100), &[&[b'a'; 50], &[b'b'; 50]]);
        let ask = Ask::Pieces(head(Method::Post), pieces);
        let mut asking = Asking::with(endwell_core::http::HttpLimits::default(), outbox, &[ask]);
        let head = format!("HTTP/1.1 413 Content Too Large\r\ncontent-length: 2\r\n{fields}\r\nno");
        asking.feed(head.as_bytes());
        assert!(matches!(asking.notes(), [Note::Asked, Note::Head(413, ..), Note::Content(..)]));
        assert_eq!(asking.is_over(), !goes_on, "{fields}");
        while !asking.take(100).is_empty() {}
        assert_eq!((asking.is_kept(), asking.is_over()), (goes_on, !goes_on));
    }
}

/// Less than was announced, or more: cut off, and the connection is not used again.
#[test]
fn a_body_that_is_not_what_was_announced() {
    for pieces in [&[&b"hel"[..]][..], &[], &[b"hello", b"!"], &[b"hello!"]] {
        let ask = Ask::Pieces(head(Method::Post), Pieces::new(Framing::Length(5), pieces));
        let hearing = hear(&ask, DONE);
        assert_eq!((hearing.status(), hearing.kept), (Some(200), false), "{pieces:?}");
        assert!(hearing.output.len() <= "POST / HTTP/1.1~~host: h~~content-length: 5~~~~hello".len());
    }
}
