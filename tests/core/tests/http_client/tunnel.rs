//! CONNECT, RFC 9110 9.3.6.

use endwell_core::http::{Connect, Field};
use endwell_core_tests::asking::{Ask, Asking, Note, Until};
use endwell_core_tests::hearing::{hear, hear_strictly};

fn ask() -> Ask {
    let credentials = Field::from_static("proxy-authorization", "Basic x");
    Ask::Tunnel(Connect::new("example.com:443").unwrap().with(credentials))
}

const SENT: &str =
    "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\nproxy-authorization: Basic x\r\n\r\n";

/// RFC 9112 6.3: in a 2xx both framing fields are ignored, and what is behind the head is the tunnel's.
#[test]
fn success_opens_it_whatever_the_fields_say() {
    for fields in [
        "",
        "Content-Length: 5~",
        "Content-Length: x~",
        "Transfer-Encoding: chunked~",
        "Transfer-Encoding: chunked~Content-Length: 5~",
        "Connection: close~",
    ] {
        for (version, status) in [("1.1", 200), ("1.0", 200), ("1.1", 204), ("1.1", 299)] {
            let hearing = hear(&ask(), &format!("HTTP/{version} {status} x~{fields}~\\x16\\x03tls"));
            assert_eq!(hearing.notes.last(), Some(&Note::Open(b"\x16\x03tls".to_vec())), "{fields}");
            assert_eq!((hearing.status(), hearing.sent()), (Some(status), SENT));
        }
    }
    let hearing = hear(&ask(), "HTTP/1.1 100 x~~HTTP/1.1 103 x~~HTTP/1.1 200 x~~");
    assert_eq!(hearing.notes.last(), Some(&Note::Open(vec![])));
}

#[test]
fn anything_else_is_a_response_and_the_connection_can_be_kept() {
    for (status, kept) in [(407, true), (502, true), (301, true)] {
        let hearing = hear(&ask(), &format!("HTTP/1.1 {status} x~Content-Length: 2~~no"));
        assert_eq!((hearing.status(), hearing.kept), (Some(status), kept));
        assert_eq!(hearing.content(), Some((&b"no"[..], Until::End)));
    }
    // The request with credentials goes over the same connection.
    let mut asking = Asking::new(&[ask(), ask()]);
    assert_eq!(asking.take(usize::MAX), SENT.as_bytes());
    asking.feed(b"HTTP/1.1 407 x\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(asking.take(usize::MAX), SENT.as_bytes());
    asking.feed(b"HTTP/1.1 200 x\r\n\r\nhello");
    assert_eq!(asking.notes().last(), Some(&Note::Open(b"hello".to_vec())));
}

#[test]
fn no_answer_and_a_101_are_failures() {
    for (response, why) in [
        ("", "before any byte"),
        ("HTTP/1.1 101 x~~", "no 101 to a CONNECT"),
        ("HTTP/1.1 407 x~Content-Length: 1~Transfer-Encoding: chunked~~", "either Content-Length"),
    ] {
        let hearing = hear_strictly(&ask(), response);
        let Some(Note::Failed(reason)) = hearing.notes.last() else { panic!("{:?}", hearing.notes) };
        assert!(reason.contains(why), "{reason}");
    }
}
