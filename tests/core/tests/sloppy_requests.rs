//! What a client may take of a sloppy server is never taken of a request, however responses are read.

use endwell_core::http::{HttpLimits, Reading};
use endwell_core_tests::plan;
use endwell_core_tests::verdict::{Verdict, refuses, unescape, within};

fn verdict(reading: Reading, input: &[u8]) -> Verdict {
    let mut limits = HttpLimits::default();
    limits.reading = reading;
    within(&limits, input, plan::echo)
}

#[test]
fn the_form_of_a_request_stays_strict() {
    let post = "POST / HTTP/1.1~Host: h~";
    let with = |rest: &str| format!("{post}{rest}");
    let rows = [
        (with("a: b~ c~~"), 400, "without white space before its name"),
        (with("Content-Length:~ 1~~x"), 400, "without white space before its name"),
        (with("a: b\\x0a~"), 400, "CRLF as the line end"),
        ("POST / HTTP/1.1\\x0aHost: h\\x0a\\x0a".into(), 400, "CRLF as the line end"),
        (with("Content-Length: 1~Content-Length: 1~~x"), 400, "one Content-Length"),
        (with("Content-Length: 1, 1~~x"), 400, "a Content-Length of digits"),
        (with("Transfer-Encoding: chunked~Content-Length: 1~~0~~"), 400, "either Content-Length or"),
        (with("Transfer-Encoding: identity~~"), 400, "as the last transfer coding"),
        (with("Transfer-Encoding: gzip~~"), 400, "as the last transfer coding"),
        (with("Transfer-Encoding: identity, chunked~~0~~"), 501, "no transfer coding but chunked"),
        ("POST / HTTP/1.0~Transfer-Encoding: chunked~~0~~".into(), 400, "no Transfer-Encoding in HTTP/1.0"),
    ];
    let borrowed: Vec<_> = rows.iter().map(|(input, status, why)| (input.as_str(), *status, *why)).collect();
    refuses(&borrowed);
    for (input, ..) in &rows {
        let input = unescape(input);
        assert_eq!(verdict(Reading::Ordinary, &input), verdict(Reading::Strict, &input));
    }
}

#[test]
fn its_chunks_and_trailers_too() {
    for (body, why) in [
        ("1 ~x~0~~", "a semicolon before a chunk extension"),
        ("1;a ~x~0~~", "the name of a chunk extension"),
        ("1;a=b\\x09~x~0~~", "a semicolon before a chunk extension"),
        ("1\\x0ax~0~~", "an extension or CRLF"),
        ("1~x~0~a: b~ c~~", "without white space before its name"),
        ("1~x~0~a: b\\x0a~", "CRLF as the line end"),
    ] {
        let input = unescape(&format!("POST / HTTP/1.1~Host: h~Transfer-Encoding: chunked~~{body}"));
        let [ordinary, strict] = [Reading::Ordinary, Reading::Strict].map(|reading| verdict(reading, &input));
        assert_eq!(ordinary, strict, "{body}");
        let (status, reason) = ordinary.failed().unwrap();
        assert!(status == 400 && reason.contains(why), "{body}: {reason}");
    }
    // Zeros before a size count as extensions: there is no free padding.
    let chunks = format!("{}0\r\n\r\n", "00000001\r\nx\r\n".repeat(600));
    let input = format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    let verdict = endwell_core_tests::verdict::of(&[input.as_bytes()], &HttpLimits::default(), plan::echo);
    assert!(verdict.failed().unwrap().1.contains("chunk extensions"), "{:?}", verdict.records);
}

#[test]
fn the_bounds_of_responses_are_not_those_of_requests() {
    let limits = HttpLimits::default();
    assert_eq!((limits.fields, limits.head_bytes), (100, 32 << 10));
    assert_eq!((limits.response_fields, limits.response_head_bytes), (200, 64 << 10));
    let fields = |count: usize| format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a:\r\n".repeat(count - 1));
    let long = |len: usize| {
        let start = "GET / HTTP/1.1\r\nHost: h\r\na: ";
        format!("{start}{}\r\n\r\n", "b".repeat(len - start.len() - 4))
    };
    for (input, taken) in
        [(fields(100), true), (fields(101), false), (long(32 << 10), true), (long((32 << 10) + 1), false)]
    {
        let verdict = endwell_core_tests::verdict::of(&[input.as_bytes()], &limits, plan::echo);
        let status = if taken { 200 } else { 431 };
        assert_eq!(verdict.heard(&[]).statuses(), [status], "{} bytes", input.len());
    }
    for (count, taken) in [(100, true), (101, false)] {
        let trailers = "a:\r\n".repeat(count);
        let input =
            format!("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{trailers}\r\n");
        let verdict = endwell_core_tests::verdict::of(&[input.as_bytes()], &limits, plan::echo);
        assert_eq!(verdict.failed().is_none(), taken, "{count}: {:?}", verdict.records);
    }
}
