//! The two ways to read a response beside each other: what an ordinary reader takes of sloppy servers, a strict one
//! refuses.

use endwell_core::http::{Connect, Method, Reading};
use endwell_core_tests::asking::{Ask, Note, Until, head};
use endwell_core_tests::hearing::{self, Hearing, hear, hear_strictly, refuses};

/// What an ordinary reader makes of a response: status, content, what ends it, and whether the connection is kept. Then
/// words from the reason that a strict one gives.
type Row<'a> = (&'a str, u16, &'a str, Until, bool, &'a str);

fn compare(rows: &[Row<'_>]) {
    let wrong: Vec<String> = rows.iter().filter_map(|row| differs(&Ask::get(), row)).collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn differs(ask: &Ask, (response, status, content, until, kept, why): &Row<'_>) -> Option<String> {
    let (ordinary, strict) = (hear(ask, response), hear_strictly(ask, response));
    let taken = ordinary.status() == Some(*status)
        && ordinary.content() == Some((content.as_bytes(), *until))
        && ordinary.kept == *kept;
    let refused = refusal(&strict).is_some_and(|reason| reason.contains(why)) && !strict.kept;
    (!taken || !refused).then(|| format!("{response}\n  ordinary: {ordinary:?}\n  strict: {strict:?}"))
}

fn refusal(hearing: &Hearing) -> Option<&str> {
    match hearing.notes.last() {
        Some(Note::Failed(reason) | Note::BodyFailed(_, reason)) => Some(reason),
        _ => None,
    }
}

const CRLF: &str = "CRLF as the line end, ";
const CODE: &str = "a status code of three digits between two spaces";
const RANGE: &str = "a status code from 100 to 599";
const FOLD: &str = "a field line without white space before its name";
const DIGITS: &str = "a Content-Length of digits";
const BOTH: &str = "either Content-Length or Transfer-Encoding";
const OLD: &str = "no Transfer-Encoding in HTTP/1.0";
const LAST: &str = "chunked, once and as the last transfer coding";

#[test]
fn status_lines() {
    let end = Until::End;
    compare(&[
        ("HTTP/1.1 200~Content-Length: 2~~hi", 200, "hi", end, true, CODE),
        ("HTTP/1.0 404~Content-Length: 2~~hi", 404, "hi", end, false, CODE),
        ("HTTP/1.1 200~~hi", 200, "hi", Until::Close, false, CODE),
        ("HTTP/1.1 204~~", 204, "", end, true, CODE),
        ("HTTP/1.1 999 Request denied~Content-Length: 2~~hi", 999, "hi", end, true, RANGE),
        ("HTTP/1.1 600 x~Content-Length: 2~~hi", 600, "hi", end, true, RANGE),
        ("HTTP/1.1 099 x~Content-Length: 2~~hi", 99, "hi", end, true, RANGE),
        ("HTTP/1.1 000 x~Content-Length: 2~~hi", 0, "hi", end, true, RANGE),
        ("HTTP/1.1 999~~hi", 999, "hi", Until::Close, false, CODE),
        ("HTTP/1.1 100~~HTTP/1.1 103~a: b~~HTTP/1.1 200~Content-Length: 0~~", 200, "", end, true, CODE),
    ]);
}

#[test]
fn lf_alone_ends_the_lines_of_a_head() {
    let end = Until::End;
    compare(&[
        ("HTTP/1.1 200 OK\\x0aContent-Length: 2\\x0a\\x0ahi", 200, "hi", end, true, CRLF),
        ("HTTP/1.1 200 OK~Content-Length: 2\\x0a~hi", 200, "hi", end, true, CRLF),
        ("HTTP/1.1 200 OK~Content-Length: 2~\\x0ahi", 200, "hi", end, true, CRLF),
        ("HTTP/1.1 200 OK\\x0aContent-Length: 2~~hi", 200, "hi", end, true, CRLF),
        ("HTTP/1.1 200\\x0a\\x0ahi", 200, "hi", Until::Close, false, CRLF),
        ("HTTP/1.1 200 OK\\x0a\\x0a\\x0ahi", 200, "\nhi", Until::Close, false, CRLF),
        ("HTTP/1.1 200 OK\\x0aTransfer-Encoding: chunked\\x0a\\x0a2~hi~0~~", 200, "hi", end, true, CRLF),
        ("HTTP/1.1 103 x\\x0aa: b\\x0a\\x0aHTTP/1.1 200 OK~Content-Length: 0~~", 200, "", end, true, CRLF),
        ("HTTP/1.1 200 OK\\x0aContent-Length:\\x0a 2\\x0a\\x0ahi", 200, "hi", end, true, CRLF),
    ]);
}

#[test]
fn folded_field_lines() {
    for (fields, value) in [
        ("a: b~ c~", &b"b c"[..]),
        ("a: b  \\x09~\\x09 \\x09c~", b"b c"),
        ("a: b~ c~\\x09d~", b"b c d"),
        ("a:~ b~", b"b"),
        ("a: b~ ~", b"b"),
        ("a: b~ ~ c~", b"b c"),
        ("a: b~ c: d~", b"b c: d"),
        ("a: \\xff~ \\xfe~", b"\xff \xfe"),
    ] {
        for (before, after) in [("", ""), ("x: y~", ""), ("", "x: y~"), ("x:~", "x: y~")] {
            let fields = format!("{before}{fields}{after}");
            let response = format!("HTTP/1.1 200 OK~{fields}Content-Length: 2~~hi");
            compare(&[(&response, 200, "hi", Until::End, true, FOLD)]);
            let response = format!("HTTP/1.1 200 OK~Transfer-Encoding: chunked~~2~hi~0~{fields}~");
            compare(&[(&response, 200, "hi", Until::End, true, FOLD)]);
            let heard = hear(&Ask::get(), &response);
            let Note::Trailers(trailers) = &heard.notes[2] else { panic!("{heard:?}") };
            let folded = trailers.iter().find(|(name, _)| name == "a").unwrap();
            assert_eq!(folded.1, value, "{fields}");
            assert_eq!(trailers.len(), 1 + fields.matches("x:").count());
            let interim = format!("HTTP/1.1 103 x~{fields}~HTTP/1.1 204 x~~");
            compare(&[(&interim, 204, "", Until::End, true, FOLD)]);
            let Note::Interim(103, hints) = &hear(&Ask::get(), &interim).notes[1] else { panic!("no hints") };
            assert_eq!(hints, trailers);
        }
    }
    // What frames a message may be folded too.
    compare(&[
        ("HTTP/1.1 200 OK~Content-Length:~ 2~~hi", 200, "hi", Until::End, true, FOLD),
        ("HTTP/1.1 200 OK~Transfer-Encoding:~\\x09chunked~~0~~", 200, "", Until::End, true, FOLD),
        ("HTTP/1.1 200 OK~Content-Length: 2~Connection: a,~ close~~hi", 200, "hi", Until::End, false, FOLD),
    ]);
}

#[test]
fn a_length_that_is_repeated() {
    let one = "one Content-Length";
    for (fields, why) in [
        ("Content-Length: 2~Content-Length: 2~", one),
        ("Content-Length: 2~X: y~content-length: 2~Content-Length:2~", one),
        ("Content-Length: 2, 2~", DIGITS),
        ("Content-Length: 2,2\\x09,  2~", DIGITS),
        ("Content-Length: 2~Content-Length: 2, 2~", one),
        ("Content-Length: 02, 2~", DIGITS),
    ] {
        compare(&[(&format!("HTTP/1.1 200 OK~{fields}~hi"), 200, "hi", Until::End, true, why)]);
        for (method, status) in [(Method::Head, 200), (Method::Get, 304)] {
            let ask = Ask::Whole(head(method), vec![]);
            let response = format!("HTTP/1.1 {status} OK~{fields}~");
            assert_eq!(differs(&ask, &(&response, status, "", Until::End, true, why)), None);
        }
    }
}

#[test]
fn transfer_codings() {
    let (end, close) = (Until::End, Until::Close);
    let coding = "HTTP/1.1 200 OK~Transfer-Encoding: ";
    let old = "HTTP/1.0 200 OK~Connection: keep-alive~Transfer-Encoding: ";
    for (start, rest, content, until, why) in [
        (coding, "chunked~Content-Length: 2~~3~abc~0~~", "abc", end, BOTH),
        ("HTTP/1.1 200 OK~Content-Length: 2~Transfer-Encoding: ", "chunked~~3~abc~0~~", "abc", end, BOTH),
        (coding, "chunked~Content-Length: 9, 9~~3~abc~0~~", "abc", end, BOTH),
        (coding, "identity~Content-Length: 2~~abc", "abc", close, BOTH),
        (old, "chunked~~3~abc~0~~", "abc", end, OLD),
        (old, "chunked~Content-Length: 2~~3~abc~0~~", "abc", end, OLD),
        (old, "identity~~abc", "abc", close, OLD),
        (coding, "identity~~abc", "abc", close, LAST),
        (coding, "Identity~~", "", close, LAST),
        (coding, "gzip~~abc", "abc", close, LAST),
        (coding, "gzip;q=1~~abc", "abc", close, LAST),
        (coding, "gzip~Transfer-Encoding: deflate~~abc", "abc", close, LAST),
        (coding, "xchunked~~0~~", "0\r\n\r\n", close, LAST),
        (coding, "identity, chunked~~3~abc~0~~", "abc", end, "no transfer coding but chunked"),
    ] {
        compare(&[(&format!("{start}{rest}"), 200, content, until, false, why)]);
        // No content all the same, and the connection closes.
        for (method, status) in [(Method::Head, 200), (Method::Get, 204), (Method::Get, 304)] {
            let ask = Ask::Whole(head(method), vec![]);
            let response = format!("{start}{rest}").replace(" 200 OK", &format!(" {status} OK"));
            let response = response.split_inclusive("~~").next().unwrap();
            assert_eq!(differs(&ask, &(response, status, "", Until::End, false, why)), None);
        }
    }
}

#[test]
fn chunk_lines() {
    let body = |body: &str| format!("HTTP/1.1 200 OK~Transfer-Encoding: chunked~~{body}");
    for (chunks, content, why) in [
        ("2 ~hi~0~~", "hi", "a semicolon before a chunk extension"),
        ("2\\x09 ~hi~0   ~~", "hi", "a semicolon before a chunk extension"),
        ("2~hi~0 ~~", "hi", "a semicolon before a chunk extension"),
        ("2;a ~hi~0~~", "hi", "the name of a chunk extension"),
        ("2;a=b ~hi~0~~", "hi", "a semicolon before a chunk extension"),
        ("2;a=\"b;\" \\x09~hi~0~~", "hi", "a semicolon before a chunk extension"),
        ("00000002        ~hi~0 ~a: b~~", "hi", "a semicolon before a chunk extension"),
    ] {
        compare(&[(&body(chunks), 200, content, Until::End, true, why)]);
    }
    // Sizes of a fixed width are no extensions, however many there are.
    let many = |size: &str| format!("{}0~~", format!("{size}~x~").repeat(700)).replace('~', "\r\n");
    for (size, taken) in [("0000000001", true), ("00000001", true), (&format!("{}1", "0".repeat(22)), false)]
    {
        let heads = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let response = format!("{heads}{}", many(size));
        let [ordinary, strict] = [Reading::Ordinary, Reading::Strict]
            .map(|reading| hearing::of(&Ask::get(), &[response.as_bytes()], &hearing::reading(reading)));
        assert_eq!(ordinary.content().is_some(), taken, "{size}");
        let (_, why) = strict.failed().unwrap();
        assert!(why.contains("chunk extensions"), "{why}");
    }
}

/// What has two readings, or what only some clients take.
#[test]
fn neither_takes_these() {
    let (name, control) = ("directly followed by a colon", "without control bytes");
    refuses(&[
        ("HTTP/1.1 200 OK~ a: b~~", FOLD),
        ("HTTP/1.1 200 OK~\\x09~a: b~~", FOLD),
        ("HTTP/1.1 200 OK\\x0a a: b\\x0a\\x0a", ""),
        ("HTTP/1.1 200 OK~a~ : b~~", "followed by a colon"),
        ("HTTP/1.1 200 OK~a~ b: c~~", "followed by a colon"),
        ("HTTP/1.1 200 OK~a : b~~", name),
        ("HTTP/1.1 200 OK~Content-Length : 2~~hi", name),
        ("HTTP/1.1 200 OK~a\\x09: b~~", name),
        ("HTTP/1.1 200 OK~: b~~", name),
        ("HTTP/1.1 200 OK~a: b~ c\\x00~~", ""),
        ("HTTP/1.1 200 OK~a: b\\x0d c~~", control),
        ("HTTP/1.1 200 OK~a: b\\x0d\\x0d\\x0a~", control),
        ("HTTP/1.1 200 OK\\x0d~~", control),
        ("HTTP/1.1 200 OK\\x0da: b~~", control),
        ("HTTP/1.1 200 OK~a: \\x7f~~", control),
        ("HTTP/1.1 1000 OK~~", CODE),
        ("HTTP/1.1 99 OK~~", CODE),
        ("HTTP/1.1 20~~", CODE),
        ("HTTP/1.1 200OK~~", CODE),
        ("HTTP/1.1 200\\x09~~", CODE),
        ("HTTP/1.1 200\\x00~~", CODE),
        ("HTTP/1.1  200~~", CODE),
        ("HTTP/1.1 -99~~", "a status code"),
        ("HTTP/1.1 ~~", CODE),
        ("HTTP/2 200~~", "a version of the form HTTP/1.1"),
        ("HTTP/1.1 200 OK~Content-Length: 5~Content-Length: 6~~", "one Content-Length"),
        ("HTTP/1.1 200 OK~Content-Length: 5, 6~~", "Content-Length"),
        ("HTTP/1.1 200 OK~Content-Length: 5,~~", "Content-Length"),
        ("HTTP/1.1 200 OK~Content-Length: ,5~~", "Content-Length"),
        ("HTTP/1.1 200 OK~Content-Length: 5 5~~", DIGITS),
        ("HTTP/1.1 200 OK~Content-Length: 5;~~", DIGITS),
        ("HTTP/1.1 200 OK~Content-Length: 0x5~~", DIGITS),
        ("HTTP/1.1 200 OK~Content-Length: -5~~", DIGITS),
        ("HTTP/1.1 200 OK~Content-Length: 18446744073709551616, 18446744073709551616~~", DIGITS),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked~Content-Length: 5~Content-Length: 6~~", ""),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked~Content-Length: x~~", ""),
        ("HTTP/1.1 200 OK~Transfer-Encoding: ~~", LAST),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked,~~", LAST),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked;a=b~~", LAST),
        ("HTTP/1.1 200 OK~Transfer-Encoding: chunked, identity~~", LAST),
        ("HTTP/1.1 200 OK~Transfer-Encoding: \\xffchunked~~", LAST),
        ("HTTP/1.0 200 OK~Transfer-Encoding: gzip, chunked~~", ""),
    ]);
    let chunks = "HTTP/1.1 200 OK~Transfer-Encoding: chunked~~";
    for body in [
        " 2~hi~0~~",
        "2;~hi~0~~",
        "2; ~hi~0~~",
        "2 x~hi~0~~",
        "2 2~hi~0~~",
        "2 \\x0d\\x0d\\x0ahi~0~~",
        "2\\x0ahi~0~~",
        "2 \\x0ahi~0~~",
        "2~hi\\x0a0~~",
        "2~hi ~0~~",
        "2~hi~0\\x0a~",
        "2~hi~0~\\x0a",
        "2~hi~0~a: b\\x0a~",
        "2~hi~0~ a: b~~",
        "2~hi~0~a : b~~",
        "2;a=\"b ~hi~0~~",
        "2;a= ~hi~0~~",
        "10000000000000002 ~hi~0~~",
    ] {
        for heard in [hear, hear_strictly].map(|hear| hear(&Ask::get(), &format!("{chunks}{body}"))) {
            assert!(heard.failed().is_some() && !heard.kept, "{body}: {heard:?}");
        }
    }
}

/// RFC 9110 9.3.6: the answer of a proxy is read as any other.
#[test]
fn answers_to_connect() {
    let ask = Ask::Tunnel(Connect::new("example.com:443").unwrap());
    for (response, why) in [
        ("HTTP/1.1 200~~", CODE),
        ("HTTP/1.0 200 OK\\x0a\\x0a", CRLF),
        ("HTTP/1.1 200 OK~Via: a,~ b~~", FOLD),
        ("HTTP/1.1 100~~HTTP/1.1 200~~", CODE),
    ] {
        let (ordinary, strict) =
            (hear(&ask, &format!("{response}\\x16tls")), hear_strictly(&ask, &format!("{response}\\x16tls")));
        assert_eq!(ordinary.notes.last(), Some(&Note::Open(b"\x16tls".to_vec())), "{response}");
        assert!(refusal(&strict).unwrap().contains(why), "{response}: {strict:?}");
    }
    let end = Until::End;
    for row in [
        ("HTTP/1.1 407~Content-Length: 2, 2~~no", 407, "no", end, true, CODE),
        ("HTTP/1.1 999 x~Content-Length: 2~~no", 999, "no", end, true, RANGE),
        ("HTTP/1.1 099 x~Content-Length: 2~~no", 99, "no", end, true, RANGE),
        ("HTTP/1.0 503 x~Transfer-Encoding: chunked~~2~no~0~~", 503, "no", end, false, OLD),
    ] {
        assert_eq!(differs(&ask, &row), None);
    }
}
