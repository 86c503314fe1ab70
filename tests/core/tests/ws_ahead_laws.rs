//! Laws of what is seen behind messages that the application leaves unread.
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

use endwell_core::ws::{Close, Event, Kind, Piece, Receiving, Socket, SocketLimits};
use endwell_core::{Arrived, Io, Outcome};
use endwell_core_tests::io::{end, feed, look, pause, written};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use ws_help::{
    Got, ROOMY, client_with, closes_once, frames, got, pongs, put_together, run_to_end, server_with, wire,
};

/// A socket on which some events wait to be taken.
enum Held {
    Open(Socket),
    Receiving(Receiving),
}

impl Held {
    fn io(&mut self) -> Io<'_> {
        match self {
            Self::Open(socket) => socket.io(),
            Self::Receiving(receiving) => receiving.io(),
        }
    }

    fn event(&mut self) -> Option<Event<'_>> {
        match self {
            Self::Open(socket) => socket.event(),
            Self::Receiving(receiving) => receiving.event(),
        }
    }

    fn piece(&mut self) -> Option<Piece<'_>> {
        match self {
            Self::Open(socket) => socket.piece(),
            Self::Receiving(receiving) => receiving.piece(),
        }
    }

    fn answer_close(self) -> Self {
        match self {
            Self::Open(socket) => socket.answer_close().map_or_else(Self::Open, Self::Receiving),
            receiving @ Self::Receiving(_) => receiving,
        }
    }

    fn ended(self) -> Outcome {
        match self {
            Self::Open(socket) => socket.close(Close::EMPTY).ended().clone(),
            Self::Receiving(receiving) => receiving.discard().ended().clone(),
        }
    }
}

/// Takes up to `most` events or pieces. True once the end came.
fn take_some(
    held: &mut Held,
    most: usize,
    message: Option<&mut Option<(Kind, Vec<u8>)>>,
    all: &mut Vec<Got>,
) -> bool {
    let Some(message) = message else {
        for _ in 0..most {
            let Some(event) = held.event() else { break };
            all.push(got(event));
            if matches!(all.last(), Some(Got::Close(..) | Got::Failure(_))) {
                return true;
            }
        }
        return false;
    };
    for _ in 0..most {
        let Some(piece) = held.piece() else { break };
        all.extend(put_together(piece, message));
        if matches!(all.last(), Some(Got::Close(..) | Got::Failure(_))) {
            return true;
        }
    }
    false
}

/// As [`run_to_end`], with an application that takes its time, and looks in between.
fn run_late(
    socket: Socket,
    bytes: &[u8],
    (cuts, acts): (&[usize], &[u8]),
    pieces: bool,
) -> (Vec<Got>, Vec<u8>, Outcome) {
    let (mut held, mut all, mut out) = (Held::Open(socket), vec![], vec![]);
    let mut message = None;
    let (mut rest, mut cuts, mut acts) = (bytes, cuts.iter().cycle(), acts.iter().cycle());
    let mut has_ended = false;
    loop {
        let act = *acts.next().unwrap();
        let len = if rest.is_empty() { 0 } else { (cuts.next().unwrap() % rest.len() + 1).min(rest.len()) };
        let taken = feed(held.io(), &rest[..len]);
        rest = &rest[taken..];
        if rest.is_empty() && !has_ended && act & 1 != 0 {
            end(held.io());
            has_ended = true;
        }
        if act & 2 != 0 {
            pause(held.io(), 0);
        }
        if act & 4 != 0 {
            assert_ne!(look(held.io(), 0), Arrived::Cut);
        }
        if act & 8 != 0 {
            held = held.answer_close();
        }
        if act & 16 != 0 {
            out.extend(written(held.io()));
        }
        let most = match act >> 5 {
            _ if taken < len => usize::MAX,
            0..4 => 0,
            4 => 1,
            5 => 2,
            _ => usize::MAX,
        };
        if take_some(&mut held, most, pieces.then_some(&mut message), &mut all) {
            out.extend(written(held.io()));
            return match held {
                Held::Open(socket) => {
                    let mut closing = socket.close(Close::EMPTY);
                    out.extend(written(closing.io()));
                    (all, out, closing.ended().clone())
                }
                receiving @ Held::Receiving(_) => (all, out, receiving.ended()),
            };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, rng_seed: RngSeed::Fixed(9), failure_persistence: None, ..ProptestConfig::default() })]

    /// However late the application takes what arrives, and whatever is looked at in between: the events and the end are
    /// those of one that takes everything at once, and so are the pongs.
    #[test]
    fn a_look_changes_no_event(
        frames in frames(),
        cuts in prop::collection::vec(0..80_usize, 1..20),
        acts in prop::collection::vec(any::<u8>(), 1..20),
        is_small in any::<bool>(),
        we_are_client in any::<bool>(),
        pieces in any::<bool>(),
    ) {
        let mut limits = SocketLimits::default();
        limits.message_bytes = 700;
        limits.fragments = 5;
        if is_small {
            limits.received_bytes = 256;
        }
        // Something is taken at some time, and the stream ends.
        let acts = [&acts[..], &[0xff]].concat();
        let make = || if we_are_client { client_with(&limits, ROOMY) } else { server_with(&limits, ROOMY) };
        let bytes = wire(&frames, !we_are_client);
        let (at_once, _, ended) = run_to_end(make(), &bytes, &[7], pieces);
        let (late, out, late_ended) = run_late(make(), &bytes, (&cuts, &acts), pieces);
        prop_assert_eq!(&late, &at_once);
        prop_assert_eq!(Some(late_ended), ended);
        prop_assert!(closes_once(&out, we_are_client));
        let pings: Vec<_> = late.iter().filter_map(|got| match got { Got::Ping(payload) => Some(payload.clone()), _ => None }).collect();
        let pongs = pongs(&out, we_are_client);
        if let Some(Got::Close(..)) = late.last() {
            prop_assert_eq!(pongs, pings, "each once, in order");
        } else {
            // The pings behind a violation that no header shows may be answered too.
            prop_assert!(pongs.starts_with(&pings));
        }
    }
}
