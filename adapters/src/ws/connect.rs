//! Connects to the URL of a WebSocket.

use std::fmt;
use std::io;

use endwell_core::http::{InvalidField, StatusCode};
use endwell_core::ws::InvalidSubprotocol;

use super::Socket;
use crate::client::{InvalidUrl, NotUpgraded, RequestError, ResponseReader, Switched};
use crate::runtime::Runtime as _;
use crate::transport::Connector;
use crate::{ClientConfig, Driver};

impl Socket {
    /// Connects to a `ws://` or `wss://` URL, and asks for a WebSocket without a subprotocol. For more, such as fields, a
    /// subprotocol or a time limit, use [`ws::connect`](super::connect). `wss` needs a connector with TLS, such as
    /// `tls::TlsConnector`.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use endwell::ws::{CloseCode, Socket};
    /// use endwell::{ClientConfig, tokio::Tcp};
    ///
    /// let mut socket = Socket::connect(&Tcp, "ws://example.com/chat", &ClientConfig::default()).await?;
    /// socket.send("hello").await?;
    /// let ended = socket.close(CloseCode::NORMAL).await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the URL is not that of a WebSocket, the connection fails, or the server refuses.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection closes.
    ///
    /// The future borrows the connector only.
    pub fn connect<'a, C: Connector>(
        connector: &'a C,
        url: &str,
        config: &ClientConfig,
    ) -> impl Future<Output = Result<Self, ConnectError>> + use<'a, C> {
        super::connect(url).config(config.clone()).open(connector)
    }

    /// Connects as [`connect`](Self::connect) does, and returns the [`Driver`] of the connection: spawn it, or let it
    /// [`run`](Driver::run) what uses the socket. That is faster: messages do not pass from task to task.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect). A response that refuses can be read: a task is spawned that drives it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection closes.
    ///
    /// The future borrows the connector only.
    pub fn dial<'a, C: Connector>(
        connector: &'a C,
        url: &str,
        config: &ClientConfig,
    ) -> impl Future<Output = Result<(Self, Driver), ConnectError>> + use<'a, C> {
        let dialled = super::connect(url).config(config.clone()).dial(connector);
        async move {
            let (Switched { socket, .. }, driver) = dialled.await?;
            Ok((socket, driver))
        }
    }
}

pub(super) fn spawn(connector: &impl Connector, driver: Driver) -> io::Result<()> {
    connector.runtime().spawn(async {
        driver.await;
    })
}

/// Why there is no WebSocket.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL is not that of a WebSocket.
    Url(InvalidUrl),
    /// A field of the handshake is not valid.
    Field(InvalidField),
    /// A subprotocol is not valid, or is offered twice.
    Subprotocol(InvalidSubprotocol),
    /// The connection failed.
    Io(io::Error),
    /// The server sent another response: a redirect, a refusal, a request for credentials. Its status and fields are known,
    /// and its body can be read.
    Refused(Box<ResponseReader>),
    /// No response came, or an invalid one.
    Failed(RequestError),
}

impl ConnectError {
    /// The status of the response that refused, if one came.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Refused(response) => Some(response.status()),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(invalid) => invalid.fmt(f),
            Self::Field(invalid) => invalid.fmt(f),
            Self::Subprotocol(invalid) => invalid.fmt(f),
            Self::Io(error) => write!(f, "cannot connect: {error}"),
            Self::Refused(received) => {
                write!(f, "the server refused to open a WebSocket, with {}", received.status())
            }
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl std::error::Error for ConnectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Url(invalid) => Some(invalid),
            Self::Field(invalid) => Some(invalid),
            Self::Subprotocol(invalid) => Some(invalid),
            Self::Io(error) => Some(error),
            Self::Failed(failure) => Some(failure),
            Self::Refused(_) => None,
        }
    }
}

impl From<InvalidUrl> for ConnectError {
    fn from(invalid: InvalidUrl) -> Self {
        Self::Url(invalid)
    }
}

impl From<io::Error> for ConnectError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<NotUpgraded> for ConnectError {
    fn from(not: NotUpgraded) -> Self {
        match not {
            NotUpgraded::Refused(received) => Self::Refused(received),
            NotUpgraded::Failed(failure) => Self::Failed(failure),
        }
    }
}
