//! What is answered.

use bytes::{Buf, Bytes};
use endwell_core::http::server::Exchange;
use endwell_core::http::{BodyEvent, Framing, RequestHead, Response, StatusCode, Streaming};
use endwell_core::ws::{Acceptance, Close, DataMessage, Event, Full, Jitter, Origins, Socket};

use super::connection::Shared;
use super::state::State;
use super::state::Step::{self, On, Wait};
use super::state::Waits::{ForPeer, ForRoom};

/// Answers. Duty 12: the last response of a connection says so.
pub(super) fn hello(mut exchange: Exchange, shared: &Shared) -> State {
    if shared.stops {
        exchange.last();
    }
    let head = Response::new(StatusCode::OK);
    exchange.respond(&head, "hello\n".into(), shared.date.as_ref()).next().into()
}

pub(super) fn answer(head: &RequestHead, mut exchange: Exchange, shared: &Shared) -> State {
    let date = shared.date.as_ref();
    match head.path() {
        "/" => hello(exchange, shared),
        "/later" => State::Later(exchange, shared.now.saturating_add(shared.settings.later)),
        "/echo" => {
            exchange.proceed();
            let head = Response::new(StatusCode::OK);
            State::Echo(exchange.start(&head, Framing::Chunked, date), Bytes::new())
        }
        "/ws" => {
            // Duty 15.
            let jitter = Jitter(rand::random());
            let acceptance = Acceptance::new(shared.settings.ws.clone()).origins(Origins::Any).jitter(jitter);
            match exchange.accept(acceptance, date) {
                Ok(socket) => State::Socket(socket, None),
                Err((reason, exchange)) => exchange.respond(&reason.head(), Bytes::new(), date).next().into(),
            }
        }
        _ => exchange.respond(&Response::new(StatusCode::NOT_FOUND), Bytes::new(), date).next().into(),
    }
}

/// Writes what is received while it is borrowed. What does not fit is copied, and waits for room.
pub(super) fn echo(mut exchange: Exchange<Streaming>, mut late: Bytes) -> Step {
    loop {
        let (body, mut writer) = exchange.split();
        late.advance(writer.copy(&late));
        if !late.is_empty() {
            return Wait(State::Echo(exchange, late), ForRoom);
        }
        match body.event() {
            None => return Wait(State::Echo(exchange, late), ForPeer),
            Some(BodyEvent::Data(data)) => {
                let copied = writer.copy(&data);
                late = Bytes::copy_from_slice(data.get(copied..).unwrap_or_default());
            }
            Some(BodyEvent::Trailers(_)) => {}
            Some(BodyEvent::End) => match exchange.finish(None) {
                Ok(answered) => return On(answered.next().into()),
                Err(short) => return On(State::Closing(short.abort())),
            },
            Some(BodyEvent::Failed(_)) => return On(State::Closing(exchange.abort())),
        }
    }
}

/// Writes a message while it is borrowed. One that does not fit is owned, and waits for room.
pub(super) fn echo_messages(mut socket: Socket, mut late: Option<DataMessage>) -> Step {
    loop {
        if let Some(Err(Full(message))) = late.map(|message| socket.writer().message(message)) {
            return Wait(State::Socket(socket, Some(message)), ForRoom);
        }
        late = match socket.split() {
            (None, _) => return Wait(State::Socket(socket, None), ForPeer),
            (Some(Event::Text(text)), mut writer) => {
                writer.text(&text).is_err().then(|| DataMessage::text(text.into_string()))
            }
            (Some(Event::Binary(data)), mut writer) => {
                writer.binary(&data).is_err().then(|| DataMessage::binary(data.take()))
            }
            (Some(Event::Ping(_) | Event::Pong(_)), _) => None,
            (Some(Event::Close(_) | Event::Failed(_)), _) => {
                return On(State::Closing(socket.close(Close::EMPTY)));
            }
        };
    }
}
