//! Two cores, a client and a server: random exchanges, random splits, random cuts. The client hears the whole exchange
//! or what is missing of it, and no byte of one response in another.

use core::time::Duration;
use endwell_core::OutboxLimits;
use endwell_core::http::{Framing, Limits, Method, Request, RequestHead};
use endwell_tests::asking::{Ask, Asking, Note, Pieces, Until};
use endwell_tests::connection::Connection;
use endwell_tests::plan::Plan;
use endwell_tests::random::Random;
use endwell_tests::record::End;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

/// What the server does with a request; the path says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Echo,
    Whole,
    Chunks,
    Length,
    Nothing,
    Unread,
    Hints,
    Closes,
    Fails,
}

const KINDS: [Kind; 9] = [
    Kind::Echo,
    Kind::Whole,
    Kind::Chunks,
    Kind::Length,
    Kind::Nothing,
    Kind::Unread,
    Kind::Hints,
    Kind::Closes,
    Kind::Fails,
];

#[derive(Clone, Debug)]
struct Exchange {
    kind: Kind,
    method: &'static str,
    /// Bytes of content, and how they are sent.
    content: usize,
    form: usize,
}

#[derive(Clone, Copy, Debug)]
enum Cut {
    Nowhere,
    /// Nothing arrives behind so many bytes but the end of the stream.
    Up(usize),
    Down(usize),
}

/// The byte that all content of an exchange is made of, in both directions.
fn tag(index: usize) -> u8 {
    0x80 + u8::try_from(index).unwrap()
}

const CONTENT: usize = 700;

fn handler(request: &Request) -> Plan {
    let (_, rest) = request.path().split_once('/').unwrap();
    let (index, kind) = rest.split_once('/').unwrap();
    let content = vec![tag(index.parse().unwrap()); CONTENT];
    let (some, more) = content.split_at(300);
    match KINDS[kind.parse::<usize>().unwrap()] {
        Kind::Echo => Plan::echo(),
        Kind::Whole => Plan::full(200, &content),
        Kind::Chunks => Plan::pieces(Framing::Chunked, &[some, more]),
        Kind::Length => Plan::pieces(Framing::Length(700), &[some, more]),
        Kind::Nothing => Plan::full(204, &content),
        Kind::Unread => Plan::full(200, &content).unread(),
        Kind::Hints => Plan { hints: 3, ..Plan::full(404, &content) },
        Kind::Closes => Plan { closes: true, ..Plan::full(200, &content) },
        Kind::Fails => Plan::pieces(Framing::Chunked, &[some]).failing(),
    }
}

impl Exchange {
    fn ask(&self, index: usize) -> Ask {
        let kind = KINDS.iter().position(|kind| *kind == self.kind).unwrap();
        let target = format!("/{index}/{kind}");
        let head = RequestHead::new(Method::Extension(self.method), "h", &target).unwrap();
        let content = vec![tag(index); self.content];
        let (some, more) = content.split_at(self.content / 3);
        let known = Framing::Length(u64::try_from(self.content).unwrap());
        match self.form {
            0 => Ask::Whole(head, content),
            1 => Ask::Pieces(head, Pieces::new(known, &[some, more])),
            2 => Ask::Pieces(head, Pieces::new(Framing::Chunked, &[some, more])),
            3 => Ask::Expecting(head, Pieces::new(known, &[some, more])),
            _ => Ask::Expecting(head, Pieces::new(Framing::Chunked, &[some, more])),
        }
    }

    /// The status and the content of the whole response.
    fn expected(&self, index: usize) -> (u16, Vec<u8>) {
        let (status, len) = match self.kind {
            Kind::Echo => (200, self.content),
            Kind::Nothing => (204, 0),
            Kind::Hints => (404, CONTENT),
            Kind::Whole | Kind::Chunks | Kind::Length | Kind::Unread | Kind::Closes | Kind::Fails => {
                (200, CONTENT)
            }
        };
        (status, vec![tag(index); if self.method == "HEAD" { 0 } else { len }])
    }
}

fn exchange() -> impl Strategy<Value = Exchange> {
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "PUT"]);
    let content = prop::sample::select(vec![0, 1, 100, 3000]);
    let kind = prop::sample::select(KINDS.to_vec());
    (kind, method, content, 0..5_usize).prop_map(|(kind, method, content, form)| Exchange {
        kind,
        method,
        content,
        form,
    })
}

fn cut() -> impl Strategy<Value = Cut> {
    prop_oneof![Just(Cut::Nowhere), (0..4000_usize).prop_map(Cut::Up), (0..4000_usize).prop_map(Cut::Down)]
}

/// A direction of the line.
struct Line {
    left: usize,
    ended: bool,
}

impl Line {
    fn pass<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let passed = &bytes[..bytes.len().min(self.left)];
        self.left -= passed.len();
        passed
    }
}

/// Plays to the end, and says whether the client's stream was reset.
fn play(asks: &[Ask], cut: Cut, seed: u64) -> (Asking, Connection, bool) {
    let random = &mut Random::new(seed);
    let outbox = OutboxLimits { bytes: 1000, ..OutboxLimits::default() };
    let mut client = Asking::with(Limits::default(), outbox, asks);
    let mut server = Connection::with(Limits::default(), outbox, handler);
    let (up, down) = match cut {
        Cut::Nowhere => (usize::MAX, usize::MAX),
        Cut::Up(at) => (at, usize::MAX),
        Cut::Down(at) => (usize::MAX, at),
    };
    let (mut up, mut down) = (Line { left: up, ended: false }, Line { left: down, ended: false });
    let longest = *random.pick(&[1, 7, 100, 5000]);
    for _ in 0..100_000 {
        let sent = client.take(1 + random.below(longest));
        let passed = up.pass(&sent);
        let mut fed = 0;
        while fed < passed.len() {
            let taken = server.feed(&passed[fed..]);
            fed += taken;
            let written = if taken == 0 { server.take(1 + random.below(longest)) } else { Vec::new() };
            client.feed(down.pass(&written));
        }
        if (passed.len() < sent.len() || client.is_over()) && !up.ended {
            up.ended = true;
            server.end();
        }
        let written = server.take(1 + random.below(longest));
        let passed = down.pass(&written);
        client.feed(passed);
        let reset = matches!(server.ended(), Some(End::Reset | End::Stalled));
        let gone = server.is_lingering() || server.ended().is_some();
        let ends = passed.len() < written.len() || (gone && server.queued() == 0);
        if ends && !reset && !down.ended {
            down.ended = true;
            client.end();
        }
        if sent.is_empty() && written.is_empty() {
            if client.is_over() || reset || client.is_kept() {
                return (client, server, reset);
            }
            client.silence(Duration::from_millis(250));
            server.silence(Duration::from_millis(250));
        }
    }
    panic!("it does not end: {:?}, {:?}", client.notes(), server.records());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_whole_exchange_or_what_is_missing(
        exchanges in prop::collection::vec(exchange(), 1..6),
        cut in cut(),
        seed: u64,
    ) {
        let asks: Vec<_> = exchanges.iter().enumerate().map(|(index, exchange)| exchange.ask(index)).collect();
        let (client, server, reset) = play(&asks, cut, seed);
        let notes = client.notes();
        let all: Vec<_> = notes.split(|note| *note == Note::Asked).skip(1).collect();
        for (index, (heard, exchange)) in all.iter().zip(&exchanges).enumerate() {
            let (status, content) = exchange.expected(index);
            let last = index + 1 == all.len();
            let was_cut = !matches!(cut, Cut::Nowhere);
            let found = heard.iter().find_map(|note| match note {
                Note::Head(status, ..) => Some(*status),
                _ => None,
            });
            match heard.last() {
                Some(Note::Content(came, Until::End)) if found == Some(status) => {
                    prop_assert_eq!(came, &content);
                    prop_assert!(exchange.kind != Kind::Fails || exchange.method == "HEAD");
                }
                // The server has told us that our request was cut off.
                Some(Note::Content(came, Until::End)) => {
                    prop_assert!(matches!(cut, Cut::Up(_)) && found == Some(400), "{:?}", heard);
                    prop_assert!(!came.contains(&tag(index)));
                }
                Some(Note::BodyFailed(came, why)) => {
                    prop_assert!(was_cut || exchange.kind == Kind::Fails, "{:?}", heard);
                    prop_assert!(content.starts_with(came) && why.contains(&format!("\"{} of ", came.len())), "{}", why);
                    prop_assert!(last);
                }
                Some(Note::Failed(why)) => {
                    prop_assert!(was_cut && last, "{:?}: {:?}", why, server.records());
                    prop_assert!(why.contains("RFC 9112"), "{}", why);
                }
                // The transport failed, and says so itself.
                _ => prop_assert!(reset && last, "{:?}: {:?}", heard, server.records()),
            }
        }
        if matches!(cut, Cut::Nowhere) && client.is_kept() {
            prop_assert_eq!(all.len(), asks.len());
        }
    }
}
