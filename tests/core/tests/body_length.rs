//! How long a request's body is, RFC 9112 6.3.

use endwell_core_tests::record::Record;
use endwell_core_tests::verdict::{echo, refuses};

#[test]
fn a_content_length_that_is_not_one_number_is_refused() {
    let (digits, one) = ("a Content-Length of digits", "one Content-Length");
    let row = |lines: &str| format!("POST / HTTP/1.1~Host: h~{lines}~~");
    for (lines, why) in [
        ("Content-Length: 0x10", digits),
        ("Content-Length: -1", digits),
        ("Content-Length: +5", digits),
        ("Content-Length: 1e1", digits),
        ("Content-Length: 5.0", digits),
        ("Content-Length: 5 5", digits),
        ("Content-Length: five", digits),
        ("Content-Length: \"5\"", digits),
        ("Content-Length:", digits),
        ("Content-Length: \\xb2", digits),
        ("Content-Length: 18446744073709551616", digits),
        ("Content-Length: 99999999999999999999999999", digits),
        ("Content-Length: 5,5", digits),
        ("Content-Length: 5, 5", digits),
        ("Content-Length: 5,", digits),
        ("Content-Length: 5~Content-Length: 5", one),
        ("Content-Length: 5~content-length: 6", one),
        ("Content-Length: 5~Content-Length:", one),
        ("Content-Length: x~Content-Length: 5", one),
    ] {
        refuses(&[(&row(lines), 400, why), (&row(lines).replace("1.1", "1.0"), 400, why)]);
    }
}

#[test]
fn a_transfer_encoding_that_does_not_frame_is_refused() {
    let (both, last) = ("either Content-Length or", "once and as the last");
    let row = |lines: &str| format!("POST / HTTP/1.1~Host: h~{lines}~~0~~");
    for (lines, status, why) in [
        ("Transfer-Encoding: chunked~Content-Length: 5", 400, both),
        ("Content-Length: 5~Transfer-Encoding: chunked", 400, both),
        ("Content-Length: 0~Transfer-Encoding: identity", 400, both),
        ("Content-Length: x~Transfer-Encoding: gzip, chunked", 400, both),
        ("Transfer-Encoding: chunked, chunked", 400, last),
        ("Transfer-Encoding: chunked~Transfer-Encoding: chunked", 400, last),
        ("Transfer-Encoding: chunked, gzip", 400, last),
        ("Transfer-Encoding: chunked, deflate", 400, "got \"deflate\""),
        ("Transfer-Encoding: chunked~Transfer-Encoding: x, y", 400, "got \"x\""),
        ("Transfer-Encoding: chunked;a", 400, "got \"chunked;a\""),
        ("Transfer-Encoding: x, y", 400, "got \"y\""),
        ("Transfer-Encoding: chunked~Transfer-Encoding: gzip", 400, last),
        ("Transfer-Encoding: chunked, gzip, chunked", 400, last),
        ("Transfer-Encoding: gzip", 400, last),
        ("Transfer-Encoding: identity", 400, last),
        ("Transfer-Encoding:", 400, last),
        ("Transfer-Encoding: chunked;a=b", 400, last),
        ("Transfer-Encoding: xchunked", 400, last),
        ("Transfer-Encoding: chunked\\x09\\x0b", 400, "without control bytes"),
        ("Transfer-Encoding: \"chunked\"", 400, last),
        ("Transfer-Encoding: ch unked", 400, last),
        ("Transfer-Encoding: gzip, chunked", 501, "no transfer coding but chunked"),
        ("Transfer-Encoding: gzip~Transfer-Encoding: chunked", 501, "no transfer coding but chunked"),
        ("Transfer-Encoding: a, b;c=d, Chunked", 501, "no transfer coding but chunked"),
        ("Transfer-Encoding: identity, chunked", 501, "no transfer coding but chunked"),
    ] {
        refuses(&[(&row(lines), status, why)]);
        let old = if why == "without control bytes" { why } else { "no Transfer-Encoding in HTTP/1.0" };
        refuses(&[(&row(lines).replace("1.1", "1.0"), 400, old)]);
    }
    refuses(&[(&row("Transfer-Encoding: chunked").replace("1.1", "1.0"), 400, "no Transfer-Encoding in")]);
}

#[test]
fn a_length_is_that_many_bytes_and_no_more() {
    for (lines, body) in [
        ("Content-Length: 0", ""),
        ("Content-Length: 000", ""),
        ("Content-Length: 5", "hello"),
        ("Content-Length:\t 005 ", "hello"),
        ("", ""),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
        ("transfer-encoding: CHUNKED", "5\r\nhello\r\n0\r\n\r\n"),
    ] {
        let lines = if lines.is_empty() { String::new() } else { format!("{lines}\r\n") };
        let first = format!("POST /1 HTTP/1.1\r\nHost: h\r\n{lines}\r\n{body}");
        let verdict = echo(format!("{first}GET /2 HTTP/1.1\r\nHost: h\r\n\r\n"));
        let content: &[u8] = if body.is_empty() { b"" } else { b"hello" };
        assert_eq!(verdict.contents(), [content, b""], "{lines}");
    }
}

#[test]
fn every_method_can_have_content() {
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "X"] {
        let verdict = echo(format!("{method} / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"));
        assert_eq!(verdict.contents(), [b"hi"], "{method}");
    }
}

#[test]
fn a_body_that_is_cut_off_is_an_error_that_is_answered_and_announces_the_close() {
    for (lines, body, why) in [
        ("Content-Length: 5", "hell", "got \"4 of 5 bytes\""),
        ("Content-Length: 5", "", "got \"0 of 5 bytes\""),
        ("Transfer-Encoding: chunked", "", "a last chunk before the end"),
        ("Transfer-Encoding: chunked", "5\r\nhello", "a last chunk before the end"),
        ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n", "a last chunk before the end"),
        ("Transfer-Encoding: chunked", "0\r\na: b\r\n", "a last chunk before the end"),
    ] {
        let verdict = echo(format!("POST / HTTP/1.1\r\nHost: h\r\n{lines}\r\n\r\n{body}"));
        let (status, found) = verdict.failed().unwrap();
        assert!(status == 400 && found.contains(why), "{lines}, {body:?}: {found}");
        let heard = verdict.heard(&[]);
        assert!(heard.statuses() == [400] && heard.announced_close());
        assert!(!verdict.records.iter().any(|record| matches!(record, Record::Content(_))));
    }
}
