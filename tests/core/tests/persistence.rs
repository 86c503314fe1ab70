//! Whether the connection stays, RFC 9112 9.3 and 9.6, and pipelining, RFC 9112 9.3.2.

use endwell_core::http::{Framing, HttpLimits};
use endwell_core_tests::client::{self, Asked};
use endwell_core_tests::connection::Connection;
use endwell_core_tests::cutter;
use endwell_core_tests::plan::Plan;
use endwell_core_tests::record::{End, Record};
use endwell_core_tests::verdict::{echo, with, within};

#[test]
fn the_version_and_the_connection_options_decide() {
    let kept = |head: &str, expected: bool| {
        let asked = if head.contains("1.0") { Asked::OLD } else { Asked::GET };
        let verdict = echo(format!("{head}\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"));
        let heard = verdict.heard(&[asked]);
        assert_eq!(heard.responses.len(), if expected { 2 } else { 1 }, "{head}");
        assert_eq!(heard.announced_close(), !expected, "{head}");
        assert_eq!(verdict.end(), if expected { &End::ByPeer } else { &End::Lingered }, "{head}");
        heard.responses[0].field("connection").map(str::to_owned)
    };
    for (fields, expected) in [
        ("", true),
        ("\r\nConnection: keep-alive", true),
        ("\r\nConnection: close", false),
        ("\r\nConnection: CLOSE", false),
        ("\r\nconnection: x, Close ,y", false),
        ("\r\nConnection: keep-alive, close", false),
        ("\r\nConnection: x\r\nConnection: ,close", false),
        ("\r\nConnection: closed, enclose", true),
        ("\r\nConnection: \"close\"", true),
    ] {
        kept(&format!("GET / HTTP/1.1\r\nHost: h{fields}"), expected);
    }
    for (fields, expected) in [
        ("", false),
        ("\r\nConnection: x", false),
        ("\r\nConnection: close", false),
        ("\r\nConnection: close, keep-alive", false),
        ("\r\nConnection: keep-alive, close", false),
        ("\r\nConnection: Keep-Alive", true),
        ("\r\nConnection: x,\tKEEP-ALIVE ", true),
    ] {
        let said = kept(&format!("GET / HTTP/1.0\r\nHost: h{fields}"), expected);
        assert_eq!(said.as_deref(), Some(if expected { "keep-alive" } else { "close" }), "{fields}");
    }
}

#[test]
fn the_application_can_make_a_response_the_last() {
    let verdict = with("GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n", |_| Plan {
        closes: true,
        ..Plan::echo()
    });
    assert_eq!((verdict.requests().len(), verdict.heard(&[]).announced_close()), (1, true));
}

/// As many responses as requests, in order, and no request becomes the content of another.
#[test]
fn a_hundred_requests_in_one_segment_are_a_hundred_answers() {
    for count in [2, 10, 100] {
        let requests = (0..count).map(|i| format!("GET /{i} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let input = requests.collect::<Vec<_>>().concat();
        for pieces in [vec![input.as_bytes()], cutter::byte_by_byte(input.as_bytes())] {
            let mut connection = Connection::new(|request| Plan::full(200, request.path().as_bytes()));
            let output: Vec<u8> = pieces.iter().flat_map(|piece| connection.feed_all(piece)).collect();
            let heard = client::read(&output, &[]).unwrap();
            let paths: Vec<_> = heard.responses.iter().map(|response| &response.content[..]).collect();
            let expected: Vec<_> = (0..count).map(|i| format!("/{i}").into_bytes()).collect();
            assert_eq!(paths, expected);
            let empty = connection.records().iter().filter(|record| **record == Record::Content(vec![]));
            assert_eq!(empty.count(), count);
            connection.end();
            assert_eq!(connection.ended(), Some(&End::ByPeer));
        }
    }
    let two = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
    assert_eq!(echo(two.repeat(2)).contents(), [&b"1\n"[..], b"", b"1\n", b""]);
}

#[test]
fn an_unread_body_is_drained_within_the_bound_and_otherwise_the_close_is_announced() {
    let drain = usize::try_from(HttpLimits::default().drain_bytes).unwrap();
    for (length, kept) in [(1, true), (drain, true), (drain + 1, false)] {
        let mut connection = Connection::new(|_| Plan::full(200, b"early").unread());
        let head = format!("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        let mut output = connection.feed_all(head.as_bytes());
        assert_eq!(client::read(&output, &[]).unwrap().announced_close(), !kept, "{length}");
        output.extend(connection.feed_all(&vec![b'G'; length]));
        output.extend(connection.feed_all(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
        let responses = client::read(&output, &[]).unwrap().responses;
        assert_eq!(responses.len(), if kept { 2 } else { 1 }, "{length}");
        assert!(responses.iter().all(|response| response.whole && response.content == b"early"));
        assert_eq!(connection.is_lingering(), !kept);
    }
}

/// How much is left of chunks is not known. What has arrived is.
#[test]
fn an_unread_body_in_chunks_costs_the_connection_unless_it_has_arrived_whole() {
    let post = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    let next = "GET /next HTTP/1.1\r\nHost: h\r\n\r\n";
    for body in
        ["0\r\n\r\n", "1\r\nx\r\n0\r\n\r\n", "2;a=\"b\"\r\nGE\r\n1\r\nT\r\n00\r\nsum: 1\r\nx: y\r\n\r\n"]
    {
        for arrived in 0..=body.len() {
            let mut connection = Connection::new(|_| Plan::full(200, b"early").unread());
            let (before, behind) = body.split_at(arrived);
            let mut output = connection.feed_all(format!("{post}{before}").as_bytes());
            let kept = arrived == body.len();
            assert_eq!(client::read(&output, &[]).unwrap().announced_close(), !kept, "{body:?} {arrived}");
            output.extend(connection.feed_all(format!("{behind}{next}").as_bytes()));
            let heard = client::read(&output, &[]).unwrap();
            assert_eq!(heard.responses.len(), if kept { 2 } else { 1 }, "{body:?} {arrived}");
            assert_eq!(connection.is_lingering(), !kept);
        }
        // The next request in the segment of the body.
        let mut connection = Connection::new(|_| Plan::full(200, b"early").unread());
        let output = connection.feed_all(format!("{post}{body}{next}").as_bytes());
        assert_eq!(client::read(&output, &[]).unwrap().responses.len(), 2, "{body:?}");
    }
    // What has arrived breaks the protocol, or a limit.
    for body in ["1\r\nxx", "g\r\n", "ffffffffff\r\n", "0\r\n x: y\r\n\r\n"] {
        let mut connection = Connection::new(|_| Plan::full(200, b"early").unread());
        let output = connection.feed_all(format!("{post}{body}").as_bytes());
        let heard = client::read(&output, &[]).unwrap();
        assert!(heard.statuses() == [200] && heard.announced_close(), "{body:?}");
    }
}

/// A chunk of nothing but one byte costs six: what is read counts, and not what it means.
#[test]
fn behind_a_started_response_no_more_is_read_than_is_worth_it() {
    let mut limits = HttpLimits::default();
    limits.drain_bytes = 100;
    let chunked = |rest: usize| {
        let chunks = "1\r\nx\r\n".repeat((rest - 5) / 6);
        (
            "Transfer-Encoding: chunked".to_owned(),
            format!("{chunks}{}\r\n\r\n", "0".repeat(rest - 4 - chunks.len())),
        )
    };
    let known = |rest: usize| (format!("Content-Length: {rest}"), "x".repeat(rest));
    for (framing, kept) in
        [(chunked(100), true), (chunked(101), false), (known(100), true), (known(101), false)]
    {
        let (field, body) = framing;
        let input =
            format!("POST / HTTP/1.1\r\nHost: h\r\n{field}\r\n\r\n{body}GET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
        let verdict =
            within(&limits, input.as_bytes(), |_| Plan::pieces(Framing::Length(5), &[b"early"]).unread());
        assert_eq!(verdict.requests().len(), if kept { 2 } else { 1 }, "{field} {kept}");
        assert_eq!(verdict.end(), if kept { &End::ByPeer } else { &End::Lingered }, "{field}");
        assert!(!verdict.heard(&[]).announced_close());
    }
}

/// An endless body does not hold a connection whose response is whole.
#[test]
fn behind_a_started_response_an_endless_body_ends_the_connection() {
    let mut connection = Connection::new(|_| Plan::pieces(Framing::Length(5), &[b"early"]).unread());
    connection.feed_all(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    let chunk = [b"400\r\n", &[b'x'; 0x400][..], b"\r\n"].concat();
    let fed = (0..1000)
        .take_while(|_| {
            connection.feed_all(&chunk);
            !connection.is_lingering()
        })
        .count();
    assert_eq!(fed, 63, "chunks of 1,031 bytes in 64 KiB");
}

#[test]
fn what_is_drained_must_be_what_was_announced() {
    let started = |_: &_| Plan::pieces(Framing::Length(5), &[b"early"]).unread();
    let head = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (body, end) in
        [("1\r\nx\r\n0\r\na: b\r\n\r\n", End::ByPeer), ("1\r\nxx", End::Lingered), ("1\r\n", End::Lingered)]
    {
        let verdict = with(format!("{head}{body}"), started);
        assert_eq!((verdict.end(), verdict.heard(&[]).statuses()), (&end, vec![200]), "{body:?}");
        assert_eq!(verdict.records.contains(&Record::DrainFailed), end == End::Lingered, "{body:?}");
    }
}

#[test]
fn a_peer_that_leaves_between_requests_ends_it_and_within_a_head_it_is_told() {
    for input in ["", "\r\n"] {
        assert_eq!(echo(input).records, [Record::Ended(End::ByPeer)], "{input:?}");
    }
    for input in ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: h\r\n", "\r\nG"] {
        let verdict = echo(input);
        let (status, why) = verdict.refused().unwrap();
        assert!(status == 400 && why.contains("a whole head"), "{input:?}");
        assert!(verdict.heard(&[]).announced_close());
    }
}

/// RFC 9112 9.8: between two messages nothing can be missing.
#[test]
fn a_stream_that_is_cut_ends_in_order_only_between_requests() {
    use bytes::Bytes;
    use endwell_core::http::client::{CallEvent, ClientConnection};
    use endwell_core::http::server::{Next, ServerConnection};
    use endwell_core::http::{HttpLimits, Method, Request};
    use endwell_core::{OutboxLimits, Outcome};
    use endwell_core_tests::io::{cut, feed};

    let limits = std::sync::Arc::new(HttpLimits::default());
    let is_by_peer = |bytes: &[u8]| {
        let mut server = ServerConnection::new(std::sync::Arc::clone(&limits), OutboxLimits::default());
        feed(server.io(), bytes);
        cut(server.io());
        match server.poll() {
            Next::Closing(closing) if *closing.ended() == Outcome::ByPeer => true,
            Next::Wait(_) => false,
            other @ (Next::Request(..) | Next::Refused(_) | Next::Closing(_)) => panic!("{other:?}"),
        }
    };
    assert!(is_by_peer(b"") && is_by_peer(b"\r\n"));
    assert!(!is_by_peer(b"G") && !is_by_peer(b"GET / HTTP/1.1\r\nHost: a\r\n"));

    let idle = || ClientConnection::new(std::sync::Arc::clone(&limits), OutboxLimits::default());
    let mut client = idle();
    cut(client.io());
    assert_eq!(client.poll().unwrap_err(), Outcome::ByPeer);

    // RFC 9110 15.5.9: it says first that it closes. Nothing else may come unasked.
    for (unasked, is_by_peer) in [
        ("HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n", true),
        ("HTTP/1.0 408 Request Time-out\r\n\r\n", true),
        ("HTTP/1.1 200 OK\r\n\r\n", false),
        ("HTTP/1.1 40", false),
    ] {
        let mut client = idle();
        feed(client.io(), unasked.as_bytes());
        let ended = client.poll().unwrap_err();
        assert!(is_by_peer || matches!(ended, Outcome::Violated(_)), "{unasked}: {ended}");
        assert_eq!(ended == Outcome::ByPeer, is_by_peer, "{unasked}: {ended}");
    }

    // With a request open, and in a body that only the end of the stream ends.
    let head = Request::new(Method::Get, "a", "/").unwrap();
    for (response, parts) in [(&b""[..], 0), (b"HTTP/1.1 2", 0), (b"HTTP/1.0 200 OK\r\n\r\nhello", 2)] {
        let mut call = idle().send(&head, Bytes::new());
        feed(call.io(), response);
        cut(call.io());
        for _ in 0..parts {
            let event = call.answer().event();
            assert!(matches!(event, Some(CallEvent::Head(_) | CallEvent::Data(_))), "{event:?}");
        }
        assert!(call.answer().event().is_none(), "the response is not whole");
    }
}
