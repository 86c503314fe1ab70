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

use endwell_core::ws::{
    Close, CloseCode, Closing, End, Ended, Limits, Session, SessionEvent, WebSocket, Writing,
};
use endwell_core::{Limit, Outbox, Step};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::collections::VecDeque;
use ws_help::{Got, at, client, closes_once, server, written};

/// One end of a conversation, over a line with delays.
struct Side {
    state: SideState,
    out: Outbox,
    /// What it wrote, all of it.
    wrote: Vec<u8>,
    received: Vec<Got>,
}

enum SideState {
    Open(Box<Session>),
    Closing(Box<Closing>),
    Ended(Ended),
    Gone,
}

/// Bytes on their way, with the moment at which they arrive. An empty piece is the end of the stream.
type Line = VecDeque<(u64, Vec<u8>)>;

impl Side {
    fn new(socket: WebSocket) -> Self {
        Self {
            state: SideState::Open(Box::new(socket.session())),
            out: Outbox::default(),
            wrote: vec![],
            received: vec![],
        }
    }

    fn close(&mut self, close: Close) {
        self.state = match std::mem::replace(&mut self.state, SideState::Gone) {
            SideState::Open(session) => SideState::Closing(Box::new(session.close(close, &mut self.out))),
            other => other,
        };
    }

    fn say(&mut self, text: &str) {
        if let SideState::Open(session) = &mut self.state {
            if let Writing::Idle(sender) = session.writing() {
                let _full = sender.text(text, &mut self.out);
            }
        }
    }

    /// Receives what has arrived at `now`, works on it, and sends. True: its end of the stream goes out.
    fn turn(&mut self, now: u64, line: &mut Line) -> bool {
        let mut ends = false;
        self.state = match std::mem::replace(&mut self.state, SideState::Gone) {
            SideState::Open(mut session) => {
                deliver(now, line, session.inbox());
                let mut over = false;
                while let Some(ready) = session.poll(&mut self.out) {
                    match session.event(ready, &mut self.out) {
                        Ok(SessionEvent::Text(text)) => self.received.push(Got::Text(text.to_string())),
                        Ok(SessionEvent::Close(close)) => {
                            self.received.push(ws_help::said(&close));
                            over = true;
                        }
                        Ok(_) => {}
                        Err(_) => over = true,
                    }
                }
                if over {
                    SideState::Closing(Box::new(session.close(Close::EMPTY, &mut self.out)))
                } else {
                    SideState::Open(session)
                }
            }
            other => other,
        };
        let bytes = written(&mut self.out);
        self.wrote.extend(bytes);
        self.state = match std::mem::replace(&mut self.state, SideState::Gone) {
            SideState::Closing(mut closing) => {
                deliver(now, line, closing.inbox());
                match closing.poll(at(now), &self.out) {
                    Step::Wait(closing) => {
                        ends = closing.ends_writing(&self.out);
                        SideState::Closing(Box::new(closing))
                    }
                    Step::Done(ended) => {
                        ends = true;
                        SideState::Ended(ended)
                    }
                }
            }
            other => other,
        };
        ends
    }
}

fn deliver(now: u64, line: &mut Line, inbox: &mut endwell_core::Inbox) {
    while line.front().is_some_and(|(when, _)| *when <= now) {
        let Some((_, bytes)) = line.pop_front() else { break };
        if bytes.is_empty() {
            inbox.end();
        } else {
            inbox.feed(&bytes);
        }
    }
    inbox.dry(at(now));
}

#[derive(Clone, Debug)]
struct Plan {
    delay: [u64; 2],
    /// When which side says or closes.
    acts: Vec<(u64, usize, Option<u16>)>,
    /// After so many bytes in this direction nothing arrives any more, with or without an end of stream.
    cut: Option<(usize, usize, bool)>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let act =
        (0..60_000_u64, 0..2_usize, prop::option::weighted(0.3, prop_oneof![Just(1000_u16), 3000..3005_u16]));
    let cut = prop::option::weighted(0.5, (0..2_usize, 0..60_usize, any::<bool>()));
    ([0..2000_u64, 0..2000_u64], prop::collection::vec(act, 0..8), cut).prop_map(|(delay, mut acts, cut)| {
        acts.sort_unstable();
        Plan { delay, acts, cut }
    })
}

/// Plays a plan to its end and says how each side ended.
fn play(plan: &Plan) -> [Side; 2] {
    let limits = Limits::default();
    let mut sides = [Side::new(client(&limits)), Side::new(server(&limits))];
    let mut lines: [Line; 2] = [Line::new(), Line::new()];
    let (mut passed, mut ended) = ([0_usize; 2], [false; 2]);
    let mut acts = plan.acts.iter().peekable();
    let mut now = 0;
    // Without a Close the conversation would go on for ever: the client closes in the end.
    while now < 400_000 && !sides.iter().all(|side| matches!(side.state, SideState::Ended(_))) {
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
            let ends = sides[from].turn(now, ours);
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

fn story(side: &Side) -> Ended {
    match &side.state {
        SideState::Ended(ended) => ended.clone(),
        SideState::Open(_) | SideState::Closing(_) | SideState::Gone => panic!("it never ended"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    /// Two cores, with delays and cuts, always end in a named `Ended`, and tell the same story.
    #[test]
    fn two_cores_always_end_and_agree(plan in plan()) {
        let sides = play(&plan);
        let stories = [story(&sides[0]), story(&sides[1])];
        for (side, masks) in sides.iter().zip([true, false]) {
            prop_assert!(closes_once(&side.wrote, masks));
        }
        for (mine, theirs) in [(0, 1), (1, 0)] {
            match (&stories[mine], &stories[theirs]) {
                (
                    Ended::Closed { first, sent, received },
                    Ended::Closed { first: their_first, sent: their_sent, received: their_received },
                ) => {
                    prop_assert_eq!((sent, received), (their_received, their_sent));
                    // Each sees its own where both crossed; never does each see the other's.
                    prop_assert!(!(*first == End::Theirs && *their_first == End::Theirs));
                }
                (Ended::Closed { .. }, how) | (how, Ended::Closed { .. }) => {
                    prop_assert!(plan.cut.is_some(), "without a cut both see a clean end: {}", how);
                }
                (Ended::EndOfStream | Ended::Exceeded(_), Ended::EndOfStream | Ended::Exceeded(_)) => {
                    prop_assert!(plan.cut.is_some());
                }
                (a, b) => prop_assert!(false, "nobody breaks the protocol: {} / {}", a, b),
            }
        }
        if plan.cut.is_none() {
            // Delays of two seconds are within every limit, and the data that came before a Close is there.
            let met = |how: &Ended| matches!(how, Ended::Exceeded(e) if e.limit != Limit::CloseTime);
            prop_assert!(!stories.iter().any(met));
        }
    }
}
