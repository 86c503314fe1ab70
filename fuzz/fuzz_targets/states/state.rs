//! One field that holds any state, and a call of it for every command.

use bytes::Bytes;
use endwell_core::http::client::{
    Again, Call, CallEvent, ClientConnection, Handshake, Opening, Sent, Withheld,
};
use endwell_core::http::server::{After, Answered, Exchange, Next, ServerConnection, Unanswered};
use endwell_core::http::{
    BodyEvent, BodyWriter, Connect, FieldSection, Framing, Interim, Method, Request, Response, StatusCode,
    Streaming, Upgrade,
};
use endwell_core::ws::{self, Acceptance, Close, Control, Full, Kind, Masks, Offer, Origins};
use endwell_core::ws::{Event, Piece, Receiving, Socket, Within};
use endwell_core::{Closing, Ending, Io, Upgraded};

/// The largest body that is written at once.
pub const BODY: usize = 300;
const DATA: &[u8] = &[b'x'; BODY];

pub enum State {
    Server(ServerConnection),
    Unanswered(Exchange<Unanswered>),
    Writing(Exchange<Streaming>),
    Answered(Exchange<Answered>),
    Client(ClientConnection),
    Streaming(Call<Streaming>),
    Withheld(Call<Withheld>),
    Sent(Call<Sent>),
    Opening(Handshake<Socket>),
    Tunnel(Handshake<Upgraded>),
    Socket(Socket),
    Within(Socket<Within>),
    Receiving(Receiving),
    Upgraded(Upgraded),
    Closing(Closing),
    Over,
}

impl State {
    pub fn io(&mut self) -> Option<Io<'_>> {
        Some(match self {
            Self::Server(state) => state.io(),
            Self::Unanswered(state) => state.io(),
            Self::Writing(state) => state.io(),
            Self::Answered(state) => state.io(),
            Self::Client(state) => state.io(),
            Self::Streaming(state) => state.io(),
            Self::Withheld(state) => state.io(),
            Self::Sent(state) => state.io(),
            Self::Opening(state) => state.io(),
            Self::Tunnel(state) => state.io(),
            Self::Socket(state) => state.io(),
            Self::Within(state) => state.io(),
            Self::Receiving(state) => state.io(),
            Self::Upgraded(state) => state.io(),
            Self::Closing(state) => state.io(),
            Self::Over => return None,
        })
    }

    /// One call that this state has.
    pub fn step(self, command: u8) -> Self {
        let which = command >> 3;
        match self {
            Self::Server(server) if which == 31 => Self::Closing(server.close()),
            Self::Server(server) => match server.poll() {
                Next::Wait(server) => Self::Server(server),
                Next::Request(_, exchange) => Self::Unanswered(exchange),
                Next::Refused(refusal) => Self::Closing(refusal.answer(None)),
                Next::Closing(closing) => Self::Closing(closing),
            },
            Self::Unanswered(exchange) => unanswered(exchange, which),
            Self::Writing(mut exchange) => match which % 8 {
                0 => Self::Closing(exchange.abort()),
                1 | 2 => match exchange.finish(None) {
                    Ok(answered) => Self::Answered(answered),
                    Err(short) => Self::Writing(short),
                },
                3 | 4 => {
                    write(&mut exchange.writer(), which);
                    Self::Writing(exchange)
                }
                _ => {
                    body(exchange.split().0.event());
                    Self::Writing(exchange)
                }
            },
            Self::Answered(mut exchange) if which % 2 == 0 => {
                assert_eq!(exchange.body().ready(), exchange.body().ready());
                body(exchange.body().event());
                Self::Answered(exchange)
            }
            Self::Answered(exchange) => match exchange.next() {
                After::Again(server) => Self::Server(server),
                After::Closing(closing) => Self::Closing(closing),
            },
            Self::Client(client) => self::client(client, which),
            Self::Streaming(mut call) => match which % 8 {
                0 => Self::Closing(call.abort()),
                1 | 2 => match call.finish(Some(&FieldSection::new())) {
                    Ok(sent) => Self::Sent(sent),
                    Err(short) => Self::Streaming(short),
                },
                3 | 4 => {
                    write(&mut call.writer(), which);
                    Self::Streaming(call)
                }
                _ => {
                    answer(&mut call);
                    Self::Streaming(call)
                }
            },
            Self::Withheld(call) if which % 4 == 0 => Self::Streaming(call.proceed()),
            Self::Withheld(mut call) => {
                answer(&mut call);
                Self::Withheld(call)
            }
            Self::Sent(mut call) if which % 2 == 0 => {
                answer(&mut call);
                Self::Sent(call)
            }
            Self::Sent(call) => match call.next() {
                Again::Client(client) => Self::Client(client),
                Again::Unread(call) => Self::Sent(call),
                Again::Closed(_) => Self::Over,
            },
            Self::Opening(handshake) => match handshake.poll() {
                Opening::Wait(handshake) => Self::Opening(handshake),
                Opening::Open(_, socket) => Self::Socket(socket),
                Opening::Refused(call) => Self::Sent(call),
                Opening::Failed(_) => Self::Over,
            },
            Self::Tunnel(handshake) => match handshake.poll() {
                Opening::Wait(handshake) => Self::Tunnel(handshake),
                Opening::Open(_, upgraded) => Self::Upgraded(upgraded),
                Opening::Refused(call) => Self::Sent(call),
                Opening::Failed(_) => Self::Over,
            },
            Self::Socket(mut socket) => match which % 12 {
                0 => Self::Closing(socket.close(Close::EMPTY)),
                1 => Self::Receiving(socket.close_writing(Close::EMPTY)),
                2 => Self::Within(socket.begin(if which > 12 { Kind::Text } else { Kind::Binary })),
                3 => {
                    let _full = socket.writer().text("text");
                    let _full = socket.writer().binary(DATA);
                    let _full = socket.ping(Control::EMPTY);
                    Self::Socket(socket)
                }
                4..=7 => {
                    piece(socket.ready_piece(), socket.piece());
                    Self::Socket(socket)
                }
                _ => {
                    event(socket.ready(), socket.event());
                    Self::Socket(socket)
                }
            },
            Self::Within(mut socket) => match which % 12 {
                0 => Self::Closing(socket.close(Close::EMPTY)),
                1 => Self::Receiving(socket.close_writing(Close::EMPTY)),
                2 | 3 => match socket.finish() {
                    Ok(socket) => Self::Socket(socket),
                    Err(Full(within)) => Self::Within(within),
                },
                4 | 5 => {
                    let _not_written = socket.writer().write(Bytes::from_static(DATA));
                    Self::Within(socket)
                }
                6..=8 => {
                    piece(socket.ready_piece(), socket.piece());
                    Self::Within(socket)
                }
                _ => {
                    event(socket.ready(), socket.event());
                    Self::Within(socket)
                }
            },
            Self::Receiving(receiving) if which == 0 => Self::Closing(receiving.discard()),
            Self::Receiving(mut receiving) if which % 2 == 0 => {
                piece(receiving.ready_piece(), receiving.piece());
                Self::Receiving(receiving)
            }
            Self::Receiving(mut receiving) => {
                event(receiving.ready(), receiving.event());
                Self::Receiving(receiving)
            }
            Self::Upgraded(upgraded) if which == 0 => Self::Closing(upgraded.close()),
            Self::Upgraded(mut upgraded) => {
                let received = upgraded.received().map(|payload| payload.take());
                drop(received.map(|bytes| upgraded.write(bytes)));
                Self::Upgraded(upgraded)
            }
            Self::Closing(closing) => match closing.poll() {
                Ending::Wait(closing) | Ending::EndWrite(closing) => Self::Closing(closing),
                Ending::Done(_) | Ending::Reset(_) => Self::Over,
            },
            Self::Over => Self::Over,
        }
    }
}

fn unanswered(mut exchange: Exchange, which: u8) -> State {
    let head = Response::new(StatusCode::OK);
    match which % 16 {
        0 => return State::Closing(exchange.abandon()),
        1 => return State::Answered(exchange.respond(&head, Bytes::from_static(DATA), None)),
        2 => return State::Writing(exchange.start(&head, Framing::Chunked, None)),
        3 => return State::Writing(exchange.start(&head, Framing::Length(5), None)),
        4 => {
            return match exchange.switch("echo", &FieldSection::new(), None) {
                Ok(upgraded) => State::Upgraded(upgraded),
                Err((_, exchange)) => State::Unanswered(exchange),
            };
        }
        5 => {
            return match exchange.tunnel(&FieldSection::new(), None) {
                Ok(upgraded) => State::Upgraded(upgraded),
                Err((_, exchange)) => State::Unanswered(exchange),
            };
        }
        6 | 7 => {
            let acceptance = Acceptance::new(ws::SocketLimits::default().into()).origins(Origins::Any);
            return match exchange.accept(acceptance, None) {
                Ok(socket) => State::Socket(socket),
                Err((_, exchange)) => State::Unanswered(exchange),
            };
        }
        8 => exchange.last(),
        9 => exchange.proceed(),
        10 if which == 10 => exchange.interim(&Interim::early_hints()),
        _ => {
            assert_eq!(exchange.body().ready(), exchange.body().ready());
            body(exchange.body().event());
        }
    }
    State::Unanswered(exchange)
}

fn client(client: ClientConnection, which: u8) -> State {
    let Ok(client) = client.poll() else { return State::Over };
    let head = Request::new(Method::Post, "h", "/").expect("a head");
    match which % 8 {
        0 => State::Withheld(client.ask(&head, Framing::Length(5))),
        1 => State::Streaming(client.start(&head, Framing::Chunked)),
        2 => State::Streaming(client.start(&head, Framing::Length(5))),
        3 => State::Tunnel(client.tunnel(&Connect::new("h:1").expect("a host and a port"))),
        4 | 5 => {
            let limits = ws::SocketLimits::default().into();
            let offer = Offer::new("h", "/", *b"the sample nonce", limits).expect("an offer");
            State::Opening(client.websocket(offer, Masks::new(|| [1, 2, 3, 4])))
        }
        6 => {
            let head = Upgrade::new(head, "echo").expect("a protocol");
            State::Tunnel(client.switch(head, bytes::Bytes::new()))
        }
        _ => State::Sent(client.send(&head, Bytes::from_static(DATA))),
    }
}

fn write(writer: &mut BodyWriter<'_>, which: u8) {
    let room = writer.room();
    if which % 2 == 0 {
        let copied = writer.copy(DATA);
        assert!(copied <= room.min(DATA.len()));
    } else {
        let _not_written = writer.write(Bytes::from_static(b"hello"));
    }
}

fn body(event: Option<BodyEvent<'_>>) {
    if let Some(BodyEvent::Data(data)) = event {
        assert!(!data.is_empty());
    }
}

fn answer<W>(call: &mut Call<W>) {
    let is_ready = call.answer().ready();
    assert_eq!(call.answer().ready(), is_ready);
    let event = call.answer().event();
    assert_eq!(event.is_some(), is_ready);
    if let Some(CallEvent::Data(data)) = event {
        assert!(!data.is_empty());
    }
}

fn event(is_ready: bool, event: Option<Event<'_>>) {
    assert_eq!(event.is_some(), is_ready);
}

fn piece(is_ready: bool, piece: Option<Piece<'_>>) {
    assert_eq!(piece.is_some(), is_ready);
}
