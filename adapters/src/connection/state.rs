//! The one state of a connection.

use endwell_core::http::client::ClientConnection;
use endwell_core::http::server::{Answered, Exchange, ServerConnection};
use endwell_core::http::{BodyEvent, BodyWriter, Streaming};
use endwell_core::ws::{Receiving, Socket, Within};
use endwell_core::{Closing, Io, Pace, Upgraded};

use crate::Ended;
use crate::client::Asking;

/// The state of a connection. Whoever has a right to it finds it here.
pub(crate) enum State {
    /// A server between two requests.
    Between(ServerConnection),
    /// A request that a handler answers.
    Open(Exchange),
    /// A response whose body is being written.
    Writing(Exchange<Streaming>),
    /// A response that is complete, while the body of its request is still read.
    Answered(Exchange<Answered>),
    /// A client that uses HTTP. Boxed: connections of a server do not have it.
    Client(Box<Asking>),
    /// A WebSocket.
    Socket(Socket),
    /// A WebSocket within a message that is sent in pieces.
    Within(Socket<Within>),
    /// A WebSocket on which our Close is written, and that still receives.
    Receiving(Receiving),
    /// Nothing more is written but what is queued.
    Closing(Last),
    /// Another protocol. `None`: its holder has the bytes too.
    Raw(Option<Upgraded>),
    /// Over. The driver closes the transport.
    Over(Box<Ended>),
    /// Taken, for the length of one call.
    Taken,
}

/// The last phase of a connection.
pub(crate) struct Last {
    pub(crate) closing: Closing,
    pub(crate) end_of_stream: EndOfStream,
    /// What is told of the end. `None`: what the WebSocket knows.
    pub(crate) ended: Option<Box<Ended>>,
}

/// Whether the write side has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndOfStream {
    /// More is to be written first.
    Not,
    Owed,
    Sent,
}

impl State {
    /// A client without an open request.
    pub(crate) fn client(client: ClientConnection) -> Self {
        Self::Client(Asking::new(client).into())
    }

    /// The last phase of a connection of HTTP.
    pub(crate) fn closing(closing: Closing, ended: Ended) -> Self {
        Self::Closing(Last { closing, end_of_stream: EndOfStream::Not, ended: Some(ended.into()) })
    }

    /// The last phase of a WebSocket.
    pub(crate) fn closing_socket(closing: Closing) -> Self {
        Self::Closing(Last { closing, end_of_stream: EndOfStream::Not, ended: None })
    }

    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Taken)
    }

    /// The transport's side.
    pub(crate) fn io(&mut self) -> Option<Io<'_>> {
        match self {
            Self::Between(server) => Some(server.io()),
            Self::Open(exchange) => Some(exchange.io()),
            Self::Writing(exchange) => Some(exchange.io()),
            Self::Answered(exchange) => Some(exchange.io()),
            Self::Client(asking) => asking.io(),
            Self::Socket(socket) => Some(socket.io()),
            Self::Within(socket) => Some(socket.io()),
            Self::Receiving(receiving) => Some(receiving.io()),
            Self::Closing(last) => Some(last.closing.io()),
            Self::Raw(raw) => raw.as_mut().map(Upgraded::io),
            Self::Over(_) | Self::Taken => None,
        }
    }

    /// True within an exchange of a server that is not answered completely.
    pub(crate) fn is_exchange(&self) -> bool {
        matches!(self, Self::Open(_) | Self::Writing(_))
    }

    /// True while the body of a request may be read.
    pub(crate) fn has_body(&self) -> bool {
        self.is_exchange() || matches!(self, Self::Answered(_))
    }

    /// The next part of the body of a request. `None` if nothing has arrived, or there is no such body.
    pub(crate) fn request_event(&mut self) -> Option<BodyEvent<'_>> {
        match self {
            Self::Open(exchange) => exchange.body().event(),
            Self::Writing(exchange) => exchange.body().event(),
            Self::Answered(exchange) => exchange.body().event(),
            _ => None,
        }
    }

    /// The bytes still to come of the body of a request, if known.
    pub(crate) fn rest_of_request(&mut self) -> Option<u64> {
        match self {
            Self::Open(exchange) => exchange.body().remaining(),
            Self::Writing(exchange) => exchange.body().remaining(),
            Self::Answered(exchange) => exchange.body().remaining(),
            _ => None,
        }
    }

    /// The bytes of the body of a request that were taken.
    pub(crate) fn received_of_request(&mut self) -> u64 {
        match self {
            Self::Open(exchange) => exchange.body().received(),
            Self::Writing(exchange) => exchange.body().received(),
            Self::Answered(exchange) => exchange.body().received(),
            _ => 0,
        }
    }

    /// True if the body of a request was received to its end.
    #[cfg(feature = "http-body")]
    pub(crate) fn is_request_done(&mut self) -> bool {
        match self {
            Self::Open(exchange) => exchange.body().is_done(),
            Self::Writing(exchange) => exchange.body().is_done(),
            Self::Answered(exchange) => exchange.body().is_done(),
            _ => false,
        }
    }

    /// The writer of the body that is being sent, in both roles.
    pub(crate) fn writer(&mut self) -> Option<BodyWriter<'_>> {
        match self {
            Self::Writing(exchange) => Some(exchange.writer()),
            Self::Client(asking) => asking.writer(),
            _ => None,
        }
    }

    /// Sets the pace of the body that is received, in both roles.
    pub(crate) fn set_body_pace(&mut self, pace: Pace) {
        match self {
            Self::Open(exchange) => exchange.set_body_pace(pace),
            Self::Writing(exchange) => exchange.set_body_pace(pace),
            Self::Answered(exchange) => exchange.set_body_pace(pace),
            Self::Client(asking) => asking.set_body_pace(pace),
            _ => {}
        }
    }

    /// The client.
    pub(crate) fn asking(&mut self) -> Option<&mut Asking> {
        match self {
            Self::Client(asking) => Some(asking),
            _ => None,
        }
    }
}
