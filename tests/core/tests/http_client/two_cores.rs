//! Two cores, a client and a server: random exchanges, random splits, random cuts. The client hears the whole exchange
//! or what is missing of it, and no byte of one response in another.

use core::time::Duration;
use endwell_core::OutboxLimits;
use endwell_core::http::{
    Connect, Field, FieldSection, Framing, HttpLimits, Method, Request, RequestHead, Upgrade,
};
use endwell_core_tests::asking::{Ask, Asking, Note, Pieces, Until};
use endwell_core_tests::connection::Connection;
use endwell_core_tests::plan::{Answer, Plan};
use endwell_core_tests::random::Random;
use endwell_core_tests::record::{End, Record};
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
    Trails,
    Fails,
    /// CONNECT, which is accepted. Always the last.
    Tunnel,
    /// CONNECT, which is not.
    Denied,
    /// Another protocol, which is granted. Always the last.
    Switch,
    /// Another protocol, which is not known.
    Unknown,
}

const KINDS: [Kind; 14] = [
    Kind::Echo,
    Kind::Whole,
    Kind::Chunks,
    Kind::Length,
    Kind::Nothing,
    Kind::Unread,
    Kind::Hints,
    Kind::Closes,
    Kind::Trails,
    Kind::Fails,
    Kind::Tunnel,
    Kind::Denied,
    Kind::Switch,
    Kind::Unknown,
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
    /// Nothing arrives behind so many bytes.
    Up(usize, Then),
    Down(usize, Then),
}

/// What is behind the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    EndOfStream,
    /// Not even that: only time tells.
    Silence,
}

/// The byte that all content of an exchange is made of, in both directions.
fn tag(index: usize) -> u8 {
    0x80 + u8::try_from(index).unwrap()
}

const CONTENT: usize = 700;

/// The field by which a response says whose it is.
const MARK: &str = "x-exchange";

fn handler(request: &RequestHead) -> Plan {
    let named = request.authority().filter(|_| request.method() == Method::Connect);
    let path = named.and_then(|name| name.split_once(':')).map_or(request.path(), |(host, _)| host);
    let (index, kind) = path.trim_start_matches('/').split_once(['/', '.']).unwrap();
    let content = vec![tag(index.parse().unwrap()); CONTENT];
    let (some, more) = content.split_at(300);
    let mark = Field::new(MARK, index.as_bytes()).unwrap();
    let mut plan = match KINDS[kind.parse::<usize>().unwrap()] {
        Kind::Echo => Plan::echo(),
        Kind::Whole | Kind::Unknown => Plan::full(200, &content),
        Kind::Switch => Plan::with(Answer::Switch("tool")),
        Kind::Chunks => Plan::pieces(Framing::Chunked, &[some, more]),
        Kind::Length => Plan::pieces(Framing::Length(700), &[some, more]),
        Kind::Nothing => Plan::full(204, &content),
        Kind::Unread => Plan::full(200, &content).unread(),
        Kind::Hints => Plan { hints: 3, ..Plan::full(404, &content) },
        Kind::Closes => Plan { closes: true, ..Plan::full(200, &content) },
        Kind::Trails => {
            Plan::pieces(Framing::Chunked, &[some, more]).trailing(FieldSection::new().with(mark))
        }
        Kind::Fails => Plan::pieces(Framing::Chunked, &[some]).failing(),
        Kind::Tunnel => Plan::with(Answer::Tunnel),
        Kind::Denied => Plan::full(403, &content),
    };
    if let Answer::Pieces(endwell_core_tests::plan::Pieces { head, .. }) | Answer::Full(head, _) =
        &mut plan.answer
    {
        head.fields_mut().push(mark);
    }
    plan
}

impl Exchange {
    fn is_connect(&self) -> bool {
        matches!(self.kind, Kind::Tunnel | Kind::Denied)
    }

    fn is_upgrade(&self) -> bool {
        matches!(self.kind, Kind::Switch | Kind::Unknown)
    }

    fn ask(&self, index: usize) -> Ask {
        let kind = KINDS.iter().position(|kind| *kind == self.kind).unwrap();
        if self.is_connect() {
            return Ask::Tunnel(Connect::new(&format!("{index}.{kind}:443")).unwrap());
        }
        let target = format!("/{index}/{kind}");
        if self.is_upgrade() {
            let head = Request::new(Method::Extension(self.method), "h", &target).unwrap();
            return Ask::Switch(Upgrade::new(head, "tool").unwrap());
        }
        let head = Request::new(Method::Extension(self.method), "h", &target).unwrap().with_trailers();
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
            Kind::Tunnel | Kind::Switch => (200, 0),
            Kind::Denied => (403, CONTENT),
            Kind::Whole
            | Kind::Chunks
            | Kind::Length
            | Kind::Unread
            | Kind::Closes
            | Kind::Trails
            | Kind::Unknown
            | Kind::Fails => (200, CONTENT),
        };
        let is_head = self.method == "HEAD" && !self.is_connect();
        (status, vec![tag(index); if is_head { 0 } else { len }])
    }

    /// The server's side: it had the request whole, or the beginning of it.
    fn was_heard(&self, index: usize, content: &[u8]) -> bool {
        *content == vec![tag(index); if self.is_connect() || self.is_upgrade() { 0 } else { self.content }]
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
    let then = || prop_oneof![3 => Just(Then::EndOfStream), 1 => Just(Then::Silence)];
    prop_oneof![
        Just(Cut::Nowhere),
        (0..4000_usize, then()).prop_map(|(at, then)| Cut::Up(at, then)),
        (0..4000_usize, then()).prop_map(|(at, then)| Cut::Down(at, then))
    ]
}

/// A direction of the line.
struct Line {
    left: usize,
    then: Then,
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
    let mut client = Asking::with(HttpLimits::default(), outbox, asks);
    let mut server = Connection::with(HttpLimits::default(), outbox, handler);
    let (up, down) = match cut {
        Cut::Nowhere => (None, None),
        Cut::Up(at, then) => (Some((at, then)), None),
        Cut::Down(at, then) => (None, Some((at, then))),
    };
    let line = |cut: Option<(usize, Then)>| {
        let (left, then) = cut.unwrap_or((usize::MAX, Then::EndOfStream));
        Line { left, then, ended: false }
    };
    let (mut up, mut down) = (line(up), line(down));
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
        let is_cut = passed.len() < sent.len() && up.then == Then::EndOfStream;
        if (is_cut || client.is_over()) && !up.ended {
            up.ended = true;
            server.end();
        }
        let written = server.take(1 + random.below(longest));
        let passed = down.pass(&written);
        client.feed(passed);
        let reset = matches!(server.ended(), Some(End::Reset | End::Stalled));
        let gone = server.is_lingering() || server.ended().is_some();
        let ends = passed.len() < written.len() || (gone && server.queued() == 0);
        let is_silent = down.left == 0 && down.then == Then::Silence;
        if ends && !reset && !down.ended && !is_silent {
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

/// Nothing in what was heard is another exchange's.
fn check_marks(heard: &[Note], index: usize) -> Result<(), TestCaseError> {
    let own = index.to_string();
    for note in heard {
        let (Note::Head(_, _, lines) | Note::Trailers(lines) | Note::Interim(_, lines)) = note else {
            continue;
        };
        for (_, value) in lines.iter().filter(|(name, _)| name == MARK) {
            prop_assert_eq!(&value[..], own.as_bytes());
        }
    }
    Ok(())
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
            let is_silent = matches!(cut, Cut::Up(_, Then::Silence) | Cut::Down(_, Then::Silence));
            check_marks(heard, index)?;
            let found = heard.iter().find_map(|note| match note {
                Note::Head(status, ..) => Some(*status),
                _ => None,
            });
            match heard.last() {
                Some(Note::Content(came, Until::End)) if found == Some(status) => {
                    prop_assert_eq!(came, &content);
                    prop_assert!(exchange.kind != Kind::Fails || exchange.method == "HEAD");
                    let hints = heard.iter().filter(|note| matches!(note, Note::Interim(103, _))).count();
                    prop_assert_eq!(hints, if exchange.kind == Kind::Hints { 3 } else { 0 });
                    let trails = heard.iter().any(|note| matches!(note, Note::Trailers(_)));
                    prop_assert_eq!(trails, exchange.kind == Kind::Trails && exchange.method != "HEAD");
                }
                Some(Note::Open(behind)) => {
                    let opens = matches!(exchange.kind, Kind::Tunnel | Kind::Switch);
                    prop_assert!(opens && behind.is_empty() && last);
                }
                // The server has told us that our request was cut off.
                Some(Note::Content(came, Until::End)) => {
                    let status = if is_silent { 408 } else { 400 };
                    prop_assert!(matches!(cut, Cut::Up(..)) && found == Some(status), "{:?}", heard);
                    prop_assert!(!came.contains(&tag(index)));
                }
                Some(Note::BodyFailed(came, why)) => {
                    prop_assert!(was_cut || exchange.kind == Kind::Fails, "{:?}", heard);
                    let says_how_much = why.contains(&format!("\"{} of ", came.len()));
                    prop_assert!(says_how_much || (is_silent && why.contains("too slowly")), "{}", why);
                    prop_assert!(content.starts_with(came) && last);
                }
                Some(Note::Failed(why)) => {
                    prop_assert!(was_cut && last, "{:?}: {:?}", why, server.records());
                    let is_late = is_silent && why.contains("in time");
                    prop_assert!(why.contains("RFC 9112") || is_late, "{}", why);
                }
                // The transport failed, and says so itself.
                _ => prop_assert!(reset && last, "{:?}: {:?}", heard, server.records()),
            }
        }
        if matches!(cut, Cut::Nowhere) && client.is_kept() {
            prop_assert_eq!(all.len(), asks.len());
        }
        // And of the requests, each was had whole or was cut off, and none had a byte of another.
        let mut index = 0;
        for record in server.records() {
            match record {
                Record::Request(_) => index += 1,
                Record::Content(content) => {
                    prop_assert!(exchanges[index - 1].was_heard(index - 1, content), "{index}: {:?}", content);
                }
                _ => {}
            }
        }
    }
}
