//! What the chapters share: frames made by hand, and a WebSocket of one role.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "each chapter uses a part; a test may panic, and reads like the wire"
)]

use bytes::Bytes;
use endwell_core::ws::{Cause, Close, CloseCode, Jitter, Kind, Masks, Role, SocketLimits};
use endwell_core::ws::{Event, Piece, Socket};
use endwell_core::{Closing, Ending, Io, OutboxLimits, Outcome};
use endwell_core_tests::io::{self, written};
use proptest::prelude::*;

pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// A limit on what is queued that no test meets.
pub(crate) const ROOMY: OutboxLimits =
    OutboxLimits { bytes: usize::MAX / 2, high_water: usize::MAX / 2, pace: endwell_core::Pace::UNLIMITED };

pub(crate) fn server(limits: &SocketLimits) -> Socket {
    server_with(limits, OutboxLimits::default())
}

pub(crate) fn client(limits: &SocketLimits) -> Socket {
    client_with(limits, OutboxLimits::default())
}

pub(crate) fn server_with(limits: &SocketLimits, output: OutboxLimits) -> Socket {
    Socket::from_parts(Role::Server, Bytes::new(), limits.clone().into(), output, Jitter(0), None)
}

pub(crate) fn client_with(limits: &SocketLimits, output: OutboxLimits) -> Socket {
    let mut next = 0_u32;
    let masks = Masks::new(move || {
        next = next.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        next.to_be_bytes()
    });
    Socket::from_parts(Role::Client(masks), Bytes::new(), limits.clone().into(), output, Jitter(0), None)
}

/// A frame, written without the code under test.
pub(crate) fn frame(first: u8, payload: &[u8], key: Option<[u8; 4]>) -> Vec<u8> {
    let bit = if key.is_some() { 0x80 } else { 0 };
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..=125 => bytes.push(bit | u8::try_from(len).unwrap()),
        len @ 126..=0xffff => {
            bytes.push(bit | 126);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            bytes.push(bit | 127);
            bytes.extend(u64::try_from(len).unwrap().to_be_bytes());
        }
    }
    bytes.extend(key.iter().flatten());
    let key = key.unwrap_or_default();
    bytes.extend(payload.iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]));
    bytes
}

/// A client's frame.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload, Some(KEY))
}

/// A server's frame.
pub(crate) fn plain(first: u8, payload: &[u8]) -> Vec<u8> {
    frame(first, payload, None)
}

/// What was received, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    /// A failure, and the code that the peer is told.
    Failure(Option<u16>),
}

pub(crate) fn text(text: &str) -> Got {
    Got::Text(text.into())
}

/// Takes everything that is there. Of the end, which comes again and again, there is one.
pub(crate) fn receive<W>(socket: &mut Socket<W>) -> Vec<Got> {
    let mut all = Vec::new();
    while let Some(event) = socket.event() {
        all.push(got(event));
        if all.last().is_some_and(Got::is_end) {
            assert_eq!(socket.event().map(got).as_ref(), all.last());
            break;
        }
    }
    all
}

/// Like [`receive`], in pieces, which are put together: `message` is what has come of one.
pub(crate) fn receive_pieces<W>(socket: &mut Socket<W>, message: &mut Option<(Kind, Vec<u8>)>) -> Vec<Got> {
    let mut all = Vec::new();
    while let Some(piece) = socket.piece() {
        all.extend(put_together(piece, message));
        if all.last().is_some_and(Got::is_end) {
            let again = socket.piece().and_then(|piece| put_together(piece, message));
            assert_eq!(again.as_ref(), all.last());
            break;
        }
    }
    all
}

/// Puts a message together. A piece that is not in its place panics.
pub(crate) fn put_together(piece: Piece<'_>, message: &mut Option<(Kind, Vec<u8>)>) -> Option<Got> {
    let (kind, bytes) = match piece {
        Piece::Start(kind) => {
            assert_eq!(message.replace((kind, vec![])), None, "a message within a message");
            return None;
        }
        Piece::Text(text) => (Kind::Text, text.take()),
        Piece::Binary(payload) => (Kind::Binary, payload.take()),
        Piece::End => {
            return message.take().map(|(kind, bytes)| match kind {
                Kind::Text => Got::Text(String::from_utf8(bytes).unwrap()),
                Kind::Binary => Got::Binary(bytes),
            });
        }
        Piece::Ping(payload) => return Some(Got::Ping(payload.to_vec())),
        Piece::Pong(payload) => return Some(Got::Pong(payload.to_vec())),
        Piece::Close(close) => return Some(said(close)),
        Piece::Failed(failure) => return Some(failed(failure)),
    };
    let (begun, all) = message.as_mut().expect("a piece of a message that has begun");
    assert_eq!((*begun, bytes.is_empty()), (kind, false));
    all.extend(bytes);
    None
}

pub(crate) fn got(event: Event<'_>) -> Got {
    match event {
        Event::Text(text) => Got::Text(text.to_string()),
        Event::Binary(payload) => Got::Binary(payload.to_vec()),
        Event::Ping(payload) => Got::Ping(payload.to_vec()),
        Event::Pong(payload) => Got::Pong(payload.to_vec()),
        Event::Close(close) => said(close),
        Event::Failed(failure) => failed(failure),
    }
}

pub(crate) fn said(close: &Close) -> Got {
    Got::Close(close.code().map(CloseCode::number), close.reason().into())
}

fn failed(cause: &Cause) -> Got {
    Got::Failure(cause.code().map(CloseCode::number))
}

/// Why nothing more is received.
pub(crate) fn cause<W>(socket: &mut Socket<W>) -> Cause {
    match socket.event() {
        Some(Event::Failed(failure)) => failure.clone(),
        other => panic!("{other:?}"),
    }
}

impl Got {
    fn is_end(&self) -> bool {
        matches!(self, Self::Close(..) | Self::Failure(_))
    }
}

/// A socket, until its Close, which ends it so.
enum End {
    Open(Socket),
    Closing(Closing),
    Over,
}

/// A socket that answers as a driver does, and what it received and wrote.
struct Run {
    end: End,
    got: Vec<Got>,
    out: Vec<u8>,
    message: Option<(Kind, Vec<u8>)>,
    pieces: bool,
    ended: Option<Outcome>,
}

impl Run {
    fn new(socket: Socket, pieces: bool) -> Self {
        Self { end: End::Open(socket), got: vec![], out: vec![], message: None, pieces, ended: None }
    }

    fn io(&mut self) -> Option<Io<'_>> {
        match &mut self.end {
            End::Open(socket) => Some(socket.io()),
            End::Closing(closing) => Some(closing.io()),
            End::Over => None,
        }
    }

    /// Says how many of the bytes were taken.
    fn feed(&mut self, bytes: &[u8]) -> usize {
        self.io().map_or(bytes.len(), |io| io::feed(io, bytes))
    }

    fn end(&mut self) {
        if let Some(io) = self.io() {
            io::end(io);
        }
    }

    /// Takes what is there, and writes what is owed.
    fn turn(&mut self) {
        self.end = match std::mem::replace(&mut self.end, End::Over) {
            End::Open(socket) => self.take(socket),
            End::Closing(closing) => Self::close(closing),
            End::Over => End::Over,
        };
        let out = self.io().map(written).unwrap_or_default();
        self.out.extend(out);
    }

    fn take(&mut self, mut socket: Socket) -> End {
        loop {
            let got = if self.pieces {
                assert_eq!(socket.ready_piece(), socket.ready_piece());
                let Some(piece) = socket.piece() else { return End::Open(socket) };
                put_together(piece, &mut self.message)
            } else {
                assert_eq!(socket.ready(), socket.ready());
                let Some(event) = socket.event() else { return End::Open(socket) };
                Some(got(event))
            };
            let Some(got) = got else { continue };
            let is_end = got.is_end();
            self.got.push(got);
            if is_end {
                let closing = socket.close(Close::EMPTY);
                self.ended = Some(closing.ended().clone());
                return Self::close(closing);
            }
        }
    }

    fn close(closing: Closing) -> End {
        match closing.poll() {
            Ending::Wait(closing) | Ending::EndWrite(closing) => End::Closing(closing),
            Ending::Done(_) | Ending::Reset(_) => End::Over,
        }
    }
}

/// Feeds `bytes` in pieces of `step` bytes to a WebSocket: what it received and what it wrote.
pub(crate) fn run(socket: Socket, bytes: &[u8], step: usize) -> (Vec<Got>, Vec<u8>) {
    let mut run = Run::new(socket, false);
    run.turn();
    for piece in bytes.chunks(step) {
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = run.feed(rest);
            assert!(taken > 0, "a socket that waits leaves room");
            rest = &rest[taken..];
            run.turn();
        }
    }
    (run.got, run.out)
}

/// Feeds a WebSocket with `bytes`, cut as `cuts` says, and ends the stream.
pub(crate) fn run_cut(socket: Socket, bytes: &[u8], cuts: &[usize], pieces: bool) -> (Vec<Got>, Vec<u8>) {
    let (got, out, _) = run_to_end(socket, bytes, cuts, pieces);
    (got, out)
}

/// Like [`run_cut`], and how it ended, if it did.
pub(crate) fn run_to_end(
    socket: Socket,
    bytes: &[u8],
    cuts: &[usize],
    pieces: bool,
) -> (Vec<Got>, Vec<u8>, Option<Outcome>) {
    let mut run = Run::new(socket, pieces);
    let (mut rest, mut cuts) = (bytes, cuts.iter().cycle());
    loop {
        let len = cuts.next().map_or(rest.len(), |cut| cut % rest.len().max(1) + 1).min(rest.len());
        let mut part = &rest[..len];
        rest = &rest[len..];
        while !part.is_empty() {
            let taken = run.feed(part);
            assert!(taken > 0, "a socket that waits leaves room");
            part = &part[taken..];
            if !part.is_empty() {
                run.turn();
            }
        }
        if rest.is_empty() {
            run.end();
        }
        run.turn();
        if rest.is_empty() {
            return (run.got, run.out, run.ended);
        }
    }
}

/// Like [`run`], in a few kinds of pieces, which must agree.
pub(crate) fn agreed(make: impl Fn() -> Socket, bytes: &[u8]) -> (Vec<Got>, Vec<u8>) {
    let whole = run(make(), bytes, bytes.len().max(1));
    for step in [1, 2, 3, 5, 7, 11, 64, 1000] {
        assert_eq!(run(make(), bytes, step), whole, "in pieces of {step}");
    }
    whole
}

/// What can be seen of one side of a conversation: its frames, and nothing behind a Close.
pub(crate) fn closes_once(bytes: &[u8], peer_masks: bool) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        let (first, second) = (bytes[at], bytes[at + 1]);
        let (len, size) = match second & 0x7f {
            126 => (usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]])), 4),
            127 => {
                let len: [u8; 8] = bytes[at + 2..at + 10].try_into().unwrap();
                (usize::try_from(u64::from_be_bytes(len)).unwrap(), 10)
            }
            len => (usize::from(len), 2),
        };
        at += size + len + if peer_masks { 4 } else { 0 };
        if first == 0x88 {
            return at == bytes.len();
        }
    }
    true
}

/// The payloads of the pongs in what one side wrote: control frames only.
pub(crate) fn pongs(mut bytes: &[u8], masks: bool) -> Vec<Vec<u8>> {
    let mut all = vec![];
    while let [first, second, rest @ ..] = bytes {
        let len = usize::from(second & 0x7f);
        let (key, rest) = if masks { rest.split_at(4) } else { (&[0; 4][..], rest) };
        if *first == 0x8a {
            all.push(rest[..len].iter().enumerate().map(|(i, byte)| byte ^ key[i % 4]).collect());
        }
        bytes = &rest[len..];
    }
    all
}

/// A frame's first byte, its payload and mask key, and whether it is cut in the middle.
pub(crate) type Made = (u8, Vec<u8>, [u8; 4], bool);

/// Frames, most of them well-formed.
pub(crate) fn frames() -> impl Strategy<Value = Vec<Made>> {
    let first = prop_oneof![
        8 => prop::sample::select(vec![0x81_u8, 0x82, 0x01, 0x02, 0x00, 0x80, 0x89, 0x8a]),
        1 => Just(0x88),
        1 => any::<u8>(),
    ];
    let payload = prop_oneof![
        4 => "[a-zé水🎉]{0,40}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..140),
        1 => "[a水]{100,300}".prop_map(String::into_bytes),
    ];
    let one = (first, payload, any::<[u8; 4]>(), (0..20_u8).prop_map(|odd| odd == 0));
    prop::collection::vec(one, 0..12)
}

/// The bytes of [`frames`], of a client or of a server.
pub(crate) fn wire(frames: &[Made], masks: bool) -> Vec<u8> {
    let mut all = vec![];
    for (first, payload, key, is_cut) in frames {
        let mut bytes = frame(*first, payload, masks.then_some(*key));
        if *is_cut {
            bytes.truncate(bytes.len() / 2);
        }
        all.extend(bytes);
    }
    all
}
