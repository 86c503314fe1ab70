//! Expect: 100-continue, RFC 9110 10.1.1.

use endwell_tests::client::Asked;
use endwell_tests::connection::Connection;
use endwell_tests::plan::Plan;
use endwell_tests::record::End;
use endwell_tests::verdict::{echo, refuses, with};

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
    let heard = endwell_tests::client::read(&connection.take(usize::MAX), &[]).unwrap();
    assert!(heard.statuses() == [413] && heard.announced_close() && heard.responses[0].interim.is_empty());
    // Whether it is content or a request is not asked any more.
    connection.feed(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    connection.end();
    assert_eq!((connection.ended(), connection.queued()), (Some(&End::Lingered), 0));
}

#[test]
fn hints_go_before_the_answer_and_never_to_http_1_0() {
    for (version, asked, expected) in [("1.1", Asked::GET, &[103, 103, 100][..]), ("1.0", Asked::OLD, &[])] {
        let input = post(version, "Expect: 100-continue", "hi");
        let heard = with(input, |_| Plan { hints: 2, ..Plan::echo() }).heard(&[asked]);
        assert_eq!((&heard.responses[0].interim[..], heard.statuses()), (expected, vec![200]));
    }
}
