//! Final blocks within a message: each ends a stream, and the window goes on. RFC 7692 7.2.3.4 and 7.2.3.5.

use endwell_core::ws::{Deflate, SocketLimits};
use endwell_core::ws::{Piece, Socket};
use endwell_core_tests::io::feed;
use flate2::{Decompress, FlushDecompress};
use proptest::prelude::*;

use crate::ws_help::{self, Got, masked, run_cut};
use crate::{answer, noise, received};

/// A block, written bit by bit: RFC 1951 3.2.3.
#[derive(Clone, Debug)]
enum Block {
    Stored(Vec<u8>),
    /// With the fixed codes: literals and matches.
    Fixed(Vec<Symbol>),
}

#[derive(Clone, Copy, Debug)]
enum Symbol {
    /// Below 144: eight bits.
    Literal(u8),
    /// So many bytes from 3 to 10, from so far back.
    Match(u16, u16),
}

/// The bits of compressed data, and what it says by the rules of the RFC.
#[derive(Default)]
struct Written {
    bytes: Vec<u8>,
    bits: u32,
    /// What all the messages say: how far back a match may refer.
    said: Vec<u8>,
}

impl Written {
    fn bit(&mut self, bit: bool) {
        if self.bits % 8 == 0 {
            self.bytes.push(0);
        }
        *self.bytes.last_mut().unwrap() |= u8::from(bit) << (self.bits % 8);
        self.bits += 1;
    }

    /// From the least significant bit, as all but codes are.
    fn number(&mut self, number: u16, len: u32) {
        for at in 0..len {
            self.bit(number >> at & 1 == 1);
        }
    }

    /// From the most significant bit.
    fn code(&mut self, code: u16, len: u32) {
        for at in (0..len).rev() {
            self.bit(code >> at & 1 == 1);
        }
    }

    fn align(&mut self) {
        self.bits = u32::try_from(self.bytes.len()).unwrap() * 8;
    }

    fn block(&mut self, block: &Block, is_final: bool) {
        self.bit(is_final);
        match block {
            Block::Stored(data) => {
                self.number(0, 2);
                self.align();
                let len = u16::try_from(data.len()).unwrap();
                self.number(len, 16);
                self.number(!len, 16);
                self.bytes.extend(data);
                self.align();
                self.said.extend(data);
            }
            Block::Fixed(symbols) => {
                self.number(1, 2);
                for symbol in symbols {
                    self.symbol(*symbol);
                }
                self.code(0, 7);
            }
        }
        if is_final {
            self.align();
        }
    }

    fn symbol(&mut self, symbol: Symbol) {
        match symbol {
            Symbol::Literal(byte) => {
                self.code(0x30 + u16::from(byte), 8);
                self.said.push(byte);
            }
            Symbol::Match(len, back) => {
                // A match of what is there.
                let back = usize::from(back).min(self.said.len());
                if back == 0 {
                    return;
                }
                self.code(len - 2, 7);
                let (code, least, extra) = distance(u16::try_from(back).unwrap());
                self.code(code, 5);
                self.number(u16::try_from(back).unwrap() - least, extra);
                for _ in 0..len {
                    self.said.push(self.said[self.said.len() - back]);
                }
            }
        }
    }

    /// A message's compressed bytes. Its last block is an empty one whose tail is cut off.
    fn message(&mut self, blocks: &[(Block, bool)], ends_final: bool) -> (Vec<u8>, Vec<u8>) {
        (self.bytes, self.bits) = (vec![], 0);
        let before = self.said.len();
        for (block, is_final) in blocks {
            self.block(block, *is_final);
        }
        self.bit(ends_final);
        self.number(0, 2);
        (self.bytes.clone(), self.said[before..].to_vec())
    }
}

/// The code of a distance, the least distance of it, and the bits beyond. RFC 1951 3.2.5.
fn distance(back: u16) -> (u16, u16, u32) {
    let mut least = 1;
    for code in 0..30 {
        let extra = if code < 2 { 0 } else { code / 2 - 1 };
        if back < least + (1 << extra) {
            return (u16::try_from(code).unwrap(), least, extra);
        }
        least += 1 << extra;
    }
    unreachable!()
}

/// What a naive reader finds: miniz_oxide for each stream between final blocks, with the window put in front as a stored block.
fn naive(message: &[u8], window: &[u8]) -> Vec<u8> {
    let (mut rest, mut said) = ([message, b"\0\0\xff\xff"].concat(), window.to_vec());
    while !rest.is_empty() {
        let window = said[said.len().saturating_sub(32 << 10)..].to_vec();
        let mut bytes = vec![];
        for half in window.chunks(16 << 10) {
            let len = u16::try_from(half.len()).unwrap();
            bytes.push(0);
            bytes.extend(len.to_le_bytes());
            bytes.extend((!len).to_le_bytes());
            bytes.extend(half);
        }
        let ahead = bytes.len();
        bytes.extend(&rest);
        let (mut stream, mut out) = (Decompress::new(false), Vec::with_capacity(200_000));
        stream.decompress_vec(&bytes, &mut out, FlushDecompress::Sync).unwrap();
        said.extend(&out[window.len()..]);
        let taken = usize::try_from(stream.total_in()).unwrap() - ahead;
        assert!(taken > 0);
        rest.drain(..taken);
    }
    said[window.len()..].to_vec()
}

fn blocks() -> impl Strategy<Value = Vec<(Block, bool)>> {
    let back = prop_oneof![1..400_u16, 1..=32_768_u16];
    let symbol = prop_oneof![
        (0..144_u8).prop_map(Symbol::Literal),
        (3..=10_u16, back).prop_map(|(len, back)| Symbol::Match(len, back)),
    ];
    let block = prop_oneof![
        3 => prop::collection::vec(symbol, 0..20).prop_map(Block::Fixed),
        1 => prop_oneof![0..20_usize, 0..40_000_usize].prop_map(|len| Block::Stored(noise(len))),
    ];
    prop::collection::vec((block, any::<bool>()), 0..6)
}

/// A server whose clients take their context over, or not.
fn server(takes_over: bool) -> Socket {
    let deflate = if takes_over { Deflate::default() } else { Deflate::without_context() };
    ws_help::server(&SocketLimits::default()).deflate(&answer("permessage-deflate", &deflate).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_window_goes_on_behind_a_final_block(
        messages in prop::collection::vec((blocks(), any::<bool>()), 1..4),
        takes_over: bool,
        cuts in prop::collection::vec(prop_oneof![0..10_usize, 0..5000_usize], 1..6),
    ) {
        let (mut written, mut bytes, mut expected) = (Written::default(), vec![], vec![]);
        for (blocks, ends_final) in &messages {
            if !takes_over {
                written.said.clear();
            }
            let before = written.said.clone();
            let (message, said) = written.message(blocks, *ends_final);
            prop_assert!(naive(&message, &before) == said, "the test's own writer is wrong");
            let (first, second) = message.split_at(message.len() / 2);
            bytes.extend([masked(0x42, first), masked(0x80, second)].concat());
            expected.push(Got::Binary(said));
        }
        expected.push(Got::Failure(None));
        for pieces in [false, true] {
            let (got, _) = run_cut(server(takes_over), &bytes, &cuts, pieces);
            prop_assert!(got == expected, "in pieces: {}", pieces);
        }
    }
}

/// The same for every split of small messages.
#[test]
fn every_split_of_references_across_final_blocks() {
    let hello = || Block::Fixed(b"Hello".map(Symbol::Literal).to_vec());
    let again = || Block::Fixed(vec![Symbol::Match(5, 5)]);
    for takes_over in [true, false] {
        for (blocks, ends_final) in [
            (vec![(hello(), true), (again(), true)], false),
            (vec![(hello(), true), (again(), false)], true),
            (vec![(hello(), false), (Block::Fixed(vec![]), true), (again(), true), (again(), true)], false),
            (
                vec![
                    (Block::Stored(b"Hello".to_vec()), true),
                    (Block::Stored(vec![]), true),
                    (again(), true),
                ],
                true,
            ),
        ] {
            let mut written = Written::default();
            let (message, said) = written.message(&blocks, ends_final);
            let mut bytes = masked(0xc1, &message);
            bytes.extend([masked(0x41, &message[..3]), masked(0x80, &message[3..])].concat());
            let said = String::from_utf8(said).unwrap();
            let expected = [ws_help::text(&said), ws_help::text(&said), Got::Failure(None)];
            for at in 0..bytes.len() {
                for pieces in [false, true] {
                    let (got, _) = run_cut(server(takes_over), &bytes, &[at, bytes.len()], pieces);
                    assert_eq!(got, expected, "cut at {at}, in pieces: {pieces}");
                }
            }
            assert_eq!(received(|| server(takes_over), &bytes), expected);
        }
    }
}

/// Pieces that were handed out are referred to as well, also what was gathered before pieces were asked for.
#[test]
fn what_was_gathered_before_pieces_were_asked_for_is_referred_to() {
    let mut written = Written::default();
    let blocks = [
        (Block::Fixed(b"Hello".map(Symbol::Literal).to_vec()), true),
        (Block::Fixed(vec![Symbol::Match(5, 5)]), true),
    ];
    let (message, _) = written.message(&blocks, false);
    let bytes = masked(0xc1, &message);
    let mut socket = server(false);
    feed(socket.io(), &bytes[..bytes.len() - 6]);
    assert!(socket.event().is_none());
    let mut got = String::new();
    feed(socket.io(), &bytes[bytes.len() - 6..]);
    loop {
        match socket.piece() {
            Some(Piece::Start(_)) => {}
            Some(Piece::Text(text)) => got.push_str(&text),
            Some(Piece::End) => break,
            other => panic!("{got}: {other:?}"),
        }
    }
    assert_eq!(got, "HelloHello");
}

/// What a final block costs is bounded by what came: many without content are refused, few are not.
#[test]
fn final_blocks_within_a_message_are_counted() {
    let of = |count: usize| masked(0xc1, &[b"\x03\0".repeat(count), b"\0".to_vec()].concat());
    let taken = [ws_help::text(""), Got::Failure(None)];
    for takes_over in [true, false] {
        // Two bytes bring a quarter of what each uses up.
        assert_eq!(received(|| server(takes_over), &of(1)), taken);
        assert_eq!(received(|| server(takes_over), &of(20)), taken);
        assert_eq!(received(|| server(takes_over), &of(40)), [Got::Failure(Some(1008))]);
        assert_eq!(received(|| server(takes_over), &of(1 << 19)), [Got::Failure(Some(1008))]);
        // With eight bytes between them there may be any number: as fragments that are streams of their own have.
        let one = [masked(0x41, b"\x03\0"), masked(0, b"\x03\0").repeat(5000), masked(0x80, b"\0")].concat();
        let mut limits = SocketLimits::default();
        limits.fragments = 1 << 20;
        let deflate = if takes_over { Deflate::default() } else { Deflate::without_context() };
        let agreement = answer("permessage-deflate", &deflate).unwrap();
        assert_eq!(received(|| ws_help::server(&limits).deflate(&agreement), &one), taken);
        // And any number of messages that are one: 7.2.3.4.
        let hello = masked(0xc1, b"\xf3\x48\xcd\xc9\xc9\x07\0\0");
        let (got, _) = run_cut(server(takes_over), &hello.repeat(1000), &[100], false);
        assert_eq!(got.len(), 1001);
        assert!(got[..1000].iter().all(|got| *got == ws_help::text("Hello")));
    }
}

/// 7.1.2: compressors that are held to 8 bits use 9, most of them without saying so.
#[test]
fn a_window_of_8_bits_may_be_one_of_9() {
    let agreement = answer("permessage-deflate; client_max_window_bits=8", &Deflate::default()).unwrap();
    let mut written = Written::default();
    let (first, _) = written.message(&[(Block::Stored(noise(600)), false)], false);
    let (second, said) = written.message(&[(Block::Fixed(vec![Symbol::Match(10, 500)]), false)], false);
    let bytes = [masked(0xc2, &first), masked(0xc2, &second)].concat();
    let (got, _) =
        run_cut(ws_help::server(&SocketLimits::default()).deflate(&agreement), &bytes, &[50], false);
    assert_eq!(got, [Got::Binary(noise(600)), Got::Binary(said), Got::Failure(None)]);
}
