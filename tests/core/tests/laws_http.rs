//! Laws that hold for every input, tried on generated ones. The seed is fixed: the same run everywhere.
#![expect(clippy::indexing_slicing, clippy::wildcard_enum_match_arm, reason = "a test fails by panicking")]

use endwell_core::http::{Framing, HttpLimits, RequestHead};
use endwell_core_tests::client::{self, Asked};
use endwell_core_tests::cutter;
use endwell_core_tests::plan::Plan;
use endwell_core_tests::random::Random;
use endwell_core_tests::record::{End, Record};
use endwell_core_tests::verdict::{self, Verdict};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..Default::default() }
}

/// A valid request, as it is meant.
#[derive(Clone, Debug)]
struct Meant {
    empty_lines: usize,
    method: &'static str,
    path: String,
    minor: u8,
    fields: Vec<(String, String)>,
    keeps: bool,
    body: Body,
    expects: bool,
}

#[derive(Clone, Debug)]
enum Body {
    None,
    Known(Vec<u8>),
    Chunked(Vec<(Vec<u8>, &'static str)>, Vec<(String, String)>),
}

impl Meant {
    fn write(&self) -> Vec<u8> {
        let Self { empty_lines, method, path, minor, .. } = self;
        let before = "\r\n".repeat(*empty_lines);
        let mut text = format!("{before}{method} {path} HTTP/1.{minor}\r\nHost: h\r\n").into_bytes();
        let mut line = |line: String| text.extend([line.as_bytes(), b"\r\n"].concat());
        for (name, value) in &self.fields {
            line(format!("{name}: {value}"));
        }
        match (self.keeps, self.minor) {
            (false, 1) => line("Connection: close".into()),
            (true, 0) => line("connection: Keep-Alive".into()),
            _ => {}
        }
        if self.expects {
            line("Expect: 100-continue".into());
        }
        match &self.body {
            Body::None => text.extend(b"\r\n"),
            Body::Known(content) => {
                line(format!("Content-Length: {}\r\n", content.len()));
                text.extend(content);
            }
            Body::Chunked(chunks, trailers) => {
                line("Transfer-Encoding: chunked\r\n".into());
                for (chunk, extension) in chunks {
                    text.extend(format!("{:x}{extension}\r\n", chunk.len()).into_bytes());
                    text.extend([chunk, &b"\r\n"[..]].concat());
                }
                text.extend(b"0\r\n");
                for (name, value) in trailers {
                    text.extend(format!("{name}:{value}\r\n").into_bytes());
                }
                text.extend(b"\r\n");
            }
        }
        text
    }

    fn content(&self) -> Vec<u8> {
        match &self.body {
            Body::None => Vec::new(),
            Body::Known(content) => content.clone(),
            Body::Chunked(chunks, _) => chunks.iter().flat_map(|(chunk, _)| chunk.clone()).collect(),
        }
    }

    fn asked(&self) -> Asked {
        Asked { head: self.method == "HEAD", connect: false, http10: self.minor == 0 }
    }
}

fn fields() -> impl Strategy<Value = Vec<(String, String)>> {
    prop::collection::vec(("x-[a-zA-Z0-9!#$%&'*+.^_`|~-]{0,9}", "([!-~]([ -~\t]{0,12}[!-~])?)?"), 0..6)
}

fn body() -> impl Strategy<Value = Body> {
    let content = || prop::collection::vec(any::<u8>(), 0..60);
    let chunk = prop::collection::vec(any::<u8>(), 1..20);
    let extension = prop::sample::select(vec!["", ";a", ";a=b", " ; a = \"b;\\\"\" ;c"]);
    prop_oneof![
        Just(Body::None),
        content().prop_map(Body::Known),
        (prop::collection::vec((chunk, extension), 0..4), fields()).prop_map(|(c, t)| Body::Chunked(c, t)),
    ]
}

fn request() -> impl Strategy<Value = Meant> {
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "X-Y"]);
    let path = "/[!-\"$->@-\\[\\]-~\u{e9}\u{1f600}]{0,20}(\\?[!-\"$-~\u{e9}]{0,9})?";
    let line = (prop_oneof![Just(0), 0..=8_usize], method, path, 0..=1_u8);
    (line, fields(), prop::bool::weighted(0.9), body(), any::<bool>()).prop_map(
        |((empty_lines, method, path, minor), fields, keeps, body, expects)| {
            let minor = if matches!(body, Body::Chunked(..)) { 1 } else { minor };
            Meant { empty_lines, method, path, minor, fields, keeps, body, expects }
        },
    )
}

/// Up to five requests; only the last may close.
fn stream() -> impl Strategy<Value = Vec<Meant>> {
    prop::collection::vec(request(), 1..5).prop_map(|mut stream| {
        let last = stream.len() - 1;
        stream[..last].iter_mut().for_each(|request| request.keeps = true);
        stream
    })
}

fn written(stream: &[Meant]) -> Vec<u8> {
    stream.iter().flat_map(Meant::write).collect()
}

/// Every kind of answer, chosen by the target.
fn varied(request: &RequestHead) -> Plan {
    // How much has arrived of chunks decides whether an early answer keeps the connection: that has a law of its own.
    let is_chunked = request.fields().get("transfer-encoding").is_some();
    let plan = match request.path().len() % 7 {
        0 if !is_chunked => Plan { reads: false, ..Plan::full(200, b"early") },
        1 => Plan::pieces(Framing::Chunked, &[b"some", b"where"]),
        2 => Plan::pieces(Framing::Length(9), &[b"some", b"where"]),
        3 => Plan { reads: false, ..Plan::pieces(Framing::Length(5), &[b"early"]) },
        4 => Plan::pieces(Framing::Chunked, &[b"some"]).failing(),
        5 => Plan::full(204, b"x"),
        _ => Plan::echo(),
    };
    Plan { hints: request.path().len() % 2, ..plan }
}

/// What a strict client makes of it: only whole responses, except the last, and an end that was announced unless
/// the client ended it, the rest of a body was not what was announced, or a response was cut off.
fn lawful(verdict: &Verdict) -> Result<(), TestCaseError> {
    let mut asked: Vec<Asked> = verdict
        .requests()
        .iter()
        .map(|seen| Asked {
            head: seen.method == "HEAD",
            connect: seen.method == "CONNECT",
            http10: seen.minor == 0,
        })
        .collect();
    // A refused HEAD does not reach the application, and its refusal has no content.
    if verdict.refused().is_some() && verdict.output.ends_with(b"\r\n\r\n") {
        asked.push(Asked::HEAD);
    }
    let heard = client::read(&verdict.output, &asked).map_err(TestCaseError::fail)?;
    let cut = verdict.records.contains(&Record::Aborted);
    for (index, response) in heard.responses.iter().enumerate() {
        let last = index + 1 == heard.responses.len();
        prop_assert!(response.whole || (last && (cut || response.until_close)), "{:?}", response);
    }
    let unannounced = cut || verdict.records.contains(&Record::DrainFailed);
    match verdict.end() {
        End::ByPeer => prop_assert!(!heard.announced_close()),
        End::Lingered => prop_assert!(heard.announced_close() || unannounced, "{:?}", verdict.records),
        End::Reset => prop_assert!(cut),
        other => prop_assert!(false, "{:?}", other),
    }
    let answered = verdict.records.iter().filter(|r| matches!(r, Record::Answered(_) | Record::Refused(..)));
    prop_assert_eq!(heard.responses.len(), answered.count() + usize::from(cut));
    Ok(())
}

/// One to four small changes.
fn mutate(mut bytes: Vec<u8>, seed: u64) -> Vec<u8> {
    let random = &mut Random::new(seed);
    let pieces: &[&[u8]] = &[
        b"\r\n",
        b"\r",
        b"\n",
        b" ",
        b":",
        b"\0",
        b"0",
        b"\r\n\r\n",
        b"chunked",
        b",",
        b";",
        b"HTTP/1.0",
        b"\xff",
    ];
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, random.pick(pieces).iter().copied())),
            2 => drop(bytes.drain(at..(at + 1 + random.below(4)).min(bytes.len()).max(at))),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
    bytes
}

fn split(input: &[u8], seed: u64) -> Verdict {
    let pieces = cutter::at_random(input, 40, &mut Random::new(seed));
    verdict::of(&pieces, &HttpLimits::default(), varied)
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn a_valid_stream_is_understood_as_it_was_meant(stream in stream(), seed: u64) {
        let input = written(&stream);
        let pieces = cutter::at_random(&input, 40, &mut Random::new(seed));
        let verdict = verdict::of(&pieces, &HttpLimits::default(), |_| Plan::echo());
        prop_assert_eq!(verdict.refused(), None);
        prop_assert_eq!(verdict.requests().len(), stream.len());
        let contents: Vec<_> = stream.iter().map(Meant::content).collect();
        prop_assert_eq!(verdict.contents(), contents.iter().map(|content| &content[..]).collect::<Vec<_>>());
        let asked: Vec<_> = stream.iter().map(Meant::asked).collect();
        let heard = client::read(&verdict.output, &asked).map_err(TestCaseError::fail)?;
        let mut trailers = verdict.records.iter().filter_map(|record| match record {
            Record::Trailers(lines) => Some(lines),
            _ => None,
        });
        for ((meant, seen), response) in stream.iter().zip(verdict.requests()).zip(&heard.responses) {
            prop_assert_eq!((seen.method.as_str(), seen.minor), (meant.method, meant.minor));
            let query = seen.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
            prop_assert_eq!(format!("{}{query}", seen.path), meant.path.as_str());
            let sent = |fields: &[(String, String)]| -> Vec<(String, Vec<u8>)> {
                fields.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect()
            };
            let of_ours = |name: &str| name.starts_with("x-");
            let found: Vec<_> = seen.fields.iter().filter(|(name, _)| of_ours(name)).cloned().collect();
            prop_assert_eq!(found, sent(&meant.fields));
            match &meant.body {
                Body::Chunked(_, lines) if !lines.is_empty() => {
                    prop_assert_eq!(trailers.next(), Some(&sent(lines)));
                }
                _ => {}
            }
            let expects = meant.expects && meant.minor == 1 && !matches!(&meant.body, Body::None)
                && !matches!(&meant.body, Body::Known(content) if content.is_empty());
            prop_assert_eq!(response.interim.contains(&100), expects);
            let content = if meant.method == "HEAD" { Vec::new() } else { meant.content() };
            prop_assert!(response.whole && response.content == content);
        }
        prop_assert_eq!(heard.announced_close(), !stream[stream.len() - 1].keeps);
    }

    #[test]
    fn any_split_gives_the_same_events_and_output(stream in stream(), seed: u64) {
        let input = written(&stream);
        let whole = verdict::of(&[&input], &HttpLimits::default(), varied);
        prop_assert_eq!(&split(&input, seed), &whole);
        prop_assert_eq!(&verdict::of(&cutter::byte_by_byte(&input), &HttpLimits::default(), varied), &whole);
        lawful(&whole)?;
    }

    /// What an early answer does to the connection depends on what had arrived by then, and on nothing else.
    #[test]
    fn an_unread_body_costs_the_connection_only_if_its_end_is_unknown_and_has_not_arrived(
        stream in stream(),
        starts: bool,
        seed: u64,
    ) {
        let early = Plan::full(200, b"early").unread();
        let started = Plan::pieces(Framing::Length(5), &[b"early"]).unread();
        let input = written(&stream);
        let pieces = cutter::at_random(&input, 40, &mut Random::new(seed));
        let verdict = verdict::of(&pieces, &HttpLimits::default(), move |_| if starts { started.clone() } else { early.clone() });
        let (mut begins, mut expected, mut kept) = (0, 0, true);
        for meant in &stream {
            let text = meant.write();
            let line = text.iter().position(|byte| !b"\r\n".contains(byte)).unwrap();
            let head = begins + line + text[line..].windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
            let end = begins + text.len();
            // All that had arrived when the head was whole.
            let arrived = pieces.iter().scan(0, |at, piece| { *at += piece.len(); Some(*at) }).find(|at| *at >= head).unwrap();
            let waits = meant.expects && meant.minor == 1 && end > head && arrived == head;
            let unknown = matches!(meant.body, Body::Chunked(..)) && arrived < end && !starts;
            (begins, expected) = (end, expected + 1);
            if !meant.keeps || waits || unknown {
                kept = false;
                break;
            }
        }
        // In step: the requests are those that were meant, and the connection ends where it was said.
        let meant = stream.iter().map(|meant| format!("{:?}", meant.path.split('?').next().unwrap()));
        let asked: Vec<_> = stream.iter().take(expected).map(Meant::asked).collect();
        let seen = verdict.requests();
        prop_assert_eq!(seen.len(), expected);
        prop_assert!(seen.iter().zip(meant).all(|(seen, path)| seen.target.contains(&path)));
        let heard = client::read(&verdict.output, &asked).map_err(TestCaseError::fail)?;
        prop_assert!(heard.responses.len() == expected && heard.responses.iter().all(|response| response.whole));
        prop_assert_eq!(heard.announced_close(), !kept);
        prop_assert_eq!(verdict.end(), if kept { &End::ByPeer } else { &End::Lingered });
    }

    #[test]
    fn a_damaged_stream_ends_in_a_value_the_same_under_every_split(stream in stream(), seed: u64) {
        let input = mutate(written(&stream), seed);
        let whole = verdict::of(&[&input], &HttpLimits::default(), varied);
        prop_assert_eq!(&split(&input, seed), &whole);
        prop_assert_eq!(&verdict::of(&cutter::byte_by_byte(&input), &HttpLimits::default(), varied), &whole);
        lawful(&whole)?;
    }

    #[test]
    fn garbage_ends_in_a_value_the_same_under_every_split(
        input in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\r\n :/1.GETHP".to_vec())], 0..80),
        seed: u64,
    ) {
        let whole = verdict::of(&[&input], &HttpLimits::default(), varied);
        prop_assert_eq!(&split(&input, seed), &whole);
        lawful(&whole)?;
    }
}
