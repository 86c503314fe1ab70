//! Whether another request can follow, RFC 9112 9.3, and what came without one.

use bytes::Bytes;
use endwell_core::http::client::{Again, CallEvent, ClientConnection, Failure};
use endwell_core::http::{HttpLimits, Method};
use endwell_core::{OutboxLimits, Outcome};
use endwell_core_tests::asking::{Ask, Asking, Note, head};
use endwell_core_tests::hearing::hear;
use endwell_core_tests::io;

#[test]
fn the_version_and_the_connection_options_decide() {
    for (version, fields, kept) in [
        ("1.1", "", true),
        ("1.9", "", true),
        ("1.1", "Connection: keep-alive~", true),
        ("1.1", "Connection: close~", false),
        ("1.1", "Connection: x, CLOSE~", false),
        ("1.1", "Connection: x~Connection: keep-alive, close~", false),
        ("1.1", "Connection: closed~", true),
        ("1.0", "", false),
        ("1.0", "Connection: Keep-Alive~", true),
        ("1.0", "Connection: keep-alive, close~", false),
    ] {
        let response = format!("HTTP/{version} 200 OK~{fields}Content-Length: 2~~hi");
        let hearing = hear(&Ask::get(), &response);
        assert_eq!((hearing.kept, hearing.content().unwrap().0), (kept, &b"hi"[..]), "{version} {fields}");
        let last = hear(&Ask::Whole(head(Method::Get).last(), vec![]), &response);
        assert!(!last.kept, "we have announced the close ourselves");
    }
}

#[test]
fn many_requests_on_one_connection() {
    let asks = vec![Ask::get(); 50];
    let mut asking = Asking::new(&asks);
    for index in 0..50 {
        assert_eq!(asking.take(usize::MAX), b"GET / HTTP/1.1\r\nhost: h\r\n\r\n");
        let body = format!("{index}");
        let framing = match index % 3 {
            0 => format!("Content-Length: {}\r\n\r\n{body}", body.len()),
            1 => format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n", body.len()),
            _ => format!("Content-Length: {}\r\nX: y\r\n\r\n{body}", body.len()),
        };
        asking.feed(format!("HTTP/1.1 200 OK\r\n{framing}").as_bytes());
    }
    let contents: Vec<_> = asking
        .notes()
        .iter()
        .filter_map(|note| match note {
            Note::Content(content, _) => Some(String::from_utf8(content.clone()).unwrap()),
            _ => None,
        })
        .collect();
    assert_eq!(contents, (0..50).map(|index| index.to_string()).collect::<Vec<_>>());
    assert!(asking.is_kept());
}

/// What stands behind a response without a request is never the answer to the next one.
#[test]
fn bytes_that_nobody_asked_for_end_the_connection() {
    let response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
    for extra in ["\r\n", "x", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", "HTTP/1.1 408 x\r\n\r\n"] {
        // Before we know that the response is whole, and after.
        let mut asking = Asking::new(&[Ask::get(), Ask::get()]);
        asking.feed(format!("{response}{extra}").as_bytes());
        assert!(asking.is_over() && asking.notes().len() == 3, "{extra}: {:?}", asking.notes());
        let mut asking = Asking::new(&[Ask::get()]);
        asking.feed(response.as_bytes());
        assert!(asking.is_kept());
        asking.feed(extra.as_bytes());
        assert!(asking.is_over() && asking.notes().len() == 3, "{extra}: {:?}", asking.notes());
    }
}

/// Whoever does not look before it sends hears that what comes is no answer.
#[test]
fn a_request_on_a_connection_that_has_spoken_is_not_answered_by_it() {
    let mut client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    io::feed(client.io(), b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let mut call = client.send(&head(Method::Get), Bytes::new());
    let Some(CallEvent::Failed(failure)) = call.answer().event() else { panic!("that was no answer") };
    assert!(failure.to_string().contains("nothing from the server without a request"), "{failure}");

    let mut client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    io::end(client.io());
    let mut call = client.send(&head(Method::Get), Bytes::new());
    let Some(CallEvent::Failed(failure)) = call.answer().event() else { panic!("that was no answer") };
    assert_eq!(failure, Failure::Unanswered);
    assert!(matches!(call.next(), Again::Closed(Outcome::ByPeer)));

    let mut client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    io::end(client.io());
    assert_eq!(client.poll().unwrap_err(), Outcome::ByPeer);
}

#[test]
fn a_server_that_closes_with_its_response_is_not_asked_again() {
    let mut asking = Asking::new(&[Ask::get(), Ask::get()]);
    asking.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh");
    asking.end();
    assert!(matches!(asking.notes().last(), Some(Note::BodyFailed(..))));
    let mut asking = Asking::new(&[Ask::get()]);
    asking.feed(b"HTTP/1.1 204 x\r\n\r\n");
    assert!(asking.is_kept());
    asking.end();
    assert!(asking.is_over());
}

/// What `next` itself says, to whoever does not look again before the next request.
#[test]
fn only_a_whole_response_with_nothing_behind_it_makes_a_next_request() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    let old = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n";
    for (response, ends, last, next) in [
        (format!("{head}hi"), false, false, "a client"),
        (format!("{head}h"), false, false, "unread"),
        (format!("{head}hi\r\n"), false, false, "violated"),
        (format!("{head}hi"), true, false, "by the peer"),
        (format!("{old}hi"), false, true, "unread"),
        (format!("{old}hi"), true, true, "by us"),
    ] {
        let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
        let mut call = client.send(&self::head(Method::Get), Bytes::new());
        io::feed(call.io(), response.as_bytes());
        assert!(matches!(call.answer().event(), Some(CallEvent::Head(_))), "{response}");
        assert_eq!(call.is_last(), last, "{response}");
        if ends {
            io::end(call.io());
        }
        while let Some(event) = call.answer().event() {
            if let CallEvent::End = event {
                break;
            }
        }
        let after = match call.next() {
            Again::Client(_) => "a client",
            Again::Unread(_) => "unread",
            Again::Closed(Outcome::Violated(_)) => "violated",
            Again::Closed(Outcome::ByPeer) => "by the peer",
            Again::Closed(Outcome::ByUs) => "by us",
            Again::Closed(other) => panic!("{other}"),
        };
        assert_eq!(after, next, "{response}, ends: {ends}");
    }
}
