//! Expect: 100-continue, RFC 9110 10.1.1.

use core::time::Duration;
use endwell_core::http::{Framing, HttpLimits};
use endwell_core::{Instant, Limit, OutboxLimits};
use endwell_core_tests::client::Asked;
use endwell_core_tests::connection::Connection;
use endwell_core_tests::plan::Plan;
use endwell_core_tests::record::End;
use endwell_core_tests::verdict::{echo, refuses, with};

fn post(version: &str, lines: &str, body: &str) -> String {
    let length = body.len();
    format!("POST / HTTP/{version}\r\nHost: h\r\nContent-Length: {length}\r\n{lines}\r\n\r\n{body}")
}

#[test]
fn who_asks_is_told_to_continue_once() {
    for lines in ["Expect: 100-continue", "expect: 100-CONTINUE", "Expect: 100-continue, 100-continue"] {
        let heard = echo(post("1.1", lines, "hi")).heard(&[]);
        assert_eq!((&heard.responses[0].interim[..], heard.statuses()), (&[100][..], vec![200]), "{lines}");
        assert!(!heard.announced_close());
    }
}

#[test]
fn who_does_not_ask_or_has_nothing_to_send_or_is_old_is_not() {
    for (input, asked) in [
        (post("1.1", "x: y", "hi"), Asked::GET),
        (post("1.1", "Expect: 100-continue", ""), Asked::GET),
        (post("1.0", "Expect: 100-continue", "hi"), Asked::OLD),
        ("GET / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n".to_owned(), Asked::GET),
    ] {
        let verdict = echo(&input);
        assert!(!verdict.requests()[0].expects, "{input}");
        assert!(verdict.heard(&[asked]).responses[0].interim.is_empty(), "{input}");
    }
}

#[test]
fn any_other_expectation_is_417() {
    refuses(&[
        ("GET / HTTP/1.1~Host: h~Expect: tea~~", 417, "the expectation 100-continue"),
        ("GET / HTTP/1.1~Host: h~Expect: 100-continue, tea~~", 417, "the expectation 100-continue"),
        ("GET / HTTP/1.1~Host: h~Expect: 100-continue~Expect: tea~~", 417, "the expectation 100-continue"),
        ("GET / HTTP/1.1~Host: h~Expect: 100-continue;a=b~~", 417, "the expectation 100-continue"),
        ("HEAD / HTTP/1.1~Host: h~Expect: 100~~", 417, "the expectation 100-continue"),
    ]);
}

#[test]
fn an_answer_instead_of_the_100_closes_because_the_body_may_or_may_not_come() {
    let mut connection = Connection::new(|_| Plan::full(413, b"no").unread());
    connection.feed(b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    let heard = endwell_core_tests::client::read(&connection.take(usize::MAX), &[]).unwrap();
    assert!(heard.statuses() == [413] && heard.announced_close() && heard.responses[0].interim.is_empty());
    // Whether it is content or a request is not asked any more.
    connection.feed(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    connection.end();
    assert_eq!((connection.queued(), connection.ended()), (0, Some(&End::Lingered)));
}

#[test]
fn hints_go_before_the_answer_and_never_to_http_1_0() {
    for (version, asked, expected) in [("1.1", Asked::GET, &[103, 103, 100][..]), ("1.0", Asked::OLD, &[])] {
        let input = post(version, "Expect: 100-continue", "hi");
        let heard = with(input, |_| Plan { hints: 2, ..Plan::echo() }).heard(&[asked]);
        assert_eq!((&heard.responses[0].interim[..], heard.statuses()), (expected, vec![200]));
    }
}

const HEAD: &[u8] = b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// Told to continue, and answered before it has taken notice: at once and whole, or in pieces.
fn told(answer: Plan) -> Connection {
    let mut connection = Connection::new(move |_| Plan { proceeds: true, ..answer.clone().unread() });
    connection.feed(HEAD);
    connection
}

fn early() -> [Plan; 2] {
    [Plan::full(200, b"early"), Plan::pieces(Framing::Chunked, &[b"ear", b"ly"])]
}

/// HAProxy 2.6 loses a final response that it reads together with the 100.
#[test]
fn a_final_response_never_leaves_with_the_100() {
    for plan in early() {
        for max in [1, CONTINUE.len() - 1, CONTINUE.len(), usize::MAX] {
            let mut connection = told(plan.clone());
            let mut output = Vec::new();
            loop {
                let taken = connection.take(max);
                output.extend_from_slice(&taken);
                if taken.is_empty() {
                    break;
                }
            }
            assert_eq!(output.escape_ascii().to_string(), CONTINUE.escape_ascii().to_string());
            assert!(connection.queued() > 0);
            connection.feed(b"h");
            let rest = connection.take(usize::MAX);
            assert!(rest.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", rest.escape_ascii());
            connection.feed(b"ello");
            connection.end();
            assert_eq!((connection.queued(), connection.ended()), (0, Some(&End::ByPeer)));
        }
    }
}

/// The first byte of the body counts once the 100 is out: before that it was not sent because of it.
#[test]
fn a_body_that_crosses_the_100_does_not_let_the_two_leave_together() {
    for plan in early() {
        let mut connection = told(plan);
        connection.take(5);
        connection.feed(b"h");
        assert_eq!(connection.take(usize::MAX), CONTINUE[5..]);
        connection.feed(b"ello");
        assert!(connection.take(usize::MAX).starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

/// A client that got the 100 and sends nothing still gets its response.
#[test]
fn a_final_response_waits_no_longer_than_its_time() {
    for plan in early() {
        let mut connection = told(plan);
        // The time runs from when the 100 is out.
        connection.silence(Duration::from_secs(5));
        assert_eq!(connection.take(usize::MAX), CONTINUE);
        connection.look();
        let deadline = connection.deadline().unwrap();
        assert_eq!(
            (deadline.reason, deadline.at),
            (Limit::ContinueTime, Instant::from_epoch(Duration::from_secs(6)))
        );
        connection.silence(Duration::from_millis(999));
        assert!(connection.take(usize::MAX).is_empty());
        connection.silence(Duration::from_millis(1));
        assert!(connection.take(usize::MAX).starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
}

#[test]
fn a_final_response_does_not_wait_where_the_body_has_begun_or_the_stream_has_ended_or_no_time_is_set() {
    for plan in early() {
        let mut connection = Connection::new({
            let plan = plan.clone();
            move |_| Plan { proceeds: true, ..plan.clone().unread() }
        });
        connection.feed(&[HEAD, b"h"].concat());
        assert!(connection.take(usize::MAX).starts_with(&[CONTINUE, b"HTTP/1.1 200"].concat()));
        let mut connection = told(plan.clone());
        assert_eq!(connection.take(usize::MAX), CONTINUE);
        connection.end();
        assert!(connection.take(usize::MAX).starts_with(b"HTTP/1.1 200"));
        let mut limits = HttpLimits::default();
        limits.continue_time = Duration::ZERO;
        let mut connection = Connection::with(limits, OutboxLimits::default(), move |_| Plan {
            proceeds: true,
            ..plan.clone().unread()
        });
        connection.feed(HEAD);
        assert!(connection.take(usize::MAX).starts_with(&[CONTINUE, b"HTTP/1.1 200"].concat()));
    }
}
