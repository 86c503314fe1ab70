//! Field lines, RFC 9112 5 and RFC 9110 5.5 and 5.6.2.

use endwell_core_tests::verdict::{echo, refuses, takes};

#[test]
fn what_is_no_field_line_is_refused() {
    let (space, colon, token, value) =
        ("without white space before", "followed by a colon", "a token directly", "without control bytes");
    refuses(&[
        ("GET / HTTP/1.1~ Host: h~~", 400, space),
        ("GET / HTTP/1.1~\\x09Host: h~~", 400, space),
        ("GET / HTTP/1.1~ ~Host: h~~", 400, space),
        ("GET / HTTP/1.1~Host: h~a: b~ c~~", 400, space),
        ("GET / HTTP/1.1~Host: h~a: b~\\x09c~~", 400, space),
        ("GET / HTTP/1.1~Host: h~a: b~ ~~", 400, space),
        ("GET / HTTP/1.1~Host: h~a~~", 400, colon),
        ("GET / HTTP/1.1~Host: h~GET / HTTP/1.1~~", 400, colon),
        ("GET / HTTP/1.1~Host: h~a : b~~", 400, token),
        ("GET / HTTP/1.1~Host : h~~", 400, token),
        ("GET / HTTP/1.1~Host: h~a\\x09: b~~", 400, token),
        ("GET / HTTP/1.1~Host: h~: b~~", 400, token),
        ("GET / HTTP/1.1~Host: h~a b: c~~", 400, token),
        ("GET / HTTP/1.1~Host: h~a(: c~~", 400, token),
        ("GET / HTTP/1.1~Host: h~\\xe9: c~~", 400, token),
        ("GET / HTTP/1.1~Host: h~a\\x00: c~~", 400, token),
        ("GET / HTTP/1.1~Host: h~a\\x0d: c~~", 400, token),
        ("GET / HTTP/1.1~Host: h~a: \\x00~~", 400, value),
        ("GET / HTTP/1.1~Host: h~a: b\\x01~~", 400, value),
        ("GET / HTTP/1.1~Host: h~a: b\\x7f~~", 400, value),
        ("GET / HTTP/1.1~Host: h~a: b\\x0dc~~", 400, value),
        ("GET / HTTP/1.1~Host: h~a: b\\x0d~~", 400, value),
        ("GET / HTTP/1.1~Host: h~a: b\\x0d\\x0d~~", 400, value),
        ("GET / HTTP/1.1~Host: h\na: b~~", 400, "CRLF as the line end"),
        ("GET / HTTP/1.1~Host: h~a: b\n~~", 400, "CRLF as the line end"),
        ("GET / HTTP/1.1~Host: h~\n", 400, "CRLF as the line end"),
        ("GET / HTTP/1.1~Host: h~a: b\n\n", 400, "CRLF as the line end"),
        ("HEAD / HTTP/1.1~Host: h~a: \\x00~~", 400, value),
    ]);
}

#[test]
fn a_value_is_without_the_white_space_around_it() {
    let verdict = echo("GET / HTTP/1.1\r\nHost: h\r\na:\t b c \t\r\nB:\r\nb: \r\nc:d\r\n\r\n");
    let expected = [("Host", "h"), ("a", "b c"), ("B", ""), ("b", ""), ("c", "d")];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    assert_eq!(verdict.requests()[0].fields, expected);
}

#[test]
fn what_is_unusual_but_valid_is_taken() {
    takes(&[
        "GET / HTTP/1.1~hOsT:h~~",
        "GET / HTTP/1.1~Host: h~!#$%&'*+-.^_`|1: \\x80\\xff\\x09\"(),~~",
        "GET / HTTP/1.1~Host: h~a:::~~",
        "GET / HTTP/1.1~Host: h~a: b~A: b~a: b~~",
    ]);
}

#[test]
fn each_byte_in_a_name_and_in_a_value_agrees_with_the_grammar() {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let value = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80;
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    for byte in 0..=255 {
        let around = |before: &str, after: &str| [before.as_bytes(), &[byte], after.as_bytes()].concat();
        // In the middle, where a colon ends the name, at its start, and in a value's middle and at its ends.
        let rows = [
            (around("GET / HTTP/1.1\r\nHost: h\r\nx", "y: z\r\n\r\n"), token(byte) || byte == b':'),
            (around("GET / HTTP/1.1\r\nHost: h\r\n", "y: z\r\n\r\n"), token(byte)),
            (around("GET / HTTP/1.1\r\nHost: h\r\nx: y", "z\r\n\r\n"), value(byte)),
            (around("GET / HTTP/1.1\r\nHost: h\r\nx:", "z\r\n\r\n"), value(byte)),
            (around("GET / HTTP/1.1\r\nHost: h\r\nx: y", "\r\n\r\n"), value(byte)),
        ];
        for (input, taken) in rows {
            let verdict = echo(&input);
            assert_eq!(verdict.requests().len(), usize::from(taken), "{}", input.escape_ascii());
            assert_eq!(verdict.refused().is_none(), taken, "{}", input.escape_ascii());
            let Some(found) = verdict.requests().first().and_then(|seen| seen.field("x").map(<[u8]>::to_vec))
            else {
                continue;
            };
            let colon = input.windows(3).position(|at| at == b"\nx:").map_or(0, |at| at + 3);
            let whole: Vec<u8> = input[colon..].iter().copied().take_while(|&byte| byte != b'\r').collect();
            if colon > 0 {
                let start = whole.iter().position(|&byte| !blank(byte)).unwrap_or(whole.len());
                let end = whole.iter().rposition(|&byte| !blank(byte)).map_or(start, |at| at + 1);
                assert_eq!(found, whole[start..end], "{}", input.escape_ascii());
            }
        }
    }
}
