//! `Expect: 100-continue`, RFC 9110 10.1.1.

use core::time::Duration;
use endwell_core::http::client::{CallEvent, ClientConnection};
use endwell_core::http::{Framing, HttpLimits, Method};
use endwell_core::{Arrived, Deadline, Limit, OutboxLimits};
use endwell_core_tests::asking::{Ask, Asking, Note, Pieces, head};
use endwell_core_tests::hearing::hear;
use endwell_core_tests::io::{at, look, waits, written};

const HEAD: &str = "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n";
const DONE: &str = "HTTP/1.1 200 OK~Content-Length: 0~~";

fn ask() -> Ask {
    Ask::Expecting(head(Method::Post), Pieces::new(Framing::Length(5), &[b"hello"]))
}

#[test]
fn the_body_goes_when_it_is_asked_for() {
    let hearing = hear(&ask(), &format!("HTTP/1.1 100 Continue~a: b~~{DONE}"));
    assert_eq!(hearing.sent(), format!("{HEAD}hello"));
    assert!(hearing.kept && hearing.notes[1] == Note::Continue && hearing.status() == Some(200));
    // Another interim response does not ask for it, and a second 100 is only interim.
    let more = format!("HTTP/1.1 103 x~~HTTP/1.1 100 x~~HTTP/1.1 100 x~~{DONE}");
    let hearing = hear(&ask(), &more);
    assert_eq!(hearing.notes[1..4], [Note::Interim(103, vec![]), Note::Continue, Note::Interim(100, vec![])]);
    assert!(hearing.kept);
}

/// The server has been promised a body: without it the connection is of no more use.
#[test]
fn a_final_response_that_comes_first_says_that_it_is_not_wanted() {
    for status in [200, 401, 413, 417, 500] {
        let hearing = hear(&ask(), &format!("HTTP/1.1 {status} x~Content-Length: 2~~no"));
        assert_eq!((hearing.status(), hearing.sent(), hearing.kept), (Some(status), HEAD, false));
        assert_eq!(hearing.content().unwrap().0, b"no");
    }
}

#[test]
fn a_request_refused_with_417_can_be_repeated_without_it() {
    let request = head(Method::Post);
    let pieces = Pieces::new(Framing::Length(5), &[b"hello"]);
    let refused =
        hear(&Ask::Expecting(request.clone(), pieces.clone()), "HTTP/1.1 417 x~Content-Length: 0~~");
    assert_eq!((refused.status(), refused.sent()), (Some(417), HEAD));
    let again = hear(&Ask::Pieces(request, pieces), DONE);
    assert_eq!(again.sent(), HEAD.replace("expect: 100-continue\r\n", "") + "hello");
}

#[test]
fn a_server_that_says_nothing_gets_it_after_a_second() {
    let mut asking = Asking::new(&[ask()]);
    assert_eq!(asking.take(usize::MAX), HEAD.as_bytes());
    asking.silence(Duration::ZERO);
    let deadline = asking.deadline().unwrap();
    assert_eq!((deadline.reason, deadline.at.since_epoch()), (Limit::ContinueTime, Duration::from_secs(1)));
    asking.silence(Duration::from_millis(999));
    assert!(asking.take(usize::MAX).is_empty() && asking.notes() == [Note::Asked]);
    asking.silence(Duration::from_millis(1));
    assert_eq!(
        (&asking.take(usize::MAX)[..], asking.notes()),
        (&b"hello"[..], &[Note::Asked, Note::Continue][..])
    );
    // From when the body is out it is the response that is waited for.
    asking.silence(Duration::ZERO);
    let deadline = asking.deadline().unwrap();
    assert_eq!((deadline.reason, deadline.at.since_epoch()), (Limit::ResponseTime, Duration::from_secs(61)));
    asking.feed(b"HTTP/1.1 100 late\r\n\r\nHTTP/1.1 204 x\r\n\r\n");
    assert!(asking.is_kept() && asking.notes()[2] == Note::Interim(100, vec![]));
}

/// What is not out yet cannot be answered.
#[test]
fn the_second_begins_when_the_head_is_out() {
    let mut asking = Asking::new(&[ask()]);
    for _ in 0..10 {
        asking.silence(Duration::from_millis(900));
        asking.pause();
    }
    assert_eq!(asking.notes(), [Note::Asked]);
    asking.silence(Duration::ZERO);
    asking.silence(Duration::from_millis(999));
    assert_eq!(asking.notes(), [Note::Asked]);
    asking.silence(Duration::from_millis(1));
    assert_eq!(asking.notes(), [Note::Asked, Note::Continue]);
}

/// RFC 9110 10.1.1: no expectation without content.
#[test]
fn without_content_nothing_is_expected() {
    let ask = Ask::Expecting(head(Method::Post), Pieces::new(Framing::Length(0), &[]));
    let hearing = hear(&ask, DONE);
    assert_eq!(hearing.sent(), "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 0\r\n\r\n");
    assert!(hearing.kept && hearing.notes[1] == Note::Continue);
    let chunked = Ask::Expecting(head(Method::Post), Pieces::new(Framing::Chunked, &[b"x"]));
    let hearing = hear(&chunked, "HTTP/1.1 500 x~Content-Length: 0~~");
    assert!(hearing.sent().ends_with("transfer-encoding: chunked\r\nexpect: 100-continue\r\n\r\n"));
}

/// The time for the response begins when the body is whole, though it ran while the body was still withheld.
#[test]
fn the_server_is_not_late_while_the_body_is_being_written() {
    let ends = |millis, reason| Some(Deadline { at: at(millis), reason });
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let mut call = client.ask(&head(Method::Post), Framing::Length(5));
    assert_eq!(written(call.io()), HEAD.as_bytes());
    assert_eq!(waits(call.io(), 0), ends(1000, Limit::ContinueTime));
    assert_eq!(look(call.io(), 1000), Arrived::Something);
    assert!(matches!(call.answer().event(), Some(CallEvent::Continue)));
    assert_eq!(waits(call.io(), 1000), ends(61_000, Limit::ResponseTime));
    assert_eq!(look(call.io(), 61_000), Arrived::Something);
    let mut call = call.proceed();
    assert!(call.answer().event().is_none());
    assert_eq!(call.writer().copy(b"hello"), 5);
    let Ok(mut call) = call.finish(None) else { panic!("it is whole") };
    assert_eq!(written(call.io()), b"hello");
    assert_eq!(waits(call.io(), 61_000), ends(121_000, Limit::ResponseTime));
}
