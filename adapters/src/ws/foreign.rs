//! A WebSocket on a connection that hyper serves. The core judges the request that hyper received, and makes the socket.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::header::{HeaderName, HeaderValue};
use ::http::request::Parts;
use ::http::{Response, StatusCode, Version};
use ::hyper::rt::{Read, ReadBuf, Write};
use ::hyper::upgrade::{OnUpgrade, Upgraded};
use endwell_core::OutboxLimits;
use endwell_core::http::RequestHead;
use endwell_core::ws::{NotAHandshake, Socket as Core};

use super::config::SocketConfig;
use super::socket::Socket;
use super::upgrade::Session;
use crate::tokio::Tokio;
use crate::transport::Transport;

/// What a handshake is judged by.
#[derive(Clone)]
pub(super) struct Foreign {
    /// `None` if hyper took a head that this crate does not.
    head: Option<RequestHead>,
    form: Form,
    on_upgrade: Option<OnUpgrade>,
}

/// How the request asks for a WebSocket.
#[derive(Clone, Copy)]
enum Form {
    /// By Upgrade, which only HTTP/1.1 has.
    Upgrade,
    /// A request of HTTP/2 that is not an extended CONNECT.
    PlainStream,
    /// By an extended CONNECT.
    #[cfg(feature = "http2")]
    ExtendedConnect,
}

impl Foreign {
    pub(super) fn of(parts: &Parts) -> Self {
        let head = RequestHead::try_from(parts).ok();
        Self { head, form: Form::of(parts), on_upgrade: parts.extensions.get::<OnUpgrade>().cloned() }
    }

    /// Accepts the handshake and runs the session once hyper has handed the connection over, or refuses it.
    pub(super) fn open(&self, session: Session) -> Response<()> {
        let Session { acceptance, run } = session;
        let refuse = |reason: NotAHandshake| self.form.refusal(reason);
        let Some(head) = &self.head else { return with_status(StatusCode::BAD_REQUEST) };
        let output = OutboxLimits::default();
        let accepted = match self.form {
            Form::Upgrade => acceptance.accept_upgrade(head, output),
            Form::PlainStream => Err(NotAHandshake::NotAsked),
            #[cfg(feature = "http2")]
            Form::ExtendedConnect => acceptance.accept_connect(WEBSOCKET, head, output),
        };
        let (fields, socket) = match accepted {
            Ok(accepted) => accepted,
            Err(reason) => return refuse(reason),
        };
        let Some(on_upgrade) = self.on_upgrade.clone() else { return refuse(NotAHandshake::NotAsked) };
        ::tokio::spawn(async move {
            let Ok(upgraded) = on_upgrade.await else { return };
            let (socket, driver) = over(upgraded, socket);
            ::tokio::spawn(driver);
            run(socket).await;
        });
        let mut response = with_status(self.form.accepted());
        for (name, value) in fields.iter() {
            let value = HeaderValue::from_bytes(value);
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

impl Form {
    fn of(parts: &Parts) -> Self {
        match parts.version {
            #[cfg(feature = "http2")]
            Version::HTTP_2 | Version::HTTP_3 if is_extended(parts) => Self::ExtendedConnect,
            Version::HTTP_2 | Version::HTTP_3 => Self::PlainStream,
            _ => Self::Upgrade,
        }
    }

    fn accepted(self) -> StatusCode {
        match self {
            Self::Upgrade => StatusCode::SWITCHING_PROTOCOLS,
            Self::PlainStream => StatusCode::OK,
            #[cfg(feature = "http2")]
            Self::ExtendedConnect => StatusCode::OK,
        }
    }

    fn refusal(self, reason: NotAHandshake) -> Response<()> {
        let head = match self {
            Self::Upgrade => reason.head(),
            Self::PlainStream => reason.head_of_stream(),
            #[cfg(feature = "http2")]
            Self::ExtendedConnect => reason.head_of_stream(),
        };
        Response::try_from(&head).unwrap_or_else(|_| with_status(StatusCode::BAD_REQUEST))
    }
}

/// True for an extended CONNECT that asks for a WebSocket. RFC 8441 4.
#[cfg(feature = "http2")]
fn is_extended(parts: &Parts) -> bool {
    let protocol = parts.extensions.get::<::hyper::ext::Protocol>();
    parts.method == ::http::Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == WEBSOCKET)
}

#[cfg(feature = "http2")]
const WEBSOCKET: &str = "websocket";

fn with_status(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response
}

fn over(upgraded: Upgraded, socket: Core) -> (Socket, crate::Driver) {
    Socket::over(Stream(upgraded), Tokio, socket, &SocketConfig::default())
}

/// The bytes of a connection that hyper has handed over.
struct Stream(Upgraded);

impl Transport for Stream {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(cx, buffer.unfilled()))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, slices)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn reset(&mut self) {}
}
