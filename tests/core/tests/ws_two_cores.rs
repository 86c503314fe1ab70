//! Two cores, a client and a server, over a virtual clock and a line with delays and cuts.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use endwell_core::ws::{Close, CloseCode, SocketLimits};
use endwell_core::ws::{Event, Receiving, Socket};
use endwell_core::{Arrived, Closing, End, Ending, Io, Limit, Outcome};
use endwell_core_tests::io::{end_at, feed_at, look, written_at};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::VecDeque;
use ws_help::{Got, client, closes_once, got, run, server};

/// One end of a conversation, over a line with delays.
struct Side {
    state: State,
    /// What it wrote, all of it.
    wrote: Vec<u8>,
    received: Vec<Got>,
    /// Whether it goes on receiving once its Close is written.
    reads_on: bool,
    /// The end of its stream is on its way.
    has_ended: bool,
}

enum State {
    Open(Socket),
    Receiving(Receiving),
    Closing(Closing),
    Ended(Outcome),
    Gone,
}

/// Bytes on their way, with the moment at which they arrive. An empty piece is the end of the stream.
type Line = VecDeque<(u64, Vec<u8>)>;

impl Side {
    fn new(socket: Socket, reads_on: bool) -> Self {
        Self { state: State::Open(socket), wrote: vec![], received: vec![], reads_on, has_ended: false }
    }

    fn close(&mut self, close: Close) {
        self.state = match std::mem::replace(&mut self.state, State::Gone) {
            State::Open(socket) if self.reads_on => State::Receiving(socket.close_writing(close)),
            State::Open(socket) => State::Closing(socket.close(close)),
            other => other,
        };
    }

    fn say(&mut self, text: &str) {
        if let State::Open(socket) = &mut self.state {
            let _full = socket.writer().text(text);
        }
    }

    fn io(&mut self) -> Option<Io<'_>> {
        match &mut self.state {
            State::Open(socket) => Some(socket.io()),
            State::Receiving(receiving) => Some(receiving.io()),
            State::Closing(closing) => Some(closing.io()),
            State::Ended(_) | State::Gone => None,
        }
    }

    /// Takes the next thing that is there. False: there is nothing.
    fn take(&mut self) -> bool {
        let (state, was_there) = match std::mem::replace(&mut self.state, State::Gone) {
            State::Open(mut socket) => match self.hear(socket.event()) {
                Heard::End => (State::Closing(socket.close(Close::EMPTY)), true),
                heard => (State::Open(socket), heard == Heard::Something),
            },
            State::Receiving(mut receiving) => match self.hear(receiving.event()) {
                Heard::End => (State::Closing(receiving.discard()), true),
                heard => (State::Receiving(receiving), heard == Heard::Something),
            },
            State::Closing(closing) => match closing.poll() {
                Ending::Wait(closing) => (State::Closing(closing), false),
                Ending::EndWrite(closing) => {
                    self.has_ended = true;
                    (State::Closing(closing), true)
                }
                Ending::Done(ended) => {
                    self.has_ended = true;
                    (State::Ended(ended), false)
                }
                Ending::Reset(_) => panic!("no WebSocket is reset"),
            },
            other @ (State::Ended(_) | State::Gone) => (other, false),
        };
        self.state = state;
        was_there
    }

    fn hear(&mut self, event: Option<Event<'_>>) -> Heard {
        let Some(event) = event else { return Heard::Nothing };
        let is_end = matches!(event, Event::Close(_) | Event::Failed(_));
        self.received.push(got(event));
        if is_end { Heard::End } else { Heard::Something }
    }

    /// Receives what has arrived at `now`, works on it, and sends, until there is nothing to do but to wait.
    fn turn(&mut self, now: u64, line: &mut Line) {
        loop {
            while self.take() {}
            let Some(io) = self.io() else { return };
            let sent = written_at(io, now);
            self.wrote.extend(&sent);
            let Some(io) = self.io() else { return };
            let arrived = line.front().is_some_and(|(when, _)| *when <= now);
            match arrived.then(|| line.pop_front()).flatten() {
                Some((_, bytes)) if bytes.is_empty() => end_at(io, now),
                Some((_, bytes)) => assert_eq!(feed_at(io, now, &bytes), bytes.len()),
                None if look(io, now) != Arrived::Something && sent.is_empty() => return,
                None => {}
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Heard {
    Nothing,
    Something,
    End,
}

#[derive(Clone, Debug)]
struct Plan {
    delay: [u64; 2],
    /// When which side says or closes.
    acts: Vec<(u64, usize, Option<u16>)>,
    /// Which sides go on receiving once their Close is written.
    reads_on: [bool; 2],
    /// After so many bytes in this direction nothing arrives any more, with or without an end of stream.
    cut: Option<(usize, usize, bool)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let act =
        (0..60_000_u64, 0..2_usize, prop::option::weighted(0.3, prop_oneof![Just(1000_u16), 3000..3005_u16]));
    let cut = prop::option::weighted(0.5, (0..2_usize, 0..60_usize, any::<bool>()));
    let delay = [0..2000_u64, 0..2000_u64];
    (delay, prop::collection::vec(act, 0..8), any::<[bool; 2]>(), cut).prop_map(
        |(delay, mut acts, reads_on, cut)| {
            acts.sort_unstable();
            Plan { delay, acts, reads_on, cut }
        },
    )
}

/// Plays a plan to its end and says how each side ended.
fn play(plan: &Plan) -> [Side; 2] {
    let limits = SocketLimits::default();
    let [at_client, at_server] = plan.reads_on;
    let mut sides = [Side::new(client(&limits), at_client), Side::new(server(&limits), at_server)];
    let mut lines: [Line; 2] = [Line::new(), Line::new()];
    let (mut passed, mut ended) = ([0_usize; 2], [false; 2]);
    let mut acts = plan.acts.iter().peekable();
    let mut now = 0;
    // Without a Close the conversation would go on for ever: the client closes in the end.
    while now < 400_000 && !sides.iter().all(|side| matches!(side.state, State::Ended(_))) {
        while let Some((_, side, close)) = acts.next_if(|(when, ..)| *when <= now) {
            match close {
                Some(code) => sides[*side].close(CloseCode::new(*code).unwrap().into()),
                None => sides[*side].say("hello"),
            }
        }
        if now >= 100_000 {
            sides[0].close(CloseCode::GOING_AWAY.into());
        }
        for (from, to) in [(0, 1), (1, 0)] {
            // Line `n` leads to side `n`.
            let before = sides[from].wrote.len();
            let [to_client, to_server] = &mut lines;
            let (ours, theirs) = if from == 0 { (to_client, to_server) } else { (to_server, to_client) };
            sides[from].turn(now, ours);
            let ends = sides[from].has_ended;
            let mut bytes = sides[from].wrote[before..].to_vec();
            let (mut is_cut, mut cut_ends) = (false, false);
            if let Some((direction, after, with_end)) = plan.cut {
                if direction == to {
                    is_cut = passed[to] + bytes.len() > after;
                    bytes.truncate(after.saturating_sub(passed[to]));
                    cut_ends = is_cut && with_end;
                }
            }
            passed[to] += sides[from].wrote.len() - before;
            let arrives = now + plan.delay[to];
            if !bytes.is_empty() {
                theirs.push_back((arrives, bytes));
            }
            if (cut_ends || (ends && !is_cut)) && !ended[to] {
                ended[to] = true;
                theirs.push_back((arrives, vec![]));
            }
        }
        now += 250;
    }
    sides
}

fn story(side: &Side) -> Outcome {
    match &side.state {
        State::Ended(ended) => ended.clone(),
        _ => panic!("it never ended"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    /// Two cores, with delays and cuts, always end in a named `Outcome`, and tell the same story.
    #[test]
    fn two_cores_always_end_and_agree(plan in plan()) {
        let sides = play(&plan);
        let stories = [story(&sides[0]), story(&sides[1])];
        for (side, masks) in sides.iter().zip([true, false]) {
            prop_assert!(closes_once(&side.wrote, masks));
        }
        // Each has heard what the other wrote, or the beginning of it; all, if it goes on receiving after its Close.
        let limits = SocketLimits::default();
        for (mine, theirs, fresh) in [(0, 1, client(&limits)), (1, 0, server(&limits))] {
            let wrote = &sides[theirs].wrote;
            let (all, _) = run(fresh, wrote, wrote.len().max(1));
            let heard = &sides[mine].received;
            let came = heard.strip_suffix(&[Got::Failure(None)]).or(heard.strip_suffix(&[Got::Failure(Some(1008))]));
            prop_assert!(all.starts_with(came.unwrap_or(heard)), "{:?} of {:?}", heard, all);
            if plan.cut.is_none() && plan.reads_on[mine] {
                prop_assert_eq!(heard, &all);
            }
        }
        for (mine, theirs) in [(0, 1), (1, 0)] {
            match (&stories[mine], &stories[theirs]) {
                (
                    Outcome::Closed { first, sent, received },
                    Outcome::Closed { first: their_first, sent: their_sent, received: their_received },
                ) => {
                    prop_assert_eq!((sent, received), (their_received, their_sent));
                    // Each sees its own where both crossed; never does each see the other's.
                    prop_assert!(!(*first == End::Theirs && *their_first == End::Theirs));
                }
                (Outcome::Closed { .. }, how) | (how, Outcome::Closed { .. }) => {
                    prop_assert!(plan.cut.is_some(), "without a cut both see a clean end: {}", how);
                }
                (Outcome::EndOfStream | Outcome::Exceeded(_), Outcome::EndOfStream | Outcome::Exceeded(_)) => {
                    prop_assert!(plan.cut.is_some());
                }
                (a, b) => prop_assert!(false, "nobody breaks the protocol: {} / {}", a, b),
            }
        }
        if plan.cut.is_none() {
            // Delays of two seconds are within every limit, and the data that came before a Close is there.
            let met = |how: &Outcome| matches!(how, Outcome::Exceeded(e) if e.limit != Limit::CloseTime);
            prop_assert!(!stories.iter().any(met));
        }
    }
}
