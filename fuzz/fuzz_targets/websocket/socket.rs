//! A WebSocket as one value or as two halves, in the hands of one driver.

use endwell_core::ws::{
    Close, CloseSent, Closing, Event, Fragments, Kind, Ready, Receiver, Sender, Session, SessionEvent,
    WebSocket, Writing,
};
use endwell_core::{Deadline, Inbox, Outbox};

pub enum Socket {
    Session(Session),
    Halves { recv: Receiver, writer: Option<Writer> },
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
    pub fn new(socket: WebSocket, halves: bool) -> Self {
        if !halves {
            return Self::Session(socket.session());
        }
        Self::Halves { recv: socket.recv, writer: Some(Writer::Idle(socket.send)) }
    }

    pub fn inbox(&mut self) -> &mut Inbox {
        match self {
            Self::Session(session) => session.inbox(),
            Self::Halves { recv, .. } => recv.inbox(),
        }
    }

    pub fn deadline(&self) -> Option<Deadline> {
        match self {
            Self::Session(session) => session.deadline(),
            Self::Halves { recv, .. } => recv.deadline(),
        }
    }

    /// The transport took something.
    pub fn settle(&mut self, out: &mut Outbox) {
        if let Self::Halves { writer: Some(writer), .. } = self {
            match writer {
                Writer::Idle(sender) => sender.settle(out),
                Writer::Streaming(fragments) => fragments.settle(out),
                Writer::Closed(_) => {}
            }
        }
    }

    /// What came next. Keep-alive pings are written.
    pub fn next(&mut self, out: &mut Outbox) -> Option<Got> {
        match self {
            Self::Session(session) => {
                let ready = session.poll(out)?;
                Some(match session.event(ready, out) {
                    Ok(SessionEvent::Text(text)) => Got::Text(text.into_string()),
                    Ok(SessionEvent::Binary(data)) => Got::Binary(data.take().to_vec()),
                    Ok(SessionEvent::Ping(payload)) => Got::Ping(payload.to_vec()),
                    Ok(SessionEvent::Pong(payload)) => Got::Pong(payload.to_vec()),
                    Ok(SessionEvent::Close(close)) => Got::Close(close),
                    Err(cause) => Got::Failed(cause),
                })
            }
            Self::Halves { recv, writer } => loop {
                let ready = recv.poll()?;
                if let Some(got) = by_halves(recv, ready, writer, out) {
                    return Some(got);
                }
            },
        }
    }

    pub fn writing(&mut self) -> Writing<'_> {
        match self {
            Self::Session(session) => session.writing(),
            Self::Halves { writer, .. } => match writer.as_mut().unwrap() {
                Writer::Idle(sender) => Writing::Idle(sender),
                Writer::Streaming(fragments) => Writing::Streaming(fragments),
                Writer::Closed(_) => Writing::Closed,
            },
        }
    }

    pub fn start(&mut self, kind: Kind) {
        match self {
            Self::Session(session) => {
                session.start(kind);
            }
            Self::Halves { writer, .. } => {
                *writer = match writer.take() {
                    Some(Writer::Idle(sender)) => Some(Writer::Streaming(sender.fragments(kind))),
                    other => other,
                };
            }
        }
    }

    pub fn finish(&mut self, out: &mut Outbox) {
        match self {
            Self::Session(session) => {
                session.finish(out);
            }
            Self::Halves { writer, .. } => {
                *writer = match writer.take() {
                    Some(Writer::Streaming(fragments)) => Some(Writer::Idle(fragments.finish(out))),
                    other => other,
                };
            }
        }
    }

    pub fn close(self, close: Close, out: &mut Outbox) -> Closing {
        match self {
            Self::Session(session) => session.close(close, out),
            Self::Halves { recv, writer } => recv.closing(match writer.unwrap() {
                Writer::Idle(sender) => sender.close(close, out),
                Writer::Streaming(fragments) => fragments.close(close, out),
                Writer::Closed(sent) => sent,
            }),
        }
    }
}

/// Exchanges the token and gives the sender what the peer is owed. `None`: a keep-alive ping.
fn by_halves(
    recv: &mut Receiver,
    ready: Ready,
    writer: &mut Option<Writer>,
    out: &mut Outbox,
) -> Option<Got> {
    let owned = writer.take().unwrap();
    let (got, next) = match (recv.event(ready), owned) {
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
