//! Laws that hold for every response, tried on generated ones. The seed is fixed: the same run everywhere.

use endwell_core::http::{Framing, Method, Reading};
use endwell_core_tests::asking::{Ask, Note, Pieces, Until, head};
use endwell_core_tests::cutter;
use endwell_core_tests::hearing::{self, Hearing};
use endwell_core_tests::random::Random;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 4000,
        rng_seed: RngSeed::Fixed(7),
        failure_persistence: None,
        ..Default::default()
    }
}

/// A valid response, as it is meant.
#[derive(Clone, Debug)]
struct Meant {
    interim: Vec<u16>,
    minor: u8,
    status: u16,
    reason: String,
    fields: Vec<(String, String)>,
    body: Body,
    closes: bool,
}

#[derive(Clone, Debug)]
enum Body {
    UntilClose(Vec<u8>),
    Known(Vec<u8>),
    Chunked(Vec<(Vec<u8>, &'static str)>, Vec<(String, String)>),
}

impl Meant {
    fn has_content(&self, ask: &Ask) -> bool {
        let is_head = matches!(ask, Ask::Whole(head, _) if head.method() == Method::Head);
        !is_head && !matches!(self.status, 204 | 304)
    }

    fn write(&self, ask: &Ask) -> Vec<u8> {
        let mut text = Vec::new();
        for status in &self.interim {
            text.extend(format!("HTTP/1.1 {status} hint\r\na: b\r\n\r\n").into_bytes());
        }
        text.extend(format!("HTTP/1.{} {} {}\r\n", self.minor, self.status, self.reason).into_bytes());
        let mut line = |line: String| text.extend([line.as_bytes(), b"\r\n"].concat());
        for (name, value) in &self.fields {
            line(format!("{name}: {value}"));
        }
        match (self.closes, self.minor) {
            (true, 1) => line("Connection: close".into()),
            (false, 0) => line("connection: Keep-Alive".into()),
            _ => {}
        }
        // A 204 announces nothing.
        match &self.body {
            Body::UntilClose(_) => {}
            _ if self.status == 204 => {}
            Body::Known(content) => line(format!("Content-Length: {}", content.len())),
            Body::Chunked(..) => line("Transfer-Encoding: chunked".into()),
        }
        line(String::new());
        if !self.has_content(ask) {
            return text;
        }
        match &self.body {
            Body::UntilClose(content) | Body::Known(content) => text.extend(content),
            Body::Chunked(chunks, trailers) => {
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

    fn content(&self, ask: &Ask) -> (Vec<u8>, Until) {
        match &self.body {
            _ if !self.has_content(ask) => (Vec::new(), Until::End),
            Body::UntilClose(content) => (content.clone(), Until::Close),
            Body::Known(content) => (content.clone(), Until::End),
            Body::Chunked(chunks, _) => {
                (chunks.iter().flat_map(|(chunk, _)| chunk.clone()).collect(), Until::End)
            }
        }
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
        content().prop_map(Body::UntilClose),
        content().prop_map(Body::Known),
        (prop::collection::vec((chunk, extension), 0..4), fields()).prop_map(|(c, t)| Body::Chunked(c, t)),
    ]
}

fn response() -> impl Strategy<Value = Meant> {
    let interim = prop::collection::vec(prop::sample::select(vec![100, 102, 103, 150]), 0..3);
    let status = prop_oneof![Just(200), Just(204), Just(304), 200..600_u16];
    (interim, 0..=1_u8, status, "[ -~\t]{0,9}", fields(), body(), any::<bool>()).prop_map(
        |(interim, minor, status, reason, fields, body, closes)| {
            let minor = if matches!(body, Body::Chunked(..)) { 1 } else { minor };
            Meant { interim, minor, status, reason, fields, body, closes }
        },
    )
}

fn ask() -> impl Strategy<Value = Ask> {
    prop::sample::select(vec![
        Ask::get(),
        Ask::with(Method::Head),
        Ask::Whole(head(Method::Put), b"whole".to_vec()),
        Ask::Pieces(head(Method::Post), Pieces::new(Framing::Chunked, &[b"some", b"where"])),
        Ask::Expecting(head(Method::Post), Pieces::new(Framing::Length(3), &[b"few"])),
    ])
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
        b"Content-Length: 3\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"HTTP/1.0 999",
        b" \r\n ",
        b"\r\n\t",
        b", 3",
        b" \r\n",
        b"0000000",
        b"HTTP/1.1 101 x\r\n\r\n",
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

/// However it is split, the same is heard by either reader, and what a strict one takes is heard alike by an ordinary one.
fn one_verdict(ask: &Ask, input: &[u8], seed: u64) -> Result<Hearing, TestCaseError> {
    let strict = heard_by(Reading::Strict, ask, input, seed)?;
    let ordinary = heard_by(Reading::Ordinary, ask, input, seed)?;
    prop_assert_eq!(hearing::alike(&strict, &ordinary), Ok(()));
    Ok(ordinary)
}

fn heard_by(reading: Reading, ask: &Ask, input: &[u8], seed: u64) -> Result<Hearing, TestCaseError> {
    let limits = hearing::reading(reading);
    let whole = hearing::of(ask, &[input], &limits);
    let pieces = cutter::at_random(input, 40, &mut Random::new(seed));
    prop_assert_eq!(&hearing::of(ask, &pieces, &limits), &whole);
    prop_assert_eq!(&hearing::of(ask, &cutter::byte_by_byte(input), &limits), &whole);
    let ends = |note: &Note| matches!(note, Note::Failed(_) | Note::BodyFailed(..) | Note::Content(..));
    prop_assert_eq!(whole.notes.iter().filter(|note| ends(note)).count(), 1, "{:?}", whole.notes);
    prop_assert!(whole.notes.last().is_some_and(ends), "{:?}", whole.notes);
    Ok(whole)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_valid_response_is_understood_as_it_was_meant(meant in response(), ask in ask(), seed: u64) {
        let heard = one_verdict(&ask, &meant.write(&ask), seed)?;
        let (content, until) = meant.content(&ask);
        prop_assert_eq!((heard.status(), heard.content()), (Some(meant.status), Some((&content[..], until))));
        let expecting = matches!(ask, Ask::Expecting(..)) && !meant.interim.contains(&100);
        let closes = meant.closes || until == Until::Close || expecting;
        prop_assert_eq!(heard.kept, !closes);
        let interim: Vec<_> = heard.notes.iter().filter_map(|note| match note {
            Note::Continue => Some(100),
            Note::Interim(status, _) => Some(*status),
            _ => None,
        }).collect();
        prop_assert_eq!(&interim, &meant.interim);
        let sent = |fields: &[(String, String)]| -> Vec<(String, Vec<u8>)> {
            fields.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect()
        };
        let of_ours = |(name, _): &&(String, Vec<u8>)| name.starts_with("x-");
        for note in &heard.notes {
            match note {
                Note::Head(_, minor, fields) => {
                    prop_assert_eq!(*minor, meant.minor);
                    let ours: Vec<_> = fields.iter().filter(of_ours).cloned().collect();
                    prop_assert_eq!(ours, sent(&meant.fields));
                }
                Note::Trailers(fields) => {
                    let Body::Chunked(_, trailers) = &meant.body else { panic!("trailers without chunks") };
                    prop_assert_eq!(fields, &sent(trailers));
                }
                _ => {}
            }
        }
    }

    /// Cut anywhere, it is never taken for a whole one, unless only the close ends it.
    #[test]
    fn a_truncated_response_is_never_whole(meant in response(), ask in ask(), seed: u64) {
        let input = meant.write(&ask);
        let (content, until) = meant.content(&ask);
        let at = Random::new(seed).below(input.len());
        let heard = one_verdict(&ask, &input[..at], seed)?;
        prop_assert!(!heard.kept);
        match heard.notes.last() {
            Some(Note::Failed(why)) => prop_assert!(why.contains("RFC 9112"), "{}", why),
            Some(Note::BodyFailed(came, why)) => {
                prop_assert!(content.starts_with(came) && why.contains(&format!("\"{} of ", came.len())), "{}", why);
            }
            Some(Note::Content(came, Until::Close)) => {
                prop_assert!(until == Until::Close && content.starts_with(came));
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_damaged_response_ends_in_a_value(meant in response(), ask in ask(), seed: u64) {
        one_verdict(&ask, &mutate(meant.write(&ask), seed), seed)?;
    }

    #[test]
    fn garbage_ends_in_a_value(
        input in prop::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(b"\r\n :/1.02HTP".to_vec())], 0..80),
        ask in ask(),
        seed: u64,
    ) {
        one_verdict(&ask, &input, seed)?;
    }
}
