//! The form of responses, RFC 9110 8.6, 9.3.2, 9.3.6 and 15, RFC 9112 6 and 7.

use endwell_core::http::{Field, FieldSection, Framing};
use endwell_core_tests::client::{Asked, Response};
use endwell_core_tests::plan::{Answer, Plan};
use endwell_core_tests::record::{End, Record};
use endwell_core_tests::verdict::with;

const GET: &str = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: h\r\n\r\n";
const OLD: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

/// The response to the first of two requests; whether the second is answered too is the client's to see.
fn first(request: &str, asked: Asked, plan: fn() -> Plan) -> (Response, bool) {
    let mut heard = with(format!("{request}{GET}"), move |_| plan()).heard(&[asked]);
    let second = heard.responses.len() == 2;
    (heard.responses.remove(0), second)
}

#[test]
fn a_length_chunks_and_the_close_end_a_response() {
    let known = || Plan::pieces(Framing::Length(5), &[b"he", b"", b"llo"]);
    let chunked = || Plan::pieces(Framing::Chunked, &[b"he", b"", b"llo"]);
    let full = || Plan::full(200, b"hello");
    let plans: [fn() -> Plan; 3] = [full, known, chunked];
    for (request, asked) in [(GET, Asked::GET), (OLD, Asked::OLD)] {
        for (name, plan) in ["full", "known", "chunked"].into_iter().zip(plans) {
            let (response, second) = first(request, asked, plan);
            let until_close = asked.http10 && name == "chunked";
            assert_eq!(response.content, b"hello", "{request} {name}");
            assert_eq!(
                (response.until_close, response.closes),
                (until_close, until_close),
                "{request} {name}"
            );
            assert_eq!(response.whole, !until_close, "{request} {name}");
            assert_eq!(second, !until_close, "{request} {name}");
        }
    }
}

#[test]
fn head_and_204_205_304_carry_no_content_and_the_connection_stays() {
    let plans: [fn(u16) -> Plan; 3] = [
        |status| Plan::full(status, b"hello"),
        |status| Plan::pieces(Framing::Length(5), &[b"hello"]).status(status),
        |status| Plan::pieces(Framing::Chunked, &[b"hello"]).status(status),
    ];
    for (index, plan) in plans.into_iter().enumerate() {
        for status in [200, 204, 205, 304, 404] {
            for (request, asked) in [(HEAD, Asked::HEAD), (GET, Asked::GET)] {
                if !asked.head && !matches!(status, 204 | 205 | 304) {
                    continue;
                }
                let heard = with(format!("{request}{request}"), move |_| plan(status)).heard(&[asked, asked]);
                let case = format!("{index} {status} {request}");
                assert_eq!(heard.statuses(), [status, status], "{case}");
                assert!(!heard.announced_close() && heard.responses[0].content.is_empty(), "{case}");
                let length = heard.responses[0].field("content-length");
                let expected = match status {
                    204 | 304 => None,
                    205 => Some("0"),
                    _ if index == 2 => None,
                    _ => Some("5"),
                };
                assert_eq!(length, expected, "{case}");
            }
        }
    }
}

#[test]
fn a_head_response_in_chunks_to_http_1_0_does_not_need_the_close() {
    let request = "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let asked = Asked { head: true, ..Asked::OLD };
    let verdict = with(request.repeat(2), |_| Plan::pieces(Framing::Chunked, &[b"x"]));
    assert_eq!(verdict.heard(&[asked, asked]).statuses(), [200, 200]);
}

#[test]
fn trailers_are_sent_only_to_who_takes_them() {
    let plan = || {
        let trailers = FieldSection::new().with(Field::from_static("x-sum", "1"));
        Plan::pieces(Framing::Chunked, &[b"hello"]).trailing(trailers)
    };
    for (te, expected) in [
        ("", false),
        ("TE: trailers\r\n", true),
        ("te: gzip;q=0.5, TRAILERS\r\n", true),
        ("TE: gzip\r\nTE: trailers;q=1\r\n", true),
        ("TE: trailer\r\n", false),
    ] {
        let (response, second) = first(&GET.replace("\r\n\r\n", &format!("\r\n{te}\r\n")), Asked::GET, plan);
        assert_eq!(response.trailers.len(), usize::from(expected), "{te}");
        assert!(response.whole && second && response.field("x-sum").is_none(), "{te}");
    }
}

#[test]
fn a_response_that_fails_is_never_taken_for_a_whole_one() {
    for (request, asked, framing, end) in [
        (GET, Asked::GET, Framing::Length(6), End::Lingered),
        (GET, Asked::GET, Framing::Chunked, End::Lingered),
        (OLD, Asked::OLD, Framing::Length(6), End::Lingered),
        (OLD, Asked::OLD, Framing::Chunked, End::Reset),
    ] {
        for pieces in [[&b""[..]], [b"hello"]] {
            let failing = move |_: &_| Plan::pieces(framing, &pieces).failing();
            let verdict = with(request, failing);
            assert_eq!((verdict.end(), &verdict.records[2]), (&end, &Record::Aborted), "{framing:?}");
            let response = &verdict.heard(&[asked]).responses[0];
            assert!(!response.whole && response.content == pieces.concat(), "{framing:?} {response:?}");
        }
    }
}

#[test]
fn less_than_was_announced_aborts_and_more_is_handed_back() {
    let short = with(GET, |_| Plan::pieces(Framing::Length(6), &[b"hello"]));
    assert_eq!((short.end(), &short.records[2]), (&End::Lingered, &Record::Aborted));
    assert!(!short.heard(&[]).responses[0].whole);
    let (response, second) = first(GET, Asked::GET, || Plan::pieces(Framing::Length(5), &[b"hello", b"!"]));
    assert!(response.whole && second && response.content == b"hello");
}

#[test]
fn a_tunnel_is_for_connect_and_has_no_length() {
    let connect = "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n";
    let verdict = with(format!("{connect}\x16\x03bytes"), |_| Plan::with(Answer::Tunnel));
    assert_eq!(verdict.end(), &End::Upgraded(b"\x16\x03bytes".to_vec()));
    let heard = verdict.heard(&[Asked::CONNECT]);
    assert_eq!((heard.statuses(), heard.beyond), (vec![200], Some(Vec::new())));
    for request in [GET, &connect.replace("\r\n\r\n", "\r\nContent-Length: 1\r\n\r\nx")] {
        assert_ne!(with(request, |_| Plan::with(Answer::Tunnel)).end(), &End::Upgraded(Vec::new()));
    }
    // Success as an ordinary response would be read as a tunnel.
    let plans: [fn() -> Plan; 2] = [|| Plan::full(200, b"x"), || Plan::pieces(Framing::Chunked, &[b"x"])];
    for plan in plans {
        let verdict = with(connect, move |_| plan());
        assert_eq!(verdict.heard(&[Asked::CONNECT]).statuses(), [501]);
    }
    assert_eq!(with(connect, |_| Plan::full(403, b"x")).heard(&[Asked::CONNECT]).statuses(), [403]);
}

#[test]
fn a_switch_needs_an_offer_in_http_1_1_without_content() {
    let offer = |version: &str, lines: &str| format!("GET / HTTP/{version}\r\nHost: h\r\n{lines}\r\n\r\n");
    let plan = |_: &_| Plan::with(Answer::Switch("chat"));
    for lines in [
        "Connection: upgrade\r\nUpgrade: chat",
        "Connection: x, UPGRADE\r\nUpgrade: y, Chat",
        "Upgrade: chat\r\nContent-Length: 0\r\nConnection: Upgrade",
    ] {
        let verdict = with(offer("1.1", lines) + "\x01\x02", plan);
        assert_eq!(verdict.end(), &End::Upgraded(vec![1, 2]), "{lines}");
        let heard = verdict.heard(&[]);
        let [response] = &heard.responses[..] else { panic!("{heard:?}") };
        assert_eq!((response.status, response.field("upgrade")), (101, Some("chat")));
        assert_eq!(response.field("connection"), Some("upgrade"));
    }
    for (version, lines) in [
        ("1.0", "Connection: upgrade\r\nUpgrade: chat"),
        ("1.1", "Upgrade: chat"),
        ("1.1", "Connection: upgrade"),
        ("1.1", "Connection: upgrade\r\nUpgrade: chat2"),
        ("1.1", "Connection: upgrade\r\nUpgrade: chat\r\nContent-Length: 1"),
    ] {
        let verdict = with(offer(version, lines) + "x", plan);
        let asked = Asked { http10: version == "1.0", ..Asked::GET };
        let heard = verdict.heard(&[asked]);
        assert!(heard.beyond.is_none() && heard.statuses()[0] == 200, "{lines}: {heard:?}");
    }
}
