//! RFC 7692: permessage-deflate, of both roles.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::wildcard_enum_match_arm,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "a test may panic, and reads like the wire"
)]

mod bounds;
mod examples;
mod final_blocks;
mod handshake;
mod laws;
mod negotiation;
mod oracle;
mod refused;
mod sending;
#[path = "../ws_help/mod.rs"]
mod ws_help;

use endwell_core::ws::Socket;
use endwell_core::ws::{Agreement, Deflate, SocketLimits, WindowBits};
use ws_help::{Got, run_cut};

/// A server's agreement with a client that offers this.
fn answer(offers: &str, deflate: &Deflate) -> Option<Agreement> {
    Agreement::answer([offers.as_bytes()], &deflate.clone().into()).expect("it is well-formed")
}

/// What two of ours agree on: the server's and the client's view.
fn agreed(server: &Deflate, client: &Deflate) -> (Agreement, Agreement) {
    let server = answer(&client.offer(), server).expect("ours agree");
    let client = std::sync::Arc::new(client.clone());
    let client = client.confirm([server.field().as_bytes()]).expect("it is valid").expect("it agrees");
    (server, client)
}

/// A server's WebSocket on which messages may be compressed with any parameters.
fn server(limits: &SocketLimits) -> Socket {
    let agreement = answer("permessage-deflate", &Deflate::default()).unwrap();
    ws_help::server(limits).deflate(&agreement)
}

/// What a server receives, in one piece and in small ones, as a whole and in pieces: all must agree.
fn received(make: impl Fn() -> Socket, bytes: &[u8]) -> Vec<Got> {
    let (whole, _) = run_cut(make(), bytes, &[bytes.len()], false);
    for cuts in [&[0][..], &[1], &[2], &[6], &[3, 0, 10], &[100], &[0, 4095]] {
        for pieces in [false, true] {
            let (got, _) = run_cut(make(), bytes, cuts, pieces);
            assert_eq!(got, whole, "cut by {cuts:?}, in pieces: {pieces}");
        }
    }
    whole
}

fn bits(bits: u8) -> WindowBits {
    WindowBits::new(bits).unwrap()
}

/// Bytes without a pattern.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    (0..len).map(|_| next()).collect()
}

/// Text as programs send it: its parts repeat, and their values differ.
fn json(len: usize, seed: usize) -> String {
    let mut text = String::new();
    let mut number = seed;
    while text.len() < len {
        number = number.wrapping_mul(1_103_515_245).wrapping_add(12_345) % (1 << 31);
        let (name, on) = (number % 97, number % 2 == 0);
        text.extend([format!("{{\"id\":{number},\"name\":\"name {name}\",\"on\":{on}}},")]);
    }
    text.truncate(len);
    text
}
