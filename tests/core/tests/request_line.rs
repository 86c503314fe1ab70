//! The request line, RFC 9112 3, and the version, RFC 9112 2.3.

use endwell_core_tests::verdict::{echo, refuses, takes};

#[test]
fn what_is_no_request_line_is_refused() {
    let (shape, version, target) = ("one space between", "a version of the form", "as the target");
    refuses(&[
        ("GET / http/1.1~Host: h~~", 400, version),
        ("GET / HTTP/1~Host: h~~", 400, version),
        ("GET / HTTP/1.~Host: h~~", 400, version),
        ("GET / HTTP/1.10~Host: h~~", 400, version),
        ("GET / HTTP/11.1~Host: h~~", 400, version),
        ("GET / HTTP/1,1~Host: h~~", 400, version),
        ("GET / HTTP/1.x~Host: h~~", 400, version),
        ("GET / HTTP /1.1~Host: h~~", 400, version),
        ("GET / ~Host: h~~", 400, version),
        ("GET / HTTP/1.1 ~Host: h~~", 400, version),
        ("GET /  HTTP/1.1~Host: h~~", 400, version),
        ("GET /a b HTTP/1.1~Host: h~~", 400, version),
        ("GET  / HTTP/1.1~Host: h~~", 400, version),
        ("GET /~Host: h~~", 400, shape),
        ("GET~~", 400, shape),
        ("GET/HTTP/1.1~Host: h~~", 400, shape),
        (" GET / HTTP/1.1~Host: h~~", 400, "a token as the method"),
        ("GET\\x09/ HTTP/1.1~Host: h~~", 400, "a token as the method"),
        ("GET /\\x09HTTP/1.1~Host: h~~", 400, shape),
        ("G(T / HTTP/1.1~Host: h~~", 400, "a token as the method"),
        ("GET  HTTP/1.1~Host: h~~", 400, target),
        ("GET /\\xe9 HTTP/1.1~Host: h~~", 400, target),
        ("GET /?\\xe9 HTTP/1.1~Host: h~~", 400, target),
        ("GET /#f HTTP/1.1~Host: h~~", 400, target),
        ("GET /a\\x5cb HTTP/1.1~Host: h~~", 400, target),
        ("GET /\\x00 HTTP/1.1~Host: h~~", 400, target),
        ("GET / HTTP/1.1\nHost: h~~", 400, "CRLF as the line end"),
        ("GET / HTTP/1.1\\x0dHost: h~~", 400, version),
        ("GET /\\x0d HTTP/1.1~Host: h~~", 400, target),
        ("\nGET / HTTP/1.1~Host: h~~", 400, "CRLF as the line end"),
        ("\\x0dGET / HTTP/1.1~Host: h~~", 400, "a token as the method"),
    ]);
}

#[test]
fn another_major_version_is_505_and_a_long_method_501() {
    let method = "M".repeat(33);
    refuses(&[
        ("GET / HTTP/2.0~Host: h~~", 505, "HTTP/1.1 or HTTP/1.0"),
        ("PRI * HTTP/2.0~~SM~~", 505, "HTTP/1.1 or HTTP/1.0"),
        ("GET / HTTP/0.9~~", 505, "HTTP/1.1 or HTTP/1.0"),
        ("GET / HTTP/9.9~Host: h~~", 505, "HTTP/1.1 or HTTP/1.0"),
        (&format!("{method} / HTTP/1.1~Host: h~~"), 501, "a method of at most 32 bytes"),
    ]);
}

#[test]
fn a_higher_minor_version_is_served_as_1_1() {
    for (version, minor) in [("1.0", 0), ("1.1", 1), ("1.2", 1), ("1.9", 1)] {
        let verdict = echo(format!("GET / HTTP/{version}\r\nHost: h\r\n\r\n"));
        assert_eq!(verdict.requests()[0].minor, minor, "{version}");
        assert!(verdict.output.starts_with(b"HTTP/1.1 200 OK\r\n"), "{version}");
    }
}

#[test]
fn up_to_8_empty_lines_before_a_request_line_are_ignored() {
    let lines = "\r\n".repeat(8);
    takes(&["~GET / HTTP/1.1~Host: h~~", "~~~~~~~~GET / HTTP/1.1~Host: h~~"]);
    let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
    let verdict = echo(format!("{request}{lines}{request}{lines}"));
    assert_eq!(verdict.requests().len(), 2);
    assert_eq!(verdict.refused(), None);
    // No more of the second request's lines are ignored because there were fewer before the first.
    let verdict = echo(format!("{request}{lines}\r\n{request}"));
    assert_eq!((verdict.requests().len(), verdict.refused().is_some()), (1, true));
    refuses(&[
        ("~~~~~~~~~GET / HTTP/1.1~Host: h~~", 400, "one space between"),
        ("~~~~~~~~~~", 400, "one space between"),
        ("~\nGET / HTTP/1.1~Host: h~~", 400, "CRLF as the line end"),
        ("~~HEAD /\\x00 HTTP/1.1~Host: h~~", 400, "as the target"),
    ]);
}

#[test]
fn each_form_of_target_goes_with_its_methods() {
    takes(&[
        "GET / HTTP/1.1~Host: h~~",
        "GET //a//b HTTP/1.1~Host: h~~",
        "GET /?a?b=/ HTTP/1.1~Host: h~~",
        "GET http://a.b/c?d HTTP/1.1~Host: h~~",
        "GET http://a.b HTTP/1.1~Host: h~~",
        "OPTIONS * HTTP/1.1~Host: h~~",
        "OPTIONS /a HTTP/1.1~Host: h~~",
        "CONNECT a.b:443 HTTP/1.1~Host: a.b:443~~",
        "get / HTTP/1.1~Host: h~~",
        "M-SEARCH / HTTP/1.1~Host: h~~",
    ]);
    refuses(&[
        ("GET * HTTP/1.1~Host: h~~", 400, "OPTIONS only"),
        ("options * HTTP/1.1~Host: h~~", 400, "OPTIONS only"),
        ("GET a.b:443 HTTP/1.1~Host: h~~", 400, "as the target"),
        ("GET a/b HTTP/1.1~Host: h~~", 400, "as the target"),
        ("OPTIONS ** HTTP/1.1~Host: h~~", 400, "as the target"),
        ("CONNECT / HTTP/1.1~Host: h~~", 400, "target of CONNECT"),
        ("CONNECT a.b HTTP/1.1~Host: h~~", 400, "target of CONNECT"),
        ("CONNECT :443 HTTP/1.1~Host: h~~", 400, "target of CONNECT"),
        ("CONNECT http://a.b:443 HTTP/1.1~Host: h~~", 400, "target of CONNECT"),
        ("CONNECT * HTTP/1.1~Host: h~~", 400, "target of CONNECT"),
        ("GET http://u@h/ HTTP/1.1~Host: h~~", 400, "as the target"),
        ("GET http:///a HTTP/1.1~Host: h~~", 400, "as the target"),
    ]);
}

#[test]
fn each_byte_in_a_method_a_path_and_a_query_agrees_with_the_grammar() {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    // What clients leave unescaped is taken on purpose. A byte above 127 alone is not UTF-8.
    let query = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    let path = |byte: u8| query(byte) && byte != b'\\';
    for byte in 0..=255 {
        let around = |before: &str, after: &str| [before.as_bytes(), &[byte], after.as_bytes()].concat();
        let rows = [
            (around("G", "T / HTTP/1.1\r\nHost: h\r\n\r\n"), token(byte)),
            (around("GET /a", "b HTTP/1.1\r\nHost: h\r\n\r\n"), path(byte)),
            (around("GET /?a", "b HTTP/1.1\r\nHost: h\r\n\r\n"), query(byte)),
        ];
        for (input, taken) in rows {
            let verdict = echo(&input);
            assert_eq!(verdict.requests().len(), usize::from(taken), "{}", input.escape_ascii());
            assert_eq!(verdict.refused().is_none(), taken, "{}", input.escape_ascii());
        }
    }
}

#[test]
fn targets_that_clients_do_not_escape_arrive_as_they_were_sent() {
    for path in ["/a[b]c", "/a|b", "/a^b", "/50%", "/%zz", "/%2", "/\"<>`{}'", "/caf\u{e9}", "/\u{1f600}"] {
        for query in [None, Some(""), Some("50%"), Some("q=%&p=%2"), Some("\"<>'[]{}|^`\\"), Some("q=\u{e9}")]
        {
            let target = query.map_or(path.to_owned(), |query| format!("{path}?{query}"));
            for form in ["", "http://h"] {
                let verdict = echo(format!("GET {form}{target} HTTP/1.1\r\nHost: h\r\n\r\n"));
                let requests = verdict.requests();
                assert_eq!(requests.len(), 1, "{form}{target}");
                assert_eq!((&*requests[0].path, requests[0].query.as_deref()), (path, query));
            }
        }
    }
}

#[test]
fn an_absolute_target_without_a_path_has_the_root() {
    for (line, path, query) in [
        ("GET http://h", "/", None),
        ("GET http://h?q", "/", Some("q")),
        ("GET http://h/?q", "/", Some("q")),
        ("HEAD http://h:80", "/", None),
        ("OPTIONS http://h", "", None),
        ("OPTIONS *", "", None),
        ("OPTIONS http://h/", "/", None),
        ("OPTIONS http://h?q", "/", Some("q")),
        ("CONNECT h:80", "", None),
    ] {
        let verdict = echo(format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n"));
        let request = verdict.requests()[0];
        assert_eq!((&*request.path, request.query.as_deref()), (path, query), "{line}");
    }
}
