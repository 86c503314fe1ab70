//! Laws of messages in pieces, for every input and every split.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "a test may panic, and reads like the wire"
)]

mod ws_help;

use endwell_core::ws::{Event, Piece};
use endwell_core::ws::{Kind, SocketLimits};
use endwell_core_tests::io::feed;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use ws_help::{Got, client, masked, run_cut, server};

/// A message of text or not, its fragments, and whether a ping comes behind each.
type Sent = (bool, Vec<String>, bool);

fn sent() -> impl Strategy<Value = Vec<Sent>> {
    let message = (any::<bool>(), prop::collection::vec("[aé水🎉]{0,60}", 1..5), any::<bool>());
    prop::collection::vec(message, 1..6)
}

fn on_the_wire(messages: &[Sent]) -> Vec<u8> {
    let mut bytes = vec![];
    for (is_text, fragments, ping) in messages {
        // Text is cut where no character ends.
        let content = fragments.concat();
        let mut rest = content.as_bytes();
        for (index, fragment) in fragments.iter().enumerate() {
            let is_last = index + 1 == fragments.len();
            let len = if is_last { rest.len() } else { fragment.len().saturating_sub(1).min(rest.len()) };
            let opcode = if index > 0 { 0 } else { 2 - u8::from(*is_text) };
            bytes.extend(masked(opcode | (u8::from(is_last) << 7), &rest[..len]));
            rest = &rest[len..];
            if *ping {
                bytes.extend(masked(0x89, b"p"));
            }
        }
    }
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() })]

    /// The pieces of a message are the message, and what is refused is refused with the same code, under any
    /// fragmentation and any split, for both roles.
    #[test]
    fn pieces_are_the_whole(
        frames in ws_help::frames(),
        cuts in prop::collection::vec(0..50_usize, 1..20),
        masks in any::<bool>(),
    ) {
        let mut limits = SocketLimits::default();
        limits.message_bytes = 700;
        limits.streamed_bytes = 700;
        let bytes = ws_help::wire(&frames, masks);
        let socket = || if masks { server(&limits) } else { client(&limits) };
        let (whole, answers) = run_cut(socket(), &bytes, &[usize::MAX - 1], false);
        for cuts in [&cuts[..], &[0], &[usize::MAX - 1]] {
            let (got, written) = run_cut(socket(), &bytes, cuts, true);
            prop_assert_eq!(&got, &whole);
            // The reason of a failure says which limit it was.
            if masks && !matches!(got.last(), Some(Got::Failure(_))) {
                prop_assert_eq!(&written, &answers);
            }
        }
    }

    /// Whoever changes between whole messages and pieces at any time gets each message whole, or in pieces, or the
    /// beginning of it in pieces: never a hole, never one twice.
    #[test]
    fn changing_between_whole_and_pieces(
        messages in sent(),
        cuts in prop::collection::vec(1..40_usize, 1..20),
        choices in prop::collection::vec(any::<bool>(), 1..30),
    ) {
        let bytes = on_the_wire(&messages);
        let mut socket = server(&SocketLimits::default());
        let (mut begun, mut pings, mut open) = (0, 0, None::<(usize, Vec<u8>)>);
        let (mut rest, mut cuts, mut choices) = (&bytes[..], cuts.iter().cycle(), choices.iter().cycle());
        while !rest.is_empty() {
            let len = (*cuts.next().unwrap()).min(rest.len());
            feed(socket.io(), &rest[..len]);
            rest = &rest[len..];
            // Each way of asking must find nothing before more is fed.
            let mut dry = [false; 2];
            while dry != [true; 2] {
                let pieces = *choices.next().unwrap() ^ dry[0] ^ dry[1];
                if pieces {
                    let Some(piece) = socket.piece() else {
                        dry[1] = true;
                        continue;
                    };
                    dry[1] = false;
                    match piece {
                        Piece::Start(kind) => {
                            prop_assert_eq!(kind == Kind::Text, messages[begun].0);
                            open = Some((begun, vec![]));
                            begun += 1;
                        }
                        Piece::Text(text) => open.as_mut().unwrap().1.extend(text.as_bytes()),
                        Piece::Binary(data) => open.as_mut().unwrap().1.extend(&data[..]),
                        Piece::End => {
                            let (index, all) = open.take().unwrap();
                            prop_assert_eq!(all, messages[index].1.concat().into_bytes());
                        }
                        Piece::Ping(_) => pings += 1,
                        other @ (Piece::Pong(_) | Piece::Close(_) | Piece::Failed(_)) => panic!("{other:?}"),
                    }
                } else {
                    let Some(event) = socket.event() else {
                        dry[0] = true;
                        continue;
                    };
                    dry[0] = false;
                    let whole = match event {
                        Event::Text(text) => text.take(),
                        Event::Binary(data) => data.take(),
                        Event::Ping(_) => {
                            pings += 1;
                            continue;
                        }
                        other @ (Event::Pong(_) | Event::Close(_) | Event::Failed(_)) => panic!("{other:?}"),
                    };
                    prop_assert_eq!(whole, messages[begun].1.concat());
                    begun += 1;
                    open = None;
                }
                if let Some((index, all)) = &open {
                    prop_assert!(messages[*index].1.concat().as_bytes().starts_with(all));
                }
            }
        }
        prop_assert_eq!(begun, messages.len());
        let expected: usize = messages.iter().map(|(_, all, ping)| if *ping { all.len() } else { 0 }).sum();
        prop_assert_eq!(pings, expected);
    }
}
