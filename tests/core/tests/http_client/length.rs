//! How long a response's body is, RFC 9112 6.3, and what is said of one that is cut off.

use endwell_core::http::{HttpLimits, Method};
use endwell_core_tests::asking::{Ask, Note, Until, head};
use endwell_core_tests::hearing::{hear, hear_strictly, refuses_strictly, within};

#[test]
fn every_form_of_a_body() {
    for (fields, body, content, until) in [
        ("Content-Length: 5~", "hello", "hello", Until::End),
        ("content-length: 005 ~", "hello", "hello", Until::End),
        ("Content-Length: 0~", "", "", Until::End),
        ("Transfer-Encoding: chunked~", "3;a=b~hel~2~lo~0~~", "hello", Until::End),
        ("transfer-encoding: CHUNKED~", "0~~", "", Until::End),
        ("", "hello", "hello", Until::Close),
        ("Connection: keep-alive~", "", "", Until::Close),
    ] {
        for version in ["HTTP/1.1", "HTTP/1.0"] {
            if version == "HTTP/1.0" && fields.contains(':') && fields.to_lowercase().contains("chunked") {
                continue;
            }
            let hearing = hear(&Ask::get(), &format!("{version} 200 OK~{fields}~{body}"));
            assert_eq!(hearing.content(), Some((content.as_bytes(), until)), "{version} {fields}");
        }
    }
    let hearing = hear(&Ask::get(), "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~1~x~0~Sum: 5~~");
    let trailers = vec![("Sum".to_owned(), b"5".to_vec())];
    assert_eq!(hearing.notes[2..], [Note::Trailers(trailers), Note::Content(b"x".to_vec(), Until::End)]);
}

#[test]
fn head_204_and_304_have_none_whatever_their_fields_say() {
    for fields in ["", "Content-Length: 5~", "Transfer-Encoding: chunked~", "Content-Length: 0~"] {
        for (method, status) in
            [(Method::Head, 200), (Method::Head, 404), (Method::Get, 204), (Method::Get, 304)]
        {
            let ask = Ask::Whole(head(method), vec![]);
            let hearing = hear(&ask, &format!("HTTP/1.1 {status} x~{fields}~"));
            assert_eq!(hearing.content(), Some((&b""[..], Until::End)), "{method} {status} {fields}");
            // What stands behind a 204 that announces content may be it.
            let kept = status != 204 || matches!(fields, "" | "Content-Length: 0~");
            assert_eq!(hearing.kept, kept, "{method} {status} {fields}");
        }
    }
    // A 205 is framed as any other (RFC 9110 15.3.6).
    assert_eq!(hear(&Ask::get(), "HTTP/1.1 205 x~~").content(), Some((&b""[..], Until::Close)));
}

#[test]
fn framing_that_is_ambiguous_is_refused_strictly() {
    let (both, one, last) = ("either Content-Length or", "one Content-Length", "once and as the last");
    let digits = "a Content-Length of digits";
    for (fields, why) in [
        ("Transfer-Encoding: chunked~Content-Length: 5~", both),
        ("Content-Length: 5~Transfer-Encoding: chunked~", both),
        ("Content-Length: 0~Transfer-Encoding: identity~", both),
        ("Content-Length: 5~Content-Length: 5~", one),
        ("Content-Length: 5~Content-Length: 6~", one),
        ("Content-Length: 5, 5~", digits),
        ("Content-Length: +5~", digits),
        ("Content-Length: ~", digits),
        ("Content-Length: 18446744073709551616~", digits),
        ("Transfer-Encoding: chunked, chunked~", last),
        ("Transfer-Encoding: chunked, gzip~", last),
        ("Transfer-Encoding: gzip~", last),
        ("Transfer-Encoding: identity~", last),
        ("Transfer-Encoding: xchunked~", last),
        ("Transfer-Encoding: gzip, chunked~", "no transfer coding but chunked"),
    ] {
        refuses_strictly(&format!("HTTP/1.1 200 OK~{fields}~5~hello~0~~"), why);
        // Also where there is no body.
        for (method, status) in [(Method::Head, 200), (Method::Get, 204), (Method::Get, 304)] {
            let ask = Ask::Whole(head(method), vec![]);
            let hearing = hear_strictly(&ask, &format!("HTTP/1.1 {status} x~{fields}~"));
            assert!(matches!(hearing.notes.last(), Some(Note::Failed(_))), "{method} {status} {fields}");
        }
    }
    refuses_strictly("HTTP/1.0 200 OK~Transfer-Encoding: chunked~~0~~", "no Transfer-Encoding in HTTP/1.0");
}

#[test]
fn a_body_that_is_cut_off_is_an_error_that_says_how_much_came_of_how_much() {
    for (fields, body, content, why) in [
        ("Content-Length: 5", "hell", "hell", "as long as was announced, got \"4 of 5 bytes\""),
        ("Content-Length: 5", "", "", "as long as was announced, got \"0 of 5 bytes\""),
        (
            "Transfer-Encoding: chunked",
            "",
            "",
            "a last chunk before the end of the stream, got \"0 of 0 bytes\"",
        ),
        ("Transfer-Encoding: chunked", "3~abc~9~de", "abcde", "got \"5 of 12 bytes\""),
        ("Transfer-Encoding: chunked", "5~hello", "hello", "got \"5 of 5 bytes\""),
        ("Transfer-Encoding: chunked", "5~hello~0~", "hello", "a last chunk"),
        ("Transfer-Encoding: chunked", "5~hello~0~a: b~", "hello", "a last chunk"),
    ] {
        let hearing = hear(&Ask::get(), &format!("HTTP/1.1 200 OK~{fields}~~{body}"));
        let (came, found) = hearing.failed().unwrap();
        assert!(found.contains(why) && came == content.as_bytes(), "{fields}, {body:?}: {found}");
        assert_eq!(hearing.content(), None);
    }
}

#[test]
fn a_chunk_that_is_none_is_an_error() {
    for body in ["g~", "5 x~", "-1~", "1~ab", "1~a\\x0a", "1;~", "0~x~", "\\x0a", "10000000000000000~"] {
        let hearing = hear(&Ask::get(), &format!("HTTP/1.1 200 OK~Transfer-Encoding: chunked~~{body}~~~"));
        assert!(hearing.failed().is_some() && !hearing.kept, "{body}: {:?}", hearing.notes);
    }
}

#[test]
fn a_body_is_bounded_in_every_form() {
    let mut limits = HttpLimits::default();
    limits.body_bytes = 5;
    let why = "the body is too large: the limit is 5 bytes";
    for (response, came) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!", None),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n3\r\nlo!\r\n0\r\n\r\n",
            Some("hel"),
        ),
        ("HTTP/1.1 200 OK\r\n\r\nhello!", Some("hello")),
    ] {
        let hearing = within(&limits, &Ask::get(), response.as_bytes());
        match came {
            Some(came) => assert_eq!(hearing.failed(), Some((came.as_bytes(), why))),
            None => assert_eq!(hearing.notes.last(), Some(&Note::Failed(why.into()))),
        }
    }
    for response in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nhello",
    ] {
        assert_eq!(within(&limits, &Ask::get(), response.as_bytes()).content().unwrap().0, b"hello");
    }
    // What is only announced, to HEAD, is no body.
    let ask = Ask::Whole(head(Method::Head), vec![]);
    let hearing = within(&limits, &ask, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n");
    assert!(hearing.kept);
}
