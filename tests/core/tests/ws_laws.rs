//! Laws that hold for every input, every split and every delay.
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

use bytes::Bytes;
use endwell_core::ws::{CloseCode, Control, DataMessage, Jitter, Kind, Role, SocketLimits};
use endwell_core::ws::{Event, Socket};
use endwell_core::{OutboxLimits, Outcome};
use endwell_core_tests::io::{feed, take, written};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use ws_help::{Got, ROOMY, client_with, closes_once, frame, frames, run_to_end, server, server_with, wire};

fn small_limits() -> SocketLimits {
    let mut limits = SocketLimits::default();
    limits.message_bytes = 700;
    limits.fragments = 5;
    limits
}

/// Runs a server on `bytes`, cut as `cuts` says, and ends the stream.
fn run_cut(bytes: &[u8], cuts: &[usize]) -> (Vec<Got>, Vec<u8>, Option<Outcome>) {
    run_to_end(server(&small_limits()), bytes, cuts, false)
}

#[derive(Clone, Debug)]
enum Act {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pieces(Kind, Vec<String>),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        "[a-z水]{0,200}".prop_map(Act::Text),
        prop::collection::vec(any::<u8>(), 0..200).prop_map(Act::Binary),
        (4000..70_000_usize).prop_map(|len| Act::Binary(vec![0xa5; len])),
        prop::collection::vec(any::<u8>(), 0..=125).prop_map(Act::Ping),
        (prop::bool::ANY, prop::collection::vec("[a-z水]{1,50}", 0..5))
            .prop_map(|(text, pieces)| { Act::Pieces(if text { Kind::Text } else { Kind::Binary }, pieces) }),
    ]
}

fn perform(mut socket: Socket, act: &Act) -> Socket {
    match act {
        Act::Text(text) => socket.writer().text(text).unwrap(),
        Act::Binary(data) => socket.writer().message(DataMessage::binary(data.clone())).unwrap(),
        Act::Ping(payload) => socket.ping(Control::new(payload).unwrap()).unwrap(),
        Act::Pieces(kind, pieces) => {
            let mut within = socket.begin(*kind);
            for piece in pieces {
                within.writer().write(Bytes::from(piece.clone())).unwrap();
                within.ping(Control::EMPTY).unwrap();
            }
            return within.finish().unwrap();
        }
    }
    socket
}

fn expected(act: &Act) -> Vec<Got> {
    match act {
        Act::Text(text) => vec![Got::Text(text.clone())],
        Act::Binary(data) => vec![Got::Binary(data.clone())],
        Act::Ping(payload) => vec![Got::Ping(payload.clone())],
        Act::Pieces(kind, pieces) => {
            let mut got = vec![Got::Ping(vec![]); pieces.len()];
            got.push(match kind {
                Kind::Text => Got::Text(pieces.concat()),
                Kind::Binary => Got::Binary(pieces.concat().into_bytes()),
            });
            got
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    /// Any split gives the same events, the same output and the same end.
    #[test]
    fn splits_change_nothing(frames in frames(), cuts in prop::collection::vec(0..50_usize, 1..20)) {
        let bytes = wire(&frames, true);
        let whole = run_cut(&bytes, &[usize::MAX - 1]);
        prop_assert_eq!(&run_cut(&bytes, &[0]), &whole);
        prop_assert_eq!(&run_cut(&bytes, &cuts), &whole);
    }

    /// Whatever comes, what is written is frames, with at most one Close, and nothing behind it.
    #[test]
    fn one_close_and_nothing_behind_it(frames in frames(), garbage in prop::collection::vec(any::<u8>(), 0..50)) {
        let (got, output, ended) = run_cut(&[wire(&frames, true), garbage].concat(), &[6, 0, 33]);
        prop_assert!(closes_once(&output, false));
        prop_assert!(ended.is_some());
        let ends = got.iter().filter(|got| matches!(got, Got::Close(..) | Got::Failure(_))).count();
        prop_assert_eq!(ends, 1, "every stream ends in exactly one Close or failure");
        let is_last = matches!(got.last(), Some(Got::Close(..) | Got::Failure(_)));
        prop_assert!(is_last, "and nothing comes behind it");
    }

    /// What one role writes the other reads, under any split.
    #[test]
    fn what_one_writes_the_other_reads(
        acts in prop::collection::vec(act(), 0..8),
        step in 1..5000_usize,
        we_are_client in any::<bool>(),
    ) {
        let limits = SocketLimits::default();
        let ends = |is_client| if is_client { client_with(&limits, ROOMY) } else { server_with(&limits, ROOMY) };
        let (mut socket, theirs) = (ends(we_are_client), ends(!we_are_client));
        for act in &acts {
            socket = perform(socket, act);
        }
        let bytes = written(socket.close(CloseCode::NORMAL.into()).io());
        prop_assert!(closes_once(&bytes, we_are_client));
        let (got, _) = ws_help::run(theirs, &bytes, step);
        let mut all: Vec<Got> = acts.iter().flat_map(expected).collect();
        all.push(Got::Close(Some(1000), String::new()));
        prop_assert_eq!(got, all);
    }

    /// Bytes held never exceed the bound: what is unread, what is gathered, what is queued.
    #[test]
    fn what_is_held_is_bounded(
        sizes in prop::collection::vec((0..3000_u64, any::<bool>(), any::<bool>()), 1..40),
        reads in any::<bool>(),
        step in 100..4000_usize,
    ) {
        let mut limits = SocketLimits::default();
        limits.received_bytes = 1024;
        limits.message_bytes = 5000;
        let bound = OutboxLimits { bytes: 4096, high_water: 2048, ..OutboxLimits::default() };
        let mut socket = server_with(&limits, bound);
        let mut bytes = Vec::new();
        for (size, ping, fin) in sizes {
            bytes.extend(frame(if fin { 0x82 } else { 0x02 }, &vec![1; usize::try_from(size).unwrap()], Some([9; 4])));
            if !fin {
                bytes.extend(frame(0x80, &[2; 10], Some([1; 4])));
            }
            if ping {
                bytes.extend(frame(0x89, &[3; 125], Some([8; 4])));
            }
        }
        let mut rest = &bytes[..];
        let mut pending: Option<DataMessage> = None;
        for _ in 0..10_000 {
            let piece = &rest[..rest.len().min(step)];
            rest = &rest[feed(socket.io(), piece)..];
            if let Some(message) = pending.take() {
                pending = socket.writer().message(message).err().map(|full| full.0);
            }
            let mut idle = true;
            while pending.is_none() && !socket.io().is_above_high_water() {
                let Some(event) = socket.event() else { break };
                idle = false;
                if let Event::Binary(payload) = event {
                    prop_assert!(payload.len() <= 5000);
                    pending = Some(DataMessage::from(payload));
                }
            }
            let (unread, queued) = (socket.io().unread(), socket.io().queued());
            prop_assert!(unread <= 1024);
            prop_assert!(queued <= 5000 + 4096 + 1024);
            if reads {
                take(socket.io(), 700);
            } else if idle {
                break;
            }
            if rest.is_empty() && unread == 0 && socket.io().queued() == 0 && pending.is_none() {
                break;
            }
        }
        prop_assert!(!reads || rest.is_empty());
    }
}

/// `from_parts` receives what stands behind somebody else's handshake first, however much it is.
#[test]
fn leftovers_come_first() {
    let mut limits = SocketLimits::default();
    limits.received_bytes = 256;
    let bytes = [frame(0x81, b"one", Some([1; 4])), frame(0x82, &[7; 3000], Some([2; 4]))].concat();
    let leftover = Bytes::from(bytes[..2000].to_vec());
    let output = OutboxLimits::default();
    let socket = Socket::from_parts(Role::Server, leftover, limits.into(), output, Jitter(0), None);
    let (got, _) = ws_help::run(socket, &bytes[2000..], 100);
    assert_eq!(got, [ws_help::text("one"), Got::Binary(vec![7; 3000])]);
}
