//! A WebSocket on a connection that hyper serves. The core judges the handshake and makes the socket: it is given the head as
//! a client of HTTP/1.1 would have sent it, and its response becomes one of the `http` crate.
//!
//! Over HTTP/2 the handshake is an extended CONNECT (RFC 8441): what HTTP/1.1 says by `Connection`, `Upgrade` and the key is
//! added to the head, and left out of the response.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use ::http::request::Parts;
use ::http::{Response, StatusCode, Version};
use ::hyper::rt::{Read, ReadBuf, Write};
use ::hyper::upgrade::{OnUpgrade, Upgraded};
use endwell_core::http::HttpLimits;
use endwell_core::http::server::{Next, ServerConnection};
use endwell_core::ws::{NotAHandshake, Socket as Core};
use endwell_core::{Instant, Io, Look, OutboxLimits, Wrote};

use super::config::SocketConfig;
use super::socket::Socket;
use super::upgrade::Session;
use crate::tokio::Tokio;
use crate::transport::Transport;

/// What a handshake is judged by.
#[derive(Clone)]
pub(super) struct Foreign {
    /// The head, as a client of HTTP/1.1 would have sent it.
    head: Vec<u8>,
    fields: usize,
    is_extended: bool,
    on_upgrade: Option<OnUpgrade>,
}

impl Foreign {
    pub(super) fn of(parts: &Parts) -> Self {
        let is_extended = is_extended(parts);
        let method = if is_extended { "GET" } else { parts.method.as_str() };
        let version = if parts.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let mut head = format!("{method} / {version}\r\n").into_bytes();
        let mut fields = 0;
        let mut add = |name: &str, value: &[u8]| {
            head.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
            fields += 1;
        };
        if let (None, Some(authority)) = (parts.headers.get(header::HOST), parts.uri.authority()) {
            add("host", authority.as_str().as_bytes());
        }
        for (name, value) in &parts.headers {
            if decides(name) && !(is_extended && is_of_http1(name)) {
                add(name.as_str(), value.as_bytes());
            }
        }
        if is_extended {
            add("connection", b"upgrade");
            add("upgrade", b"websocket");
            // Any key: its answer is left out.
            add("sec-websocket-key", b"AAAAAAAAAAAAAAAAAAAAAA==");
        }
        head.extend(b"\r\n");
        Self { head, fields, is_extended, on_upgrade: parts.extensions.get::<OnUpgrade>().cloned() }
    }

    /// Accepts the handshake and runs the session once hyper has handed the connection over, or refuses it.
    pub(super) fn open(&self, session: Session) -> Response<()> {
        let Session { acceptance, run } = session;
        let Some(exchange) = self.exchange() else { return with_status(StatusCode::BAD_REQUEST) };
        let mut socket = match exchange.accept(acceptance, None) {
            Ok(socket) => socket,
            Err((reason, _)) => return self.refusal(reason),
        };
        let Some(on_upgrade) = self.on_upgrade.clone() else { return self.refusal(NotAHandshake::NotAsked) };
        let response = self.response(&written(socket.io()));
        ::tokio::spawn(async move {
            let Ok(upgraded) = on_upgrade.await else { return };
            let (socket, driver) = over(upgraded, socket);
            ::tokio::spawn(driver);
            run(socket).await;
        });
        response
    }

    fn exchange(&self) -> Option<endwell_core::http::server::Exchange> {
        let mut limits = HttpLimits::default();
        // The server that received it has bounds of its own.
        limits.head_bytes = limits.head_bytes.max(self.head.len());
        limits.fields = limits.fields.max(self.fields);
        let mut server = ServerConnection::new(limits.into(), OutboxLimits::default());
        let mut rest = &self.head[..];
        while !rest.is_empty() {
            let mut taken = 0;
            let Ok(_) = server.io().read(Instant::default(), |room| {
                taken = room.len().min(rest.len());
                room.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                Ok::<_, Infallible>(Look::Bytes(taken))
            });
            rest = rest.get(taken..).unwrap_or_default();
            match server.poll() {
                Next::Wait(waiting) if taken > 0 => server = waiting,
                Next::Request(_, exchange) => return Some(exchange),
                Next::Wait(_) | Next::Refused(_) | Next::Closing(_) => return None,
            }
        }
        None
    }

    /// The response whose head is `text`.
    fn response(&self, text: &[u8]) -> Response<()> {
        let status = if self.is_extended { StatusCode::OK } else { StatusCode::SWITCHING_PROTOCOLS };
        let mut response = with_status(status);
        for line in text.split(|&byte| byte == b'\n').skip(1) {
            let Some(colon) = line.iter().position(|&byte| byte == b':') else { continue };
            let (name, value) = line.split_at(colon);
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
                response.headers_mut().append(name, value);
            }
        }
        self.without_http1(response)
    }

    fn refusal(&self, reason: NotAHandshake) -> Response<()> {
        let head = Response::try_from(&reason.head());
        self.without_http1(head.unwrap_or_else(|_| with_status(StatusCode::BAD_REQUEST)))
    }

    fn without_http1(&self, mut response: Response<()>) -> Response<()> {
        if self.is_extended {
            let headers: HeaderMap = std::mem::take(response.headers_mut());
            let mut last = None;
            for (name, value) in headers {
                last = name.or(last);
                match &last {
                    Some(name) if !is_of_http1(name) => drop(response.headers_mut().append(name, value)),
                    Some(_) | None => {}
                }
            }
        }
        response
    }
}

/// True for an extended CONNECT that asks for a WebSocket. RFC 8441 4.
#[cfg(feature = "http2")]
fn is_extended(parts: &Parts) -> bool {
    let protocol = parts.extensions.get::<::hyper::ext::Protocol>();
    parts.method == ::http::Method::CONNECT
        && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

#[cfg(not(feature = "http2"))]
fn is_extended(_: &Parts) -> bool {
    false
}

/// True for a field that says whether a request is a handshake.
fn decides(name: &HeaderName) -> bool {
    let known = [
        header::HOST,
        header::CONNECTION,
        header::UPGRADE,
        header::ORIGIN,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
    ];
    known.contains(name) || name.as_str().starts_with("sec-websocket-")
}

/// True for a field of the handshake that HTTP/2 does not have. RFC 8441 5.
fn is_of_http1(name: &HeaderName) -> bool {
    let fields =
        [header::CONNECTION, header::UPGRADE, header::SEC_WEBSOCKET_KEY, header::SEC_WEBSOCKET_ACCEPT];
    fields.contains(name)
}

fn with_status(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response
}

/// Takes all output.
fn written(mut io: Io<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let before = out.len();
        let Ok(wrote) = io.write(Instant::default(), |chunks| {
            out.extend(chunks.flatten());
            Ok::<_, Infallible>(Some(out.len() - before))
        });
        if !matches!(wrote, Wrote::Something) {
            return out;
        }
    }
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
