//! The Host field, RFC 9112 3.2 and RFC 9110 7.2.

use endwell_core_tests::verdict::{echo, refuses, takes};

#[test]
fn a_host_that_is_missing_repeated_or_invalid_is_refused() {
    let (one, valid) = ("one Host field", "a valid Host");
    refuses(&[
        ("GET / HTTP/1.1~~", 400, "a Host field"),
        ("GET / HTTP/1.2~~", 400, "a Host field"),
        ("GET http://a/ HTTP/1.1~~", 400, "a Host field"),
        ("CONNECT a:1 HTTP/1.1~~", 400, "a Host field"),
        ("OPTIONS * HTTP/1.1~~", 400, "a Host field"),
        ("GET / HTTP/1.1~Host: h~Host: h~~", 400, one),
        ("GET / HTTP/1.1~Host: h~hOST: i~~", 400, one),
        ("GET / HTTP/1.1~Host:~Host: h~~", 400, one),
        ("GET / HTTP/1.0~Host: h~Host: h~~", 400, one),
        ("GET / HTTP/1.1~Host: a b~~", 400, valid),
        ("GET / HTTP/1.1~Host: a, b~~", 400, valid),
        ("GET / HTTP/1.1~Host: http://a~~", 400, valid),
        ("GET / HTTP/1.1~Host: a/b~~", 400, valid),
        ("GET / HTTP/1.1~Host: u@a~~", 400, valid),
        ("GET / HTTP/1.1~Host: a:b~~", 400, valid),
        ("GET / HTTP/1.1~Host: a:65536~~", 400, valid),
        ("GET / HTTP/1.1~Host: a:-1~~", 400, valid),
        ("GET / HTTP/1.1~Host: a:1:2~~", 400, valid),
        ("GET / HTTP/1.1~Host: [::1~~", 400, valid),
        ("GET / HTTP/1.1~Host: [::1]a~~", 400, valid),
        ("GET / HTTP/1.1~Host: [a]~~", 400, valid),
        ("GET / HTTP/1.1~Host: ::1~~", 400, valid),
        ("GET / HTTP/1.1~Host: a%2~~", 400, valid),
        ("GET / HTTP/1.1~Host: \\xc3\\xa9~~", 400, valid),
        ("GET / HTTP/1.0~Host: a b~~", 400, valid),
        ("GET http://a/ HTTP/1.1~Host: b c~~", 400, valid),
        ("GET / HTTP/1.1~Host: :80~~", 400, "a host before the port"),
    ]);
}

#[test]
fn a_valid_host_is_taken() {
    takes(&[
        "GET / HTTP/1.0~~",
        "GET / HTTP/1.1~Host:~~",
        "GET / HTTP/1.1~Host: a~~",
        "GET / HTTP/1.1~Host: a:~~",
        "GET / HTTP/1.1~Host: A.b-c_d:65535~~",
        "GET / HTTP/1.1~Host: 127.0.0.1:80~~",
        "GET / HTTP/1.1~Host: [::ffff:1.2.3.4]:80~~",
        "GET / HTTP/1.1~Host: [v1.x:y]~~",
        "GET / HTTP/1.1~Host: a%2Db~~",
    ]);
}

#[test]
fn the_authority_of_an_absolute_target_overrides_host() {
    for (line, host, authority) in [
        ("GET / HTTP/1.1", "h:1", "h:1"),
        ("GET http://a:2/b HTTP/1.1", "h:1", "a:2"),
        ("GET http://a HTTP/1.1", "", "a"),
        ("GET http://a HTTP/1.0", "h", "a"),
        ("CONNECT a:2 HTTP/1.1", "h:1", "a:2"),
        ("OPTIONS * HTTP/1.1", "h:1", "h:1"),
    ] {
        let verdict = echo(format!("{line}\r\nHost: {host}\r\n\r\n"));
        assert_eq!(verdict.requests()[0].authority.as_deref(), Some(authority), "{line}");
        assert_eq!(verdict.requests()[0].field("host"), Some(host.as_bytes()), "{line}");
    }
    assert_eq!(echo("GET / HTTP/1.0\r\n\r\n").requests()[0].authority, None);
}
