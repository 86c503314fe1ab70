//! A target from a URL through a client to a server: what one sends the other takes, byte for byte.

use endwell::client::Url;
use endwell::http::{HttpLimits, Method, Request};
use endwell_core::http::client::ClientConnection;
use endwell_core::{Instant, OutboxLimits, Wrote};
use endwell_core_tests::verdict::echo;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(11), failure_persistence: None, ..Default::default() }
}

/// What a client writes for a GET.
fn written(url: &Url) -> Vec<u8> {
    let Ok(head) = Request::new(Method::Get, url.authority(), url.target()) else {
        panic!("a URL that is no request: {url:?}")
    };
    let client = ClientConnection::new(HttpLimits::default().into(), OutboxLimits::default());
    let mut call = client.send(&head, "".into());
    let mut written = Vec::new();
    let put = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        written.extend(chunks.flatten());
        Ok::<_, ()>(Some(written.len()))
    };
    assert_eq!(call.io().write(Instant::default(), put), Ok(Wrote::Something));
    written
}

/// The path and the query as RFC 3986 3 finds them: to the fragment, which is dropped.
fn parts(text: &str) -> (String, Option<String>) {
    let text = text.split('#').next().unwrap_or_default();
    match text.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (text.to_owned(), None),
    }
}

proptest! {
    #![proptest_config(config(3000))]

    #[test]
    fn what_a_url_leads_to_is_what_the_server_is_asked_for(
        text in "([/?#][ -~\\r\\n\\t\u{7f}-\u{10ffff}%#?\\\\]{0,24})?",
    ) {
        let (path, query) = parts(&text);
        let is_sent = |c: char| !c.is_ascii_control() && !matches!(c, ' ' | '#');
        let can_be_sent = path.chars().all(|c| is_sent(c) && c != '\\')
            && query.iter().flat_map(|query| query.chars()).all(is_sent);
        let url = Url::parse(&format!("http://h:81{text}"));
        prop_assert_eq!(url.is_ok(), can_be_sent, "{:?}", url);
        let Ok(url) = url else { return Ok(()) };
        let verdict = echo(written(&url));
        prop_assert_eq!(verdict.requests().len(), 1, "{:?}", verdict.records);
        let seen = verdict.requests()[0];
        prop_assert_eq!(&seen.path, if path.is_empty() { "/" } else { &path });
        prop_assert_eq!(&seen.query, &query);
        prop_assert_eq!(seen.authority.as_deref(), Some("h:81"));
    }

    #[test]
    fn what_a_server_takes_a_client_can_send(
        target in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"/%?#a\\[|\xc3\xa9".to_vec())], 0..12),
    ) {
        let target = [b"/", &target[..]].concat();
        let verdict = echo([b"GET ", &target[..], b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat());
        let head = std::str::from_utf8(&target).map(|target| Request::new(Method::Get, "h", target));
        let is_sent = matches!(&head, Ok(Ok(_)));
        // A space or a line end makes another line of it.
        let is_taken = verdict.requests().len() == 1 && !target.contains(&b' ') && !target.contains(&b'\n');
        prop_assert_eq!(is_sent, is_taken, "{}", target.escape_ascii());
    }
}
