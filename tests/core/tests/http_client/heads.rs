//! The status line and the fields, RFC 9112 4 and 5, and their limits.

use endwell_core::http::HttpLimits;
use endwell_core_tests::asking::{Ask, Note};
use endwell_core_tests::hearing::{self, hear, refuses, within};

#[test]
fn a_status_line_that_is_none_is_refused() {
    let code = "a status code of three digits between two spaces";
    refuses(&[
        ("~HTTP/1.1 200 OK~~", "a version of the form HTTP/1.1"),
        ("ICY 200 OK~~", "a version of the form HTTP/1.1"),
        ("http/1.1 200 OK~~", "a version of the form HTTP/1.1"),
        ("HTTP/1.10 200 OK~~", "a version of the form HTTP/1.1"),
        ("HTTP/2.0 200 OK~~", "HTTP/1.1 or HTTP/1.0"),
        ("HTTP/1.1  200 OK~~", code),
        ("HTTP/1.1\\x09200 OK~~", "a version of the form HTTP/1.1"),
        ("HTTP/1.1 20 OK~~", code),
        ("HTTP/1.1 2000 OK~~", code),
        ("HTTP/1.1 2x0 OK~~", "a status code from 100 to 599"),
        ("HTTP/1.1 200 O\\x00K~~", "a reason phrase without control bytes"),
        ("hello~~", "a version of the form HTTP/1.1"),
    ]);
}

#[test]
fn field_lines_are_as_strict_as_those_of_requests() {
    refuses(&[
        ("HTTP/1.1 200 OK~a : b~~", "a token directly followed by a colon"),
        ("HTTP/1.1 200 OK~a~~", "a field name followed by a colon"),
        ("HTTP/1.1 200 OK~a: b\\x00~~", "without control bytes"),
        ("HTTP/1.1 200 OK~a: b\\x0dc~~", "without control bytes"),
    ]);
}

#[test]
fn what_is_valid_is_handed_out_as_it_came() {
    let hearing = hear(&Ask::get(), "HTTP/1.1 299 \\xff odd~Set-Cookie: a~set-cookie:b ~Content-Length: 0~~");
    let lines = [("Set-Cookie", &b"a"[..]), ("set-cookie", b"b"), ("Content-Length", b"0")];
    let lines = lines.map(|(name, value)| (name.to_owned(), value.to_vec())).to_vec();
    assert_eq!(hearing.notes[1], Note::Head(299, 1, lines));
    assert_eq!(hear(&Ask::get(), "HTTP/1.1 200 ~content-length: 0~~").status(), Some(200));
}

#[test]
fn a_head_that_is_cut_off_is_no_answer_and_says_whether_any_byte_came() {
    refuses(&[
        ("", "ended before any byte of a response"),
        ("H", "a whole head before the end"),
        ("HTTP/1.1 200 OK~", "a whole head before the end"),
        ("HTTP/1.1 200 OK~Content-Length: 0~", "a whole head before the end"),
    ]);
}

#[test]
fn a_head_is_bounded_in_bytes_and_lines() {
    let mut limits = HttpLimits::default();
    limits.response_head_bytes = 100;
    limits.received_bytes = 100;
    limits.response_fields = 3;
    let failed = |response: &str| -> String {
        match within(&limits, &Ask::get(), response.as_bytes()).notes.pop() {
            Some(Note::Failed(why)) => why,
            other => panic!("{response}: {other:?}"),
        }
    };
    for response in [
        format!("HTTP/1.1 200 {}", "a".repeat(200)),
        "a".repeat(100),
        format!("HTTP/1.1 200 OK\r\na: {}", "a".repeat(200)),
        format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(30)),
    ] {
        assert_eq!(failed(&response), "the head is too large: the limit is 100 bytes");
    }
    let head = |fields: usize| format!("HTTP/1.1 204 No\r\n{}\r\n", "a: b\r\n".repeat(fields));
    assert_eq!(failed(&head(4)), "there are too many fields: the limit is 3");
    assert_eq!(within(&limits, &Ask::get(), head(3).as_bytes()).status(), Some(204));
    let exact = format!("HTTP/1.1 204 {}\r\n\r\n", "r".repeat(83));
    assert_eq!((exact.len(), within(&limits, &Ask::get(), exact.as_bytes()).status()), (100, Some(204)));
}

/// Twice what a request may have.
#[test]
fn a_response_has_bounds_of_its_own() {
    let limits = HttpLimits::default();
    let fields = |count: usize| format!("HTTP/1.1 204 No\r\n{}\r\n", "a: b\r\n".repeat(count));
    let trailers = |count: usize| {
        let trailers = "a: b\r\n".repeat(count);
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{trailers}\r\n")
    };
    // Folds are no lines of their own, and many of them cost no more than what they fold.
    let folded = |folds: usize| format!("HTTP/1.1 204 No\r\na: b\r\n{}\r\n", " \r\n".repeat(folds));
    let long = |len: usize| {
        let start = "HTTP/1.1 204 No\r\na: ";
        format!("{start}{}\r\n\r\n", "b".repeat(len - start.len() - 4))
    };
    for (exact, beyond, why) in [
        (fields(200), fields(201), "the limit is 200"),
        (trailers(200), trailers(201), "the limit is 200"),
        (long(64 << 10), long((64 << 10) + 1), "the limit is 65536 bytes"),
        (folded(21_837), folded(21_839), "the limit is 65536 bytes"),
    ] {
        let heard = |response: &str| hearing::of(&Ask::get(), &[response.as_bytes()], &limits);
        assert!(heard(&exact).content().is_some(), "{why}: {:?}", heard(&exact).notes.last());
        match heard(&beyond).notes.last() {
            Some(Note::Failed(reason) | Note::BodyFailed(_, reason)) => {
                assert!(reason.contains(why), "{reason}");
            }
            other => panic!("{why}: {other:?}"),
        }
    }
}
