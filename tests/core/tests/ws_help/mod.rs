//! What the chapters share: frames made by hand, and a WebSocket of one role with its outbox.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_core,
    clippy::decimal_bitwise_operands,
    reason = "each chapter uses a part; a test may panic, and reads like the wire"
)]

use bytes::{Buf, Bytes};
use core::convert::Infallible;
use endwell_core::ws::socket::{self, Socket};
use endwell_core::ws::{
    Cause, Close, Event, Jitter, Kind, Limits, Masks, NextPiece, Piece, Receiver, Role, Sender, WebSocket,
};
use endwell_core::{Arrived, Closing, Ending, Instant, Io, Look, Outbox, Wrote};
use proptest::prelude::*;
use std::time::Duration;

pub(crate) const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub(crate) fn at(millis: u64) -> Instant {
    Instant::from_epoch(Duration::from_millis(millis))
}

pub(crate) fn server(limits: &Limits) -> WebSocket {
    WebSocket::from_parts(Role::Server, Bytes::new(), limits.clone().into(), Jitter(0), None)
}

pub(crate) fn client(limits: &Limits) -> WebSocket {
    let mut next = 0_u32;
    let masks = Masks::new(move || {
        next = next.wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        next.to_be_bytes()
    });
    WebSocket::from_parts(Role::Client(masks), Bytes::new(), limits.clone().into(), Jitter(0), None)
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
    PingDue,
    Close(Option<u16>, String),
    /// A failure, and the code that the peer is told.
    Failure(Option<u16>),
}

pub(crate) fn text(text: &str) -> Got {
    Got::Text(text.into())
}

/// Takes everything that is there, and answers what is owed as an application would.
pub(crate) fn receive(recv: &mut Receiver, send: &mut Option<Sender>, out: &mut Outbox) -> Vec<Got> {
    let mut all = Vec::new();
    while let Some(ready) = recv.poll() {
        let event = recv.event(ready);
        all.push(answer(event, send, out));
    }
    all
}

/// Like [`receive`], in pieces, which are put together: `message` is what has come of one.
pub(crate) fn receive_pieces(
    recv: &mut Receiver,
    message: &mut Option<(Kind, Vec<u8>)>,
    send: &mut Option<Sender>,
    out: &mut Outbox,
) -> Vec<Got> {
    let mut all = Vec::new();
    while let Some(next) = recv.poll_piece() {
        match next {
            NextPiece::Piece(ready) => match recv.piece(ready) {
                Ok(piece) => all.extend(put_together(piece, message)),
                Err(failure) => all.push(answer(Err(failure), send, out)),
            },
            NextPiece::Event(ready) => {
                let event = recv.event(ready);
                assert!(!matches!(event, Ok(Event::Text(_) | Event::Binary(_))), "a message comes in pieces");
                all.push(answer(event, send, out));
            }
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
    };
    let (begun, all) = message.as_mut().expect("a piece of a message that has begun");
    assert_eq!((*begun, bytes.is_empty()), (kind, false));
    all.extend(bytes);
    None
}

fn answer(
    event: Result<Event<'_>, endwell_core::ws::Failure>,
    send: &mut Option<Sender>,
    out: &mut Outbox,
) -> Got {
    match event {
        Ok(Event::Text(text)) => Got::Text(text.to_string()),
        Ok(Event::Binary(payload)) => Got::Binary(payload.to_vec()),
        Ok(Event::Ping(ping)) => {
            let payload = ping.payload().to_vec();
            if let Some(send) = send {
                send.pong(ping, out);
            }
            Got::Ping(payload)
        }
        Ok(Event::Pong(payload)) => Got::Pong(payload.to_vec()),
        Ok(Event::PingDue(due)) => {
            if let Some(send) = send {
                send.keep_alive(due, out);
            }
            Got::PingDue
        }
        Ok(Event::Close(close)) => {
            let got = said(close.close());
            if let Some(send) = send.take() {
                let _sent = send.answer(close, out);
            }
            got
        }
        Err(failure) => {
            let code = failure.cause().code().map(endwell_core::ws::CloseCode::number);
            if let Some(send) = send.take() {
                let _sent = send.fail(failure, out);
            }
            Got::Failure(code)
        }
    }
}

pub(crate) fn said(close: &Close) -> Got {
    Got::Close(close.code().map(endwell_core::ws::CloseCode::number), close.reason().into())
}

/// A socket, until its Close.
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
}

impl Run {
    fn new(socket: WebSocket, pieces: bool) -> Self {
        Self { end: End::Open(socket.into()), got: vec![], out: vec![], message: None, pieces }
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
        let mut taken = 0;
        let Some(mut io) = self.io() else { return bytes.len() };
        let Ok(arrived) = io.read(at(0), |room| {
            taken = room.len().min(bytes.len());
            room[..taken].copy_from_slice(&bytes[..taken]);
            Ok::<_, Infallible>(Look::Bytes(taken))
        });
        assert!(arrived == Arrived::Something || taken == 0, "{arrived:?}");
        taken
    }

    fn end(&mut self) {
        if let Some(mut io) = self.io() {
            let Ok(_) = io.read(at(0), |_| Ok::<_, Infallible>(Look::End));
        }
    }

    /// Takes what is there, and writes what is owed.
    fn turn(&mut self) {
        self.end = match std::mem::replace(&mut self.end, End::Over) {
            End::Open(socket) => self.take(socket),
            End::Closing(closing) => Self::close(closing),
            End::Over => End::Over,
        };
        let mut out = std::mem::take(&mut self.out);
        while let Some(mut io) = self.io() {
            let Ok(wrote) = io.write(at(0), |chunks| {
                let chunk = chunks.next().unwrap_or_default();
                out.extend_from_slice(chunk);
                Ok::<_, Infallible>(Some(chunk.len()))
            });
            if wrote != Wrote::Something {
                break;
            }
        }
        self.out = out;
    }

    fn take(&mut self, mut socket: Socket) -> End {
        loop {
            let got = if self.pieces {
                assert_eq!(socket.ready_piece(), socket.ready_piece());
                let Some(piece) = socket.piece() else { return End::Open(socket) };
                match piece {
                    socket::Piece::Start(kind) => put_together(Piece::Start(kind), &mut self.message),
                    socket::Piece::Text(text) => put_together(Piece::Text(text), &mut self.message),
                    socket::Piece::Binary(data) => put_together(Piece::Binary(data), &mut self.message),
                    socket::Piece::End => put_together(Piece::End, &mut self.message),
                    socket::Piece::Ping(payload) => Some(Got::Ping(payload.to_vec())),
                    socket::Piece::Pong(payload) => Some(Got::Pong(payload.to_vec())),
                    socket::Piece::Close(close) => Some(said(close)),
                    socket::Piece::Failed(failure) => Some(failed(&failure)),
                }
            } else {
                assert_eq!(socket.ready(), socket.ready());
                let Some(event) = socket.event() else { return End::Open(socket) };
                Some(match event {
                    socket::Event::Text(text) => Got::Text(text.to_string()),
                    socket::Event::Binary(payload) => Got::Binary(payload.to_vec()),
                    socket::Event::Ping(payload) => Got::Ping(payload.to_vec()),
                    socket::Event::Pong(payload) => Got::Pong(payload.to_vec()),
                    socket::Event::Close(close) => said(close),
                    socket::Event::Failed(failure) => failed(&failure),
                })
            };
            let Some(got) = got else { continue };
            let is_end = matches!(got, Got::Close(..) | Got::Failure(_));
            self.got.push(got);
            if is_end {
                return Self::close(socket.close(Close::EMPTY));
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

fn failed(failure: &endwell_core::ws::Failure) -> Got {
    Got::Failure(failure.cause().code().map(endwell_core::ws::CloseCode::number))
}

/// Feeds `bytes` in pieces of `step` bytes to a WebSocket: what it received and what it wrote.
pub(crate) fn run(socket: WebSocket, bytes: &[u8], step: usize) -> (Vec<Got>, Vec<u8>) {
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

/// Feeds a WebSocket of a role with `bytes`, cut as `cuts` says, and ends the stream.
pub(crate) fn run_cut(socket: WebSocket, bytes: &[u8], cuts: &[usize], pieces: bool) -> (Vec<Got>, Vec<u8>) {
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
            return (run.got, run.out);
        }
    }
}

pub(crate) fn written(out: &mut Outbox) -> Vec<u8> {
    out.copy_to_bytes(out.len()).to_vec()
}

/// Like [`run`], in a few kinds of pieces, which must agree.
pub(crate) fn agreed(make: impl Fn() -> WebSocket, bytes: &[u8]) -> (Vec<Got>, Vec<u8>) {
    let whole = run(make(), bytes, bytes.len().max(1));
    for step in [1, 2, 3, 5, 7, 11, 64, 1000] {
        assert_eq!(run(make(), bytes, step), whole, "in pieces of {step}");
    }
    whole
}

pub(crate) fn is_end_of_stream(cause: &Cause) -> bool {
    matches!(cause, Cause::EndOfStream)
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
