//! The chunked coding, RFC 9112 7.1.

use endwell_core_tests::record::Record;
use endwell_core_tests::verdict::{Verdict, echo, unescape};

fn body(chunks: impl AsRef<[u8]>) -> Verdict {
    let head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    echo([head, chunks.as_ref(), b"GET /next HTTP/1.1\r\nHost: h\r\n\r\n"].concat())
}

#[test]
fn a_chunk_that_is_not_exactly_one_fails_the_body_and_ends_the_connection() {
    for (chunks, why) in [
        ("-5~hello~0~~", "a chunk size in hexadecimal"),
        ("+5~hello~0~~", "a chunk size in hexadecimal"),
        ("0x5~hello~0~~", "an extension or CRLF"),
        ("5h~hello~0~~", "an extension or CRLF"),
        (" 5~hello~0~~", "a chunk size in hexadecimal"),
        ("5 ~hello~0~~", "a semicolon before"),
        ("5\\x09~hello~0~~", "a semicolon before"),
        ("5\\x00~hello~0~~", "an extension or CRLF"),
        ("~hello~0~~", "a chunk size in hexadecimal"),
        (";a~hello~0~~", "a chunk size in hexadecimal"),
        ("10000000000000000~hello~0~~", "below 2^64"),
        ("ffffffffffffffff5~hello~0~~", "below 2^64"),
        ("5\nhello~0~~", "an extension or CRLF"),
        ("5\\x0dhello~0~~", "LF behind the CR"),
        ("5\\x0d~hello~0~~", "LF behind the CR"),
        ("5~hello0~~", "CRLF behind the data"),
        ("5~hello\n0~~", "CRLF behind the data"),
        ("5~hello\\x0d0~~", "CRLF behind the data"),
        ("5~hello ~0~~", "CRLF behind the data"),
        ("5~hello!~0~~", "CRLF behind the data"),
        ("4~hello~0~~", "CRLF behind the data"),
        ("5;~hello~0~~", "the name of a chunk extension"),
        ("5;;a~hello~0~~", "the name of a chunk extension"),
        ("5;a=~hello~0~~", "the value of a chunk extension"),
        ("5;a b~hello~0~~", "the name of a chunk extension"),
        ("5;a=b c~hello~0~~", "a semicolon before"),
        ("5;a=\"b~hello~0~~", "a quoted string"),
        ("5;a=\"b\"c~hello~0~~", "a quoted string"),
        ("5;a\\x00~hello~0~~", "the name of a chunk extension"),
        ("5;a\nhello~0~~", "the name of a chunk extension"),
        ("0~a~~", "followed by a colon"),
        ("0~a : b~~", "a token directly followed"),
        ("0~ a: b~~", "without white space"),
        ("0~a: b~ c~~", "without white space"),
        ("0~a: \\x01~~", "without control bytes"),
        ("0~a: b\n~", "CRLF as the line end"),
        ("0~\n", "CRLF as the line end"),
    ] {
        let verdict = body(unescape(chunks));
        let (status, found) = verdict.failed().unwrap_or_else(|| panic!("{chunks}: {:?}", verdict.records));
        assert!(status == 400 && found.contains(why), "{chunks}: {found}");
        assert_eq!(verdict.requests().len(), 1, "{chunks}");
        let heard = verdict.heard(&[]);
        assert!(heard.statuses() == [400] && heard.announced_close(), "{chunks}: {heard:?}");
    }
}

#[test]
fn every_valid_form_is_read_to_its_end_and_no_further() {
    for chunks in [
        "5~hello~0~~",
        "005~hello~00~~",
        "2~he~3~llo~0~~",
        "1~h~1~e~1~l~1~l~1~o~0~~",
        "5;a~hello~0;b~~",
        "5;a=b;c=\"d;\\x5c\"\\x0d\"~hello~0~~".replace("\\x0d", "e").as_str(),
        "5 ; a = b \\x09; c~hello~0~~",
        "5~hello~0~a: b~c:~~",
    ] {
        let verdict = body(unescape(chunks));
        assert_eq!(verdict.contents(), [&b"hello"[..], b""], "{chunks}: {:?}", verdict.records);
    }
    let verdict = body("A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n");
    assert_eq!(verdict.contents()[0], b"01234567890123456789");
}

#[test]
fn trailers_are_never_merged_into_the_head() {
    let verdict = body("5\r\nhello\r\n0\r\nX: 1\r\nContent-Length: 9\r\nHost: evil\r\nx: 2\r\n\r\n");
    let lines = [("X", "1"), ("Content-Length", "9"), ("Host", "evil"), ("x", "2")];
    let lines = lines.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec();
    assert!(verdict.records.contains(&Record::Trailers(lines)), "{:?}", verdict.records);
    let head = verdict.requests()[0];
    assert_eq!((head.field("x"), head.authority.as_deref(), head.fields.len()), (None, Some("h"), 2));
    assert_eq!(verdict.requests().len(), 2);
}

#[test]
fn each_byte_in_a_chunk_line_agrees_with_the_grammar() {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let text = |byte: u8| byte == b'\t' || (b' '..=b'~').contains(&byte) || byte >= 0x80;
    for byte in 0..=255_u8 {
        let around = |before: &str, after: &str| [before.as_bytes(), &[byte], after.as_bytes()].concat();
        // In the first row any digit but zero makes it a chunk whose data is not there.
        let rows = [
            (around("0", "\r\n\r\n"), byte == b'0'),
            (around("", ";a\r\nx\r\n0\r\n\r\n"), byte == b'1'),
            (around("1;a", "b\r\nx\r\n0\r\n\r\n"), token(byte) || b";=".contains(&byte)),
            (around("1;a=b", "c\r\nx\r\n0\r\n\r\n"), token(byte) || byte == b';'),
            (around("1;a=\"", "c\"\r\nx\r\n0\r\n\r\n"), text(byte) && byte != b'"'),
            (around("1;a=\"\\", "\"\r\nx\r\n0\r\n\r\n"), text(byte)),
            (around("1;a", "\r\nx\r\n0\r\n\r\n"), token(byte)),
            (around("1\r\nx", "\n0\r\n\r\n"), byte == b'\r'),
            (around("1\r\nx\r", "0\r\n\r\n"), byte == b'\n'),
        ];
        for (index, (chunks, taken)) in rows.into_iter().enumerate() {
            let verdict = body(&chunks);
            let whole = verdict.failed().is_none() && verdict.requests().len() == 2;
            assert_eq!(whole, taken, "row {index}: {}: {:?}", chunks.escape_ascii(), verdict.records);
        }
    }
}
