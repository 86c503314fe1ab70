//! A transport that may use TLS.

use std::fmt;
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConfig, ServerConnection};

use super::TlsInfo;
use super::handshake::{Handshake, Side};
use super::session::Session;
use crate::info::Info;
use crate::transport::Transport;

/// A connection with TLS, or without it if a [`TlsConnector`](super::TlsConnector) was asked for an origin without TLS.
///
/// - The end of the stream is the peer's close_notify. A stream that ends without it was truncated, which is an error
///   ([`Truncated`](crate::Truncated)): bytes may be missing.
/// - Ending the write side sends close_notify, and then ends the write side below. Reading continues. During the
///   handshake it ends the handshake: no data was sent yet.
/// - Dropping it sends close_notify if there is room for it at once. [`reset`](Transport::reset) prevents that.
/// - A write takes the plaintext of one record, at most 16 KiB, and the next one takes nothing before that record is
///   sent.
pub struct TlsStream<T: Transport>(Layer<T>);

enum Layer<T: Transport> {
    Plain(T),
    Tls(Box<Session<T>>),
}

impl<T: Transport> TlsStream<T> {
    pub(super) fn plain(transport: T) -> Self {
        Self(Layer::Plain(transport))
    }

    pub(super) fn tls(session: Session<T>) -> Self {
        Self(Layer::Tls(session.into()))
    }

    /// Makes the client's side of TLS over any transport, to a server with this name. The handshake begins with the
    /// first read or write, and has no time limit of its own.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used.
    pub fn client(
        transport: T,
        config: impl Into<Arc<ClientConfig>>,
        name: ServerName<'static>,
    ) -> Result<Self, rustls::Error> {
        let connection = ClientConnection::new(config.into(), name)?;
        Ok(Self::tls(Session::new(transport, connection, Handshake::default())))
    }

    /// Makes the server's side of TLS over any transport. The handshake begins with the first read or write, and has no
    /// time limit of its own.
    ///
    /// # Errors
    ///
    /// If the configuration cannot be used.
    pub fn server(transport: T, config: impl Into<Arc<ServerConfig>>) -> Result<Self, rustls::Error> {
        let connection = ServerConnection::new(super::shared::without_early_data(config.into()))?;
        Ok(Self::tls(Session::new(transport, connection, Handshake::default())))
    }

    /// Adds what the handshake finds out to `info`, as soon as it is known. A [`TlsListener`](super::TlsListener) and
    /// a [`TlsConnector`](super::TlsConnector) do so by themselves.
    pub fn describe(&self, info: &mut Info) {
        if let Layer::Tls(session) = &self.0 {
            info.is_secure = true;
            info.insert_later(Arc::clone(&session.info));
        }
    }

    /// The facts of the connection. `None` before the end of the handshake, and without TLS.
    pub fn tls_info(&self) -> Option<&TlsInfo> {
        match &self.0 {
            Layer::Plain(_) => None,
            Layer::Tls(session) => session.info.get(),
        }
    }

    /// True if it uses TLS.
    pub fn is_secure(&self) -> bool {
        matches!(self.0, Layer::Tls(_))
    }

    fn transport(&self) -> &T {
        match &self.0 {
            Layer::Plain(transport) => transport,
            Layer::Tls(session) => &session.transport,
        }
    }

    /// Waits for the end of the handshake.
    pub(super) fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Layer::Plain(_) => Poll::Ready(Ok(())),
            Layer::Tls(session) => session.poll_open(cx, Side::Write),
        }
    }
}

impl<T: Transport> Transport for TlsStream<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Layer::Plain(transport) => transport.poll_read(cx, buffer),
            Layer::Tls(session) => session.poll_read(cx, buffer),
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match &mut self.0 {
            Layer::Plain(transport) => transport.poll_write(cx, slices),
            Layer::Tls(session) => session.poll_write(cx, slices),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Layer::Plain(transport) => transport.poll_flush(cx),
            Layer::Tls(session) => session.poll_flush(cx),
        }
    }

    fn poll_end_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            Layer::Plain(transport) => transport.poll_end_write(cx),
            Layer::Tls(session) => session.poll_end_write(cx),
        }
    }

    fn reset(&mut self) {
        match &mut self.0 {
            Layer::Plain(transport) => transport.reset(),
            Layer::Tls(session) => session.reset(),
        }
    }

    fn found_nothing(&self) -> bool {
        self.transport().found_nothing()
    }

    fn has_unseen(&self) -> bool {
        // The bytes may be a session ticket. Then a usable connection is given up: rarely, and safely.
        self.transport().has_unseen()
    }

    fn unacknowledged(&self) -> Option<u64> {
        self.transport().unacknowledged()
    }

    fn take_error(&self) -> Option<io::Error> {
        self.transport().take_error()
    }
}

impl<T: Transport> fmt::Debug for TlsStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsStream").field("is_secure", &self.is_secure()).finish_non_exhaustive()
    }
}
