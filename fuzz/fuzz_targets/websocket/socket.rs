//! A socket, whatever its right, in the hands of one driver.

use bytes::Bytes;
use endwell_core::ws::{Cause, Close, Control, Full, Kind};
use endwell_core::ws::{Event, Idle, Piece, Receiving, Socket, Within, Writer};
use endwell_core::{Closing, Io};

pub enum Held {
    Idle(Socket),
    Within(Socket<Within>),
    /// Our Close is written.
    Receiving(Receiving),
}

/// How messages are taken.
pub enum Reception {
    Whole,
    /// In pieces, which are put together here.
    Pieces(Option<(Kind, Vec<u8>)>),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Close),
    Failed(Cause),
}

impl Held {
    pub fn io(&mut self) -> Io<'_> {
        match self {
            Self::Idle(socket) => socket.io(),
            Self::Within(socket) => socket.io(),
            Self::Receiving(receiving) => receiving.io(),
        }
    }

    pub fn held_bytes(&self) -> usize {
        match self {
            Self::Idle(socket) => socket.held_bytes(),
            Self::Within(socket) => socket.held_bytes(),
            Self::Receiving(receiving) => receiving.held_bytes(),
        }
    }

    /// What came next. `asks`: it is asked before whether anything did.
    pub fn next(&mut self, reception: &mut Reception, asks: bool) -> Option<Got> {
        let message = match reception {
            Reception::Whole => {
                let is_ready = asks.then(|| (self.is_ready(), self.is_ready_again()));
                let event = self.event();
                assert!(is_ready.is_none_or(|ready| ready == (event.is_some(), event.is_some())));
                return event.map(of_event);
            }
            Reception::Pieces(message) => message,
        };
        loop {
            let is_ready = asks.then(|| (self.is_piece_ready(), self.is_ready_again()));
            let piece = self.piece();
            assert!(is_ready.is_none_or(|ready| ready == (piece.is_some(), piece.is_some())));
            if let Some(got) = put_together(piece?, message) {
                return Some(got);
            }
        }
    }

    fn is_ready(&mut self) -> bool {
        match self {
            Self::Idle(socket) => socket.ready(),
            Self::Within(socket) => socket.ready(),
            Self::Receiving(receiving) => receiving.ready(),
        }
    }

    fn event(&mut self) -> Option<Event<'_>> {
        match self {
            Self::Idle(socket) => socket.split().0,
            Self::Within(socket) => socket.event(),
            Self::Receiving(receiving) => receiving.event(),
        }
    }

    fn is_piece_ready(&mut self) -> bool {
        match self {
            Self::Idle(socket) => socket.ready_piece(),
            Self::Within(socket) => socket.ready_piece(),
            Self::Receiving(receiving) => receiving.ready_piece(),
        }
    }

    /// As asked for last.
    fn is_ready_again(&mut self) -> bool {
        match self {
            Self::Idle(socket) => socket.ready_again(),
            Self::Within(socket) => socket.ready_again(),
            Self::Receiving(receiving) => receiving.ready_again(),
        }
    }

    fn piece(&mut self) -> Option<Piece<'_>> {
        match self {
            Self::Idle(socket) => socket.split_piece().0,
            Self::Within(socket) => socket.piece(),
            Self::Receiving(receiving) => receiving.piece(),
        }
    }

    /// The right to write whole messages.
    pub fn idle(&mut self) -> Option<Writer<'_, Idle>> {
        match self {
            Self::Idle(socket) => Some(socket.writer()),
            Self::Within(_) | Self::Receiving(_) => None,
        }
    }

    /// The right to write pieces.
    pub fn within(&mut self) -> Option<Writer<'_, Within>> {
        match self {
            Self::Within(socket) => Some(socket.writer()),
            Self::Idle(_) | Self::Receiving(_) => None,
        }
    }

    pub fn ping<'p>(&mut self, payload: Control<'p>) -> Result<(), Full<Control<'p>>> {
        match self {
            Self::Idle(socket) => socket.ping(payload),
            Self::Within(socket) => socket.ping(payload),
            Self::Receiving(_) => Err(Full(payload)),
        }
    }

    pub fn begin(self, kind: Kind) -> Self {
        match self {
            Self::Idle(socket) => Self::Within(socket.begin(kind)),
            other => other,
        }
    }

    pub fn finish(self) -> Self {
        match self {
            Self::Within(socket) => match socket.finish() {
                Ok(socket) => Self::Idle(socket),
                Err(Full(within)) => Self::Within(within),
            },
            other => other,
        }
    }

    pub fn answer_close(self) -> Self {
        match self {
            Self::Idle(socket) => socket.answer_close().map_or_else(Self::Idle, Self::Receiving),
            other => other,
        }
    }

    pub fn close_writing(self, close: Close) -> Self {
        match self {
            Self::Idle(socket) => Self::Receiving(socket.close_writing(close)),
            Self::Within(socket) => Self::Receiving(socket.close_writing(close)),
            receiving => receiving,
        }
    }

    pub fn close(self, close: Close) -> Closing {
        match self {
            Self::Idle(socket) => socket.close(close),
            Self::Within(socket) => socket.close(close),
            Self::Receiving(receiving) => receiving.discard(),
        }
    }
}

fn of_event(event: Event<'_>) -> Got {
    match event {
        Event::Text(text) => Got::Text(text.to_string()),
        Event::Binary(data) => Got::Binary(data.to_vec()),
        Event::Ping(payload) => Got::Ping(payload.to_vec()),
        Event::Pong(payload) => Got::Pong(payload.to_vec()),
        Event::Close(close) => Got::Close(close.clone()),
        Event::Failed(cause) => Got::Failed(cause.clone()),
    }
}

/// Puts a message together, and panics where a piece is not in its place.
fn put_together(piece: Piece<'_>, message: &mut Option<(Kind, Vec<u8>)>) -> Option<Got> {
    let (kind, bytes): (_, Bytes) = match piece {
        Piece::Start(kind) => {
            assert!(message.replace((kind, vec![])).is_none(), "a message within a message");
            return None;
        }
        Piece::Text(text) => (Kind::Text, text.take()),
        Piece::Binary(data) => (Kind::Binary, data.take()),
        Piece::End => {
            return Some(match message.take().expect("the end of a message") {
                (Kind::Text, bytes) => Got::Text(String::from_utf8(bytes).unwrap()),
                (Kind::Binary, bytes) => Got::Binary(bytes),
            });
        }
        Piece::Ping(payload) => return Some(Got::Ping(payload.to_vec())),
        Piece::Pong(payload) => return Some(Got::Pong(payload.to_vec())),
        Piece::Close(close) => return Some(Got::Close(close.clone())),
        Piece::Failed(cause) => return Some(Got::Failed(cause.clone())),
    };
    let (begun, all) = message.as_mut().expect("a piece of a message");
    assert!(*begun == kind && !bytes.is_empty());
    all.extend_from_slice(&bytes);
    None
}
