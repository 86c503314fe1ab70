//! Both ways against another implementation of DEFLATE: miniz_oxide, by flate2.

use endwell_core::ws::{Compression, DataMessage, Deflate, SocketLimits};
use endwell_core_tests::io::written;
use flate2::{Compress, Decompress, FlushCompress, FlushDecompress};
use proptest::prelude::*;

use crate::ws_help::{self, Got, masked, run_cut};
use crate::{answer, json, noise};

const TAIL: &[u8] = b"\0\0\xff\xff";

/// What it makes of a message, with its tail cut off.
fn deflated(data: &[u8], stream: &mut Compress) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() * 2 + 100);
    let before = stream.total_in();
    stream.compress_vec(data, &mut out, FlushCompress::Sync).unwrap();
    assert_eq!(stream.total_in() - before, u64::try_from(data.len()).unwrap());
    out.strip_suffix(TAIL).expect("a sync flush").into()
}

fn inflated(payload: &[u8], stream: &mut Decompress) -> Vec<u8> {
    let bytes = [payload, TAIL].concat();
    let mut out = Vec::with_capacity(200_000);
    let before = stream.total_in();
    stream.decompress_vec(&bytes, &mut out, FlushDecompress::Sync).unwrap();
    assert_eq!(stream.total_in() - before, u64::try_from(bytes.len()).unwrap());
    out
}

fn messages() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let one = prop_oneof![
        (0..3000_usize, 0..50_usize).prop_map(|(len, seed)| json(len, seed).into_bytes()),
        (0..100_000_usize, 0..5_usize).prop_map(|(len, seed)| json(len, seed).into_bytes()),
        (1..3000_usize).prop_map(noise),
    ];
    prop::collection::vec(one, 1..10)
}

/// The frames of a server: whether each is compressed, and its payload.
fn frames(mut bytes: &[u8]) -> Vec<(bool, Vec<u8>)> {
    let mut all = vec![];
    while let [first, second, rest @ ..] = bytes {
        let (len, rest) = match second {
            126 => (usize::from(u16::from_be_bytes([rest[0], rest[1]])), &rest[2..]),
            127 => (usize::try_from(u64::from_be_bytes(rest[..8].try_into().unwrap())).unwrap(), &rest[8..]),
            len => (usize::from(*len), rest),
        };
        assert!(matches!(first, 0xc2 | 0x82), "{first:x}");
        all.push((*first == 0xc2, rest[..len].to_vec()));
        bytes = &rest[len..];
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_inflates_what_we_compress(messages in messages(), level in 1..=9_u8, window in 9..=15_u8, takes_over: bool) {
        let mut deflate = if takes_over { Deflate::default() } else { Deflate::without_context() };
        (deflate.level, deflate.window) = (level, crate::bits(window));
        let agreement = answer("permessage-deflate", &deflate).unwrap();
        let mut socket = ws_help::server(&SocketLimits::default()).deflate(&agreement);
        let mut stream = Decompress::new(false);
        for data in &messages {
            let message = DataMessage::binary(data.clone()).with_compression(Compression::Always);
            socket.writer().message(message).unwrap();
            for (is_compressed, payload) in frames(&written(socket.io())) {
                if !takes_over {
                    stream.reset(false);
                }
                let got = if is_compressed { inflated(&payload, &mut stream) } else { payload.clone() };
                prop_assert!(got == *data);
                prop_assert!(payload.len() <= data.len());
            }
        }
    }

    #[test]
    fn we_inflate_what_it_compresses(
        messages in messages(),
        level in 0..=9_u32,
        takes_over: bool,
        cuts in prop::collection::vec(0..5000_usize, 1..6),
    ) {
        let mut stream = Compress::new(flate2::Compression::new(level), false);
        let mut bytes = vec![];
        for data in &messages {
            if !takes_over {
                stream.reset();
            }
            let payload = deflated(data, &mut stream);
            let (first, second) = payload.split_at(payload.len() / 2);
            bytes.extend([masked(0x42, first), masked(0x80, second)].concat());
        }
        let deflate = if takes_over { Deflate::default() } else { Deflate::without_context() };
        let agreement = answer("permessage-deflate", &deflate).unwrap();
        let mut expected: Vec<Got> = messages.iter().map(|data| Got::Binary(data.clone())).collect();
        expected.push(Got::Failure(None));
        for pieces in [false, true] {
            let socket = ws_help::server(&SocketLimits::default()).deflate(&agreement);
            let (got, _) = run_cut(socket, &bytes, &cuts, pieces);
            prop_assert!(got == expected);
        }
    }
}
