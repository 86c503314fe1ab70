//! The one answer that is still allowed, and that it is the last word.

use endwell_core_tests::client::{self, Asked};
use endwell_core_tests::connection::Connection;
use endwell_core_tests::plan;
use endwell_core_tests::record::End;
use endwell_core_tests::verdict::{echo, refuses};

/// RFC 9110 9.3.2: also an error in answer to HEAD has no content, and that it was HEAD is known as soon as the
/// method is.
#[test]
fn a_refusal_of_a_head_has_no_content() {
    let long = format!("HEAD /{} HTTP/1.1~Host: h~~", "a".repeat(9000));
    refuses(&[
        ("HEAD / HTTP/1.1~~", 400, "a Host field"),
        ("HEAD / HTTP/1.1~Host: h~a : b~~", 400, "a token directly"),
        ("HEAD / HTTP/1.1~Host: h~a: b\n~", 400, "CRLF"),
        ("HEAD / HTTP/1.1~Host: h~Expect: x~~", 417, "100-continue"),
        ("HEAD / HTTP/1.1~Host: h~Transfer-Encoding: a, chunked~~", 501, "chunked"),
        ("HEAD / HTTP/3.0~Host: h~~", 505, "HTTP/1.1"),
        ("HEAD /#f HTTP/1.1~Host: h~~", 400, "as the target"),
        ("HEAD / HTTP/1.1", 400, "a whole head"),
        (&long, 414, "target is too long"),
    ]);
    let verdict = echo("\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\n\r\nHEAD / HTTP/3.0\r\n\r\n");
    assert_eq!(verdict.heard(&[Asked::HEAD, Asked::HEAD]).statuses(), [200, 505]);
}

#[test]
fn nothing_the_peer_sent_is_repeated() {
    for input in ["GET /<secret> HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nsecret\r\n\r\n", "secret\r\n\r\n"] {
        let verdict = echo(input);
        let shown = String::from_utf8(verdict.output.clone()).unwrap();
        assert!(!shown.contains("secret"), "{shown}");
        assert_eq!(verdict.heard(&[]).responses[0].field("content-type"), Some("text/plain"));
    }
}

#[test]
fn after_the_last_word_nothing_is_written_whatever_comes() {
    for input in ["BAD\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"] {
        let mut connection = Connection::new(plan::echo);
        connection.feed(input.as_bytes());
        assert!(connection.is_lingering());
        let said = connection.take(usize::MAX);
        assert!(client::read(&said, &[]).unwrap().announced_close());
        for more in ["GET / HTTP/1.1\r\nHost: h\r\n\r\n", "BAD\r\n\r\n", "\0\0\0"].repeat(50) {
            assert_eq!(connection.feed(more.as_bytes()), more.len());
            connection.look();
        }
        connection.end();
        assert_eq!((connection.take(usize::MAX), connection.ended()), (Vec::new(), Some(&End::Lingered)));
    }
}

#[test]
fn requests_before_a_bad_one_are_answered_and_those_behind_it_are_not() {
    let good = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let verdict = echo(format!("{good}{good}GET / HTTP/1.1\r\n\r\n{good}"));
    assert_eq!(verdict.heard(&[]).statuses(), [200, 200, 400]);
}
