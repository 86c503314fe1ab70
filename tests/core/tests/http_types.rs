//! Conversions from and to the `http` crate: nothing is lost or reordered, and what cannot be carried is refused.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

use bytes::Bytes;
use endwell_core::http::client::{CallEvent, ClientConnection};
use endwell_core::http::server::{Next, ServerConnection};
use endwell_core::http::{
    Connect, Field, FieldSection, HttpLimits, Interim, InterimHead, InvalidField, InvalidHead,
    InvalidRequest, Method, Request, RequestHead, Response, ResponseHead, StatusCode, Version,
};
use endwell_core::{Arrived, Instant, Io, Look, OutboxLimits, Wrote};
use http::{HeaderMap, Uri};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 512,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Default::default()
    }
}

type Lines = Vec<(String, Vec<u8>)>;

/// Few names, in either case, so that they repeat.
fn lines() -> impl Strategy<Value = Lines> {
    let name = prop::sample::select(vec![
        "x-a",
        "X-A",
        "x-b",
        "Set-Cookie",
        "set-cookie",
        "via",
        "Vary",
        "!#$%'*+.^_`|~",
    ]);
    let value = prop::collection::vec(prop_oneof![Just(b'\t'), 0x20..=0x7e_u8, 0x80..=0xff_u8], 0..12);
    let value = value.prop_map(|value| value.trim_ascii().to_vec());
    prop::collection::vec((name.prop_map(String::from), value), 0..12)
}

/// What both sides accept in a target.
const TARGET: &str = "/[!$-;=@-Z_a-z|~\u{e9}]{0,20}(\\?[!$-;=?@-Z_a-z|~\u{e9}]{0,9})?";

fn feed(mut io: Io<'_>, bytes: &[u8]) {
    let arrived = io.read(Instant::default(), |room| {
        room[..bytes.len()].copy_from_slice(bytes);
        Ok::<_, ()>(Look::Bytes(bytes.len()))
    });
    assert_eq!(arrived, Ok(Arrived::Something));
}

fn written(mut io: Io<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    while let Wrote::Something = io
        .write(Instant::default(), |chunks| {
            let before = out.len();
            out.extend(chunks.flatten());
            Ok::<_, ()>(Some(out.len() - before))
        })
        .unwrap()
    {}
    out
}

fn section(first: &str, lines: &Lines) -> Vec<u8> {
    let mut text = first.as_bytes().to_vec();
    for (name, value) in lines {
        text.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    [&text[..], b"\r\n"].concat()
}

fn received(bytes: &[u8]) -> RequestHead {
    let mut server = ServerConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    feed(server.io(), bytes);
    match server.poll() {
        Next::Request(head, _) => head,
        other => panic!("{}: {other:?}", bytes.escape_ascii()),
    }
}

/// The heads of the response to a GET, up to the final one.
fn heard(bytes: &[u8]) -> (Option<InterimHead>, Option<ResponseHead>) {
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let mut call = client.send(&Request::new(Method::Get, "h", "/").unwrap(), Bytes::new());
    written(call.io());
    feed(call.io(), bytes);
    let mut interim = None;
    loop {
        match call.answer().event() {
            Some(CallEvent::Interim(head)) => interim = Some(head.clone()),
            Some(CallEvent::Head(head)) => return (interim, Some(head.clone())),
            None => return (interim, None),
            other => panic!("{}: {other:?}", bytes.escape_ascii()),
        }
    }
}

fn sent(head: &Request) -> Vec<u8> {
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    written(client.send(head, Bytes::new()).io())
}

/// All lines are there, and those with one name are in their order.
fn assert_same<'a>(map: &HeaderMap, lines: impl Iterator<Item = (&'a str, &'a [u8])>) {
    let lines: Vec<_> = lines.collect();
    assert_eq!(map.len(), lines.len(), "{map:?}");
    for (name, _) in &lines {
        let expected =
            lines.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value);
        assert!(map.get_all(*name).iter().map(http::HeaderValue::as_bytes).eq(expected), "{name}: {map:?}");
    }
    // Names are in the order of their first lines.
    let mut firsts: Vec<String> = Vec::new();
    for (name, _) in &lines {
        let name = name.to_ascii_lowercase();
        if !firsts.contains(&name) {
            firsts.push(name);
        }
    }
    assert!(map.keys().map(http::HeaderName::as_str).eq(firsts.iter().map(String::as_str)), "{map:?}");
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_received_request_is_carried_whole_and_can_be_sent_on(
        method in "[A-Z!#$%&'*+.^_`|~-]{1,32}", target in TARGET, minor in 0..=1_u8, fields in lines(),
    ) {
        prop_assume!(method != "CONNECT");
        let bytes = section(&format!("{method} {target} HTTP/1.{minor}\r\nHost: h:81\r\n"), &fields);
        let head = received(&bytes);
        let request = http::Request::try_from(head.clone()).unwrap();
        prop_assert_eq!(request.method().as_str(), &method);
        prop_assert_eq!(request.uri().to_string(), &target[..]);
        prop_assert_eq!(Version::try_from(request.version()), Ok(head.version()));
        assert_same(request.headers(), head.fields().iter());
        let original = request.extensions().get::<RequestHead>().unwrap();
        prop_assert!(original.fields().iter().eq(head.fields().iter()));

        let again = Request::try_from(&request).unwrap();
        prop_assert_eq!((again.method().as_str(), again.host(), again.target()), (&method[..], "h:81", &target[..]));
        let relayed = received(&sent(&again));
        let converted = http::Request::try_from(relayed).unwrap();
        let mut expected = request.headers().clone();
        if ["POST", "PUT", "PATCH"].contains(&&method[..]) {
            expected.insert("content-length", http::HeaderValue::from(0));
        }
        prop_assert_eq!(converted.headers(), &expected);
        prop_assert_eq!((converted.method(), converted.uri()), (request.method(), request.uri()));
    }

    #[test]
    fn a_received_response_is_carried_whole_and_can_be_sent_on(
        code in 200..=599_u16, reason in "[ -~]{0,9}", minor in 0..=1_u8, fields in lines(),
    ) {
        let bytes = section(&format!("HTTP/1.{minor} {code} {reason}\r\n"), &fields);
        let head = heard(&bytes).1.unwrap();
        let response = http::Response::try_from(head.clone()).unwrap();
        prop_assert_eq!(response.status().as_u16(), code);
        prop_assert_eq!(Version::try_from(response.version()), Ok(head.version()));
        assert_same(response.headers(), head.fields().iter());
        prop_assert_eq!(response.extensions().get::<ResponseHead>().unwrap().as_bytes(), &bytes[..]);

        let again = Response::try_from(&response).unwrap();
        prop_assert_eq!(again.status(), head.status());
        assert_same(response.headers(), again.fields().iter());
        let converted = http::Response::try_from(&again).unwrap();
        prop_assert_eq!((converted.status(), converted.headers()), (response.status(), response.headers()));
    }

    #[test]
    fn an_interim_head_too(code in 100..=199_u16, fields in lines()) {
        prop_assume!(code != 101);
        let bytes = section(&format!("HTTP/1.1 {code} \r\n"), &fields);
        let head = heard(&bytes).0.unwrap();
        let response = http::Response::try_from(head.clone()).unwrap();
        prop_assert_eq!(response.status().as_u16(), code);
        assert_same(response.headers(), head.fields().iter());
        match Interim::try_from(&response) {
            Ok(again) => {
                prop_assert_eq!(again.status(), code);
                let converted = http::Response::try_from(&again).unwrap();
                prop_assert_eq!(converted.headers(), response.headers());
            }
            Err(error) => prop_assert!(code < 102 && matches!(error, InvalidHead::Interim(_)), "{error}"),
        }
        prop_assert!(matches!(Response::try_from(&response), Err(InvalidHead::Status(_))));
    }

    #[test]
    fn fields_to_send_go_there_and_back(fields in lines()) {
        let mut section = FieldSection::new();
        for (name, value) in &fields {
            section.push(Field::new(name, value).unwrap());
        }
        let map = HeaderMap::try_from(&section).unwrap();
        assert_same(&map, section.iter());
        let again = FieldSection::try_from(&map).unwrap();
        assert_same(&map, again.iter());
        prop_assert_eq!(HeaderMap::try_from(&again).unwrap(), map);
    }

    #[test]
    fn both_agree_on_what_a_method_is(text in "[A-Za-z0-9!#$%&'*+.^_`|~:()\u{e9} -]{0,34}") {
        let other = http::Method::from_bytes(text.as_bytes());
        match Method::try_from(&text[..]) {
            Ok(method) => {
                let other = other.unwrap();
                prop_assert_eq!(other.as_str(), method.as_str());
                prop_assert_eq!(http::Method::try_from(method).unwrap(), other.clone());
                prop_assert_eq!(Method::try_from(&other), Ok(method));
            }
            Err(_) => prop_assert!(text.len() > 32 || other.is_err(), "{text:?}"),
        }
        // A token that is too long for a method of ours.
        let long = http::Method::from_bytes(&[b'A'; 33]).unwrap();
        prop_assert!(Method::try_from(&long).is_err());
    }

    #[test]
    fn any_target_is_carried_as_it_is_or_refused(target in "/[!-\"$-~\u{e9}]{0,9}(\\?[!-\"$-~\u{e9}]{0,9})?") {
        prop_assume!(!target.split('?').next().unwrap().contains('\\'));
        let head = received(format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes());
        if let Ok(uri) = Uri::try_from(head.target()) {
            prop_assert_eq!(uri.to_string(), &target[..]);
            prop_assert_eq!((uri.path(), uri.query()), (head.path(), head.query()));
        }
    }
}

#[test]
fn the_other_forms_of_a_target() {
    for (line, uri, scheme, authority, path) in [
        ("GET http://h:80/a?q", "http://h:80/a?q", Some("http"), Some("h:80"), "/a"),
        ("GET HTTP://h?q", "http://h/?q", Some("http"), Some("h"), "/"),
        ("GET http://h", "http://h/", Some("http"), Some("h"), "/"),
        ("GET urn-x://[::1]:8080/a", "urn-x://[::1]:8080/a", Some("urn-x"), Some("[::1]:8080"), "/a"),
        ("CONNECT h:443", "h:443", None, Some("h:443"), ""),
        ("OPTIONS *", "*", None, None, "*"),
    ] {
        let host = authority.unwrap_or("h");
        let head = received(format!("{line} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
        assert_eq!(Some(head.target_str()), line.split(' ').nth(1));
        let request = http::Request::try_from(head).unwrap();
        let found = request.uri();
        assert_eq!(found.to_string(), uri);
        let parts = (found.scheme_str(), found.authority().map(http::uri::Authority::as_str), found.path());
        assert_eq!(parts, (scheme, authority, path));
        if *request.method() == http::Method::CONNECT {
            let again = Connect::try_from(&request);
            assert!(matches!(again, Err(InvalidHead::Field(..)) | Ok(_)));
            assert_eq!(Request::try_from(&request), Err(InvalidRequest::Connect.into()));
        }
    }
}

#[test]
fn where_the_host_of_a_request_comes_from() {
    let of = |uri: &str, host: &[&str]| {
        let mut request = http::Request::get(uri).body(()).unwrap();
        for host in host {
            request.headers_mut().append("host", host.parse().unwrap());
        }
        Request::try_from(&request).map(|head| (head.host().to_owned(), head.target().to_owned()))
    };
    let is = |host: &str, target: &str| Ok((host.into(), target.into()));
    assert_eq!(of("http://h:80/a?b", &[]), is("h", "/a?b"));
    assert_eq!(of("https://h:443", &[]), is("h", "/"));
    assert_eq!(of("wss://[::1]:443?q", &[]), is("[::1]", "/?q"));
    assert_eq!(of("https://h:80/", &[]), is("h:80", "/"));
    assert_eq!(of("http://h/", &["other"]), is("other", "/"));
    assert_eq!(of("/", &["h:1"]), is("h:1", "/"));
    let no_host = Err(InvalidHead::Request(InvalidRequest::Host));
    for (uri, hosts) in
        [("/", &[][..]), ("/", &["a", "a"]), ("/", &[""]), ("http://u:p@h/", &[]), ("http://u@h:80/", &[])]
    {
        assert_eq!(of(uri, hosts), no_host, "{uri} {hosts:?}");
    }
}

#[test]
fn what_frames_a_message_or_manages_a_connection_is_refused_or_has_its_own_place() {
    for name in ["content-length", "transfer-encoding", "upgrade", "date", "expect", "sec-websocket-key"] {
        let mut request = http::Request::get("http://h/").header(name, "1").body(()).unwrap();
        let refused = Err(InvalidHead::Field(name.parse().unwrap(), InvalidField::Reserved));
        assert_eq!(Request::try_from(&request).map(drop), refused);
        let map = std::mem::take(request.headers_mut());
        assert_eq!(FieldSection::try_from(&map).map(drop), refused);
        let mut response = http::Response::new(());
        *response.headers_mut() = map;
        assert_eq!(Response::try_from(&response).map(drop), refused);
    }
    let request = |name: &str, value: &str| {
        Request::try_from(&http::Request::get("http://h/").header(name, value).body(()).unwrap())
    };
    let plain = || Request::new(Method::Get, "h", "/").unwrap();
    assert_eq!(request("te", "Trailers"), Ok(plain().with_trailers()));
    assert_eq!(request("connection", "TE, Close"), Ok(plain().last()));
    assert!(request("te", "gzip").is_err() && request("connection", "x").is_err());
    for head in [plain(), plain().last(), plain().with_trailers(), plain().last().with_trailers()] {
        assert_eq!(Request::try_from(&http::Request::try_from(&head).unwrap()), Ok(head));
    }
    let tunnel = Connect::new("h:443").unwrap().header("via", "x").unwrap();
    assert_eq!(Connect::try_from(&http::Request::try_from(&tunnel).unwrap()), Ok(tunnel));
}

#[test]
fn statuses_and_versions() {
    for code in 0..=1000 {
        let ours = StatusCode::new(code).ok();
        let theirs = http::StatusCode::from_u16(code).ok();
        assert_eq!(theirs.and_then(|status| StatusCode::try_from(status).ok()), ours, "{code}");
        assert_eq!(
            ours.and_then(|status| status.try_into().ok()),
            theirs.filter(|_| ours.is_some()),
            "{code}"
        );
    }
    // An odd code of a server is carried if that is possible.
    for (code, carried) in [("099", false), ("600", true), ("999", true)] {
        let head = heard(format!("HTTP/1.1 {code} \r\n\r\n").as_bytes()).1.unwrap();
        assert_eq!(http::Response::try_from(head).is_ok(), carried, "{code}");
    }
    for version in [http::Version::HTTP_09, http::Version::HTTP_2, http::Version::HTTP_3] {
        assert!(Version::try_from(version).is_err());
    }
}

#[test]
fn credentials_are_marked_and_memory_is_shared() {
    let head = received(b"GET / HTTP/1.1\r\nHost: h\r\nCookie: id=secret\r\nAuthorization: secret\r\n\r\n");
    let request = http::Request::try_from(head.clone()).unwrap();
    assert!(!format!("{request:?}").contains("secret"), "{request:?}");
    let value = request.headers()["cookie"].as_bytes();
    assert_eq!(head.fields().get("cookie").unwrap().as_ptr(), value.as_ptr());
}

#[test]
fn the_fields_that_a_program_may_send() {
    let mut map = HeaderMap::new();
    for (name, value) in [
        ("content-length", "5"),
        ("x-a", "1"),
        ("Connection", "close"),
        ("x-b", ""),
        ("x-a", "2"),
        ("date", "now"),
    ] {
        map.append(http::HeaderName::try_from(name).unwrap(), value.parse().unwrap());
    }
    let section = FieldSection::without_reserved(&map);
    assert_eq!(section.as_bytes(), b"x-a: 1\r\nx-a: 2\r\nx-b: \r\n");
}

#[test]
fn an_offer_to_upgrade_is_carried() {
    let refusal = endwell_core::ws::NotAHandshake::NotAsked.head();
    let response = http::Response::try_from(&refusal).unwrap();
    assert_eq!(
        (&response.headers()["upgrade"], &response.headers()["connection"]),
        (&"websocket".parse().unwrap(), &"upgrade".parse().unwrap())
    );
}
