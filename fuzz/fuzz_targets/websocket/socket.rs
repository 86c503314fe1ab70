//! A WebSocket as one value or as two halves, in the hands of one driver.

use endwell_core::ws::{
    Close, CloseSent, Closing, Event, Failure, Fragments, Kind, NextPiece, Piece, Ready, Receiver, Sender,
    Session, SessionEvent, WebSocket, Writing,
};
use endwell_core::{Deadline, Inbox, Outbox};

pub struct Socket {
    form: Form,
    reception: Reception,
}

enum Form {
    Session(Session),
    Halves { recv: Receiver, writer: Option<Writer> },
}

/// How messages are taken.
pub enum Reception {
    Whole,
    /// In pieces, which are put together here.
    Pieces(Option<(Kind, Vec<u8>)>),
}

pub enum Writer {
    Idle(Sender),
    Streaming(Fragments),
    Closed(CloseSent),
}

#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Close),
    Failed(endwell_core::ws::Cause),
}

impl Socket {
    pub fn new(socket: WebSocket, halves: bool, reception: Reception) -> Self {
        let form = if halves {
            Form::Halves { recv: socket.recv, writer: Some(Writer::Idle(socket.send)) }
        } else {
            Form::Session(socket.session())
        };
        Self { form, reception }
    }

    pub fn inbox(&mut self) -> &mut Inbox {
        match &mut self.form {
            Form::Session(session) => session.inbox(),
            Form::Halves { recv, .. } => recv.inbox(),
        }
    }

    pub fn deadline(&self) -> Option<Deadline> {
        match &self.form {
            Form::Session(session) => session.deadline(),
            Form::Halves { recv, .. } => recv.deadline(),
        }
    }

    /// The transport took something.
    pub fn settle(&mut self, out: &mut Outbox) {
        if let Form::Halves { writer: Some(writer), .. } = &mut self.form {
            match writer {
                Writer::Idle(sender) => sender.settle(out),
                Writer::Streaming(fragments) => fragments.settle(out),
                Writer::Closed(_) => {}
            }
        }
    }

    /// What came next. Keep-alive pings are written.
    pub fn next(&mut self, out: &mut Outbox) -> Option<Got> {
        loop {
            let got = match &mut self.reception {
                Reception::Whole => {
                    let ready = self.form.poll(out)?;
                    self.form.event(ready, out)
                }
                Reception::Pieces(message) => match self.form.poll_piece(out)? {
                    NextPiece::Piece(ready) => match &mut self.form {
                        Form::Session(session) => match session.piece(ready, out) {
                            Ok(piece) => put_together(piece, message),
                            Err(cause) => Some(Got::Failed(cause)),
                        },
                        Form::Halves { recv, writer } => match recv.piece(ready) {
                            Ok(piece) => put_together(piece, message),
                            Err(failure) => by_halves(Err(failure), writer, out),
                        },
                    },
                    NextPiece::Event(ready) => self.form.event(ready, out),
                },
            };
            if got.is_some() {
                return got;
            }
        }
    }

    pub fn writing(&mut self) -> Writing<'_> {
        match &mut self.form {
            Form::Session(session) => session.writing(),
            Form::Halves { writer, .. } => match writer.as_mut().unwrap() {
                Writer::Idle(sender) => Writing::Idle(sender),
                Writer::Streaming(fragments) => Writing::Streaming(fragments),
                Writer::Closed(_) => Writing::Closed,
            },
        }
    }

    pub fn start(&mut self, kind: Kind) {
        match &mut self.form {
            Form::Session(session) => {
                session.start(kind);
            }
            Form::Halves { writer, .. } => {
                *writer = match writer.take() {
                    Some(Writer::Idle(sender)) => Some(Writer::Streaming(sender.fragments(kind))),
                    other => other,
                };
            }
        }
    }

    pub fn finish(&mut self, out: &mut Outbox) {
        match &mut self.form {
            Form::Session(session) => {
                session.finish(out);
            }
            Form::Halves { writer, .. } => {
                *writer = match writer.take() {
                    Some(Writer::Streaming(fragments)) => Some(Writer::Idle(fragments.finish(out))),
                    other => other,
                };
            }
        }
    }

    pub fn close(self, close: Close, out: &mut Outbox) -> Closing {
        match self.form {
            Form::Session(session) => session.close(close, out),
            Form::Halves { recv, writer } => recv.closing(match writer.unwrap() {
                Writer::Idle(sender) => sender.close(close, out),
                Writer::Streaming(fragments) => fragments.close(close, out),
                Writer::Closed(sent) => sent,
            }),
        }
    }
}

impl Form {
    fn poll(&mut self, out: &mut Outbox) -> Option<Ready> {
        match self {
            Self::Session(session) => session.poll(out),
            Self::Halves { recv, .. } => recv.poll(),
        }
    }

    fn poll_piece(&mut self, out: &mut Outbox) -> Option<NextPiece> {
        match self {
            Self::Session(session) => session.poll_piece(out),
            Self::Halves { recv, .. } => recv.poll_piece(),
        }
    }

    /// `None`: a keep-alive ping.
    fn event(&mut self, ready: Ready, out: &mut Outbox) -> Option<Got> {
        let session = match self {
            Self::Session(session) => session,
            Self::Halves { recv, writer } => return by_halves(recv.event(ready), writer, out),
        };
        Some(match session.event(ready, out) {
            Ok(SessionEvent::Text(text)) => Got::Text(text.into_string()),
            Ok(SessionEvent::Binary(data)) => Got::Binary(data.take().to_vec()),
            Ok(SessionEvent::Ping(payload)) => Got::Ping(payload.to_vec()),
            Ok(SessionEvent::Pong(payload)) => Got::Pong(payload.to_vec()),
            Ok(SessionEvent::Close(close)) => Got::Close(close),
            Err(cause) => Got::Failed(cause),
        })
    }
}

/// Puts a message together, and panics where a piece is not in its place.
fn put_together(piece: Piece<'_>, message: &mut Option<(Kind, Vec<u8>)>) -> Option<Got> {
    let (kind, bytes) = match piece {
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
    };
    let (begun, all) = message.as_mut().expect("a piece of a message");
    assert!(*begun == kind && !bytes.is_empty());
    all.extend_from_slice(&bytes);
    None
}

/// Gives the sender what the peer is owed. `None`: a keep-alive ping.
fn by_halves(
    event: Result<Event<'_>, Failure>,
    writer: &mut Option<Writer>,
    out: &mut Outbox,
) -> Option<Got> {
    let owned = writer.take().unwrap();
    let (got, next) = match (event, owned) {
        (Ok(Event::Text(text)), next) => (Got::Text(text.to_string()), next),
        (Ok(Event::Binary(data)), next) => (Got::Binary(data.to_vec()), next),
        (Ok(Event::Pong(payload)), next) => (Got::Pong(payload.to_vec()), next),
        (Ok(Event::Ping(ping)), mut next) => {
            let payload = ping.payload().to_vec();
            match &mut next {
                Writer::Idle(sender) => sender.pong(ping, out),
                Writer::Streaming(fragments) => fragments.pong(ping.into_owned(), out),
                Writer::Closed(_) => unreachable!(),
            }
            (Got::Ping(payload), next)
        }
        (Ok(Event::PingDue(due)), mut next) => {
            match &mut next {
                Writer::Idle(sender) => sender.keep_alive(due, out),
                Writer::Streaming(fragments) => fragments.keep_alive(due, out),
                Writer::Closed(_) => unreachable!(),
            }
            *writer = Some(next);
            return None;
        }
        (Ok(Event::Close(close)), next) => {
            let said = close.close().clone();
            let sent = match next {
                Writer::Idle(sender) => sender.answer(close, out),
                Writer::Streaming(fragments) => fragments.answer(close, out),
                Writer::Closed(_) => unreachable!(),
            };
            (Got::Close(said), Writer::Closed(sent))
        }
        (Err(failure), next) => {
            let cause = failure.cause().clone();
            let sent = match next {
                Writer::Idle(sender) => sender.fail(failure, out),
                Writer::Streaming(fragments) => fragments.fail(failure, out),
                Writer::Closed(_) => unreachable!(),
            };
            (Got::Failed(cause), Writer::Closed(sent))
        }
    };
    *writer = Some(next);
    Some(got)
}
