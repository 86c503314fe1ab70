//! Builds the handshake of a client's WebSocket.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::time::Duration;

use endwell_core::http::{Field, FieldSection, InvalidField};
use endwell_core::ws::InvalidSubprotocol;

use super::connect::spawn;
use super::{ConnectError, Socket};
use crate::client::{
    Connection, InvalidUrl, NotUpgraded, Scheme, Switched, TotalTime, UpgradeFuture, Url, before,
};
use crate::transport::Connector;
use crate::{ClientConfig, Driver};

/// A WebSocket that a client will open. Made by [`connect`].
///
/// A URL, a field or a subprotocol that is not valid is an error of the call that connects. A clone opens another one.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use endwell::tokio::Tcp;
/// use endwell::ws::{self, ConnectError};
///
/// let builder = ws::connect("ws://example.com/chat")
///     .subprotocol("chat.v2")
///     .subprotocol("chat.v1")
///     .origin("https://example.com")
///     .header("authorization", "Bearer 0123")
///     .timeout(Duration::from_secs(5));
/// let mut socket = match builder.open(&Tcp).await {
///     Ok(socket) => socket,
///     Err(ConnectError::Refused(mut response)) => {
///         println!("{}: {}", response.status(), response.text(1 << 16).await?);
///         return Ok(());
///     }
///     Err(error) => return Err(error.into()),
/// };
/// println!("{:?}", socket.subprotocol());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a socket is opened by `open`"]
pub struct SocketBuilder {
    asked: Result<Asked, Invalid>,
    config: ClientConfig,
    timeout: Option<Duration>,
}

/// What the handshake asks for.
#[derive(Clone)]
struct Asked {
    url: Url,
    fields: FieldSection,
    subprotocols: Vec<Box<str>>,
}

/// What is not valid.
#[derive(Clone, Copy)]
enum Invalid {
    Url(InvalidUrl),
    Field(InvalidField),
    Subprotocol(InvalidSubprotocol),
}

/// Builds a WebSocket for a `ws://` or `wss://` URL: a text, a [`Url`], or a `Uri` of the `http` crate.
pub fn connect(url: impl TryInto<Url, Error: Into<InvalidUrl>>) -> SocketBuilder {
    let url = url.try_into().map_err(Into::into).and_then(|url| match url.scheme() {
        Scheme::Ws | Scheme::Wss => Ok(url),
        Scheme::Http | Scheme::Https => Err(InvalidUrl::Scheme),
    });
    let asked = url.map(|url| Asked { url, fields: FieldSection::new(), subprotocols: Vec::new() });
    SocketBuilder { asked: asked.map_err(Invalid::Url), config: ClientConfig::default(), timeout: None }
}

impl SocketBuilder {
    fn change(mut self, change: impl FnOnce(&mut Asked) -> Result<(), Invalid>) -> Self {
        self.asked = self.asked.and_then(|mut asked| change(&mut asked).map(|()| asked));
        self
    }

    /// Adds a field to the handshake, for example credentials or a cookie. The fields of the handshake itself are not valid
    /// here.
    pub fn header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.change(|asked| {
            asked.fields.push(Field::new(name, value.as_ref()).map_err(Invalid::Field)?);
            Ok(())
        })
    }

    /// Adds a field that was checked before.
    pub fn with(self, field: Field<'_>) -> Self {
        self.change(|asked| {
            asked.fields.push(field);
            Ok(())
        })
    }

    /// Sets the fields with this name to one with this value. It replaces a token that has expired, for example.
    pub fn set_header(self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.change(|asked| {
            asked.fields.set(Field::new(name, value.as_ref()).map_err(Invalid::Field)?);
            Ok(())
        })
    }

    /// Sets the Origin field, as `https://example.com`. Servers that serve browsers may require one. RFC 6455 4.1.
    pub fn origin(self, origin: &str) -> Self {
        self.set_header("origin", origin)
    }

    /// Offers another subprotocol. Earlier ones are preferred.
    pub fn subprotocol(self, name: &str) -> Self {
        self.change(|asked| {
            // A subprotocol is a token, as the name of a field is.
            if Field::new(name, b"") == Err(InvalidField::Name) {
                return Err(Invalid::Subprotocol(InvalidSubprotocol::Name));
            }
            if asked.subprotocols.iter().any(|offered| **offered == *name) {
                return Err(Invalid::Subprotocol(InvalidSubprotocol::Repeated));
            }
            asked.subprotocols.push(name.into());
            Ok(())
        })
    }

    /// Sets the configuration. Default: [`ClientConfig::default`].
    pub fn config(self, config: ClientConfig) -> Self {
        Self { config, ..self }
    }

    /// Offers to compress messages: permessage-deflate, RFC 7692. As [`ClientConfig::deflate`], which a later
    /// [`config`](Self::config) replaces.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, deflate: impl Into<Option<super::Deflate>>) -> Self {
        self.config.deflate = deflate.into();
        self
    }

    /// Sets the time for all of it: the connection with TLS and proxies, and the handshake, with the body of a response that
    /// refuses. Default: none, and each part has its own limit in [`ClientConfig`].
    pub fn timeout(self, time: Duration) -> Self {
        Self { timeout: Some(time), ..self }
    }

    /// Connects, and opens the WebSocket. `wss` needs a connector with TLS, such as `tls::TlsConnector`.
    ///
    /// # Errors
    ///
    /// If the URL is not that of a WebSocket or what is offered is not valid, the connection fails, or the server refuses:
    /// [`ConnectError::Refused`] has its response, whose body can be read.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection closes.
    pub async fn open<C: Connector>(self, connector: &C) -> Result<Socket, ConnectError> {
        let (Switched { socket, .. }, driver) = self.dial(connector).await?;
        spawn(connector, driver)?;
        Ok(socket)
    }

    /// Opens the WebSocket as [`open`](Self::open) does, and returns it with the head of the 101 and with the [`Driver`] of
    /// the connection: spawn it, or let it [`run`](Driver::run) what uses the socket.
    ///
    /// # Errors
    ///
    /// As for [`open`](Self::open). A response that refuses can be read: a task is spawned that drives it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped, the connection closes.
    pub async fn dial<C: Connector>(self, connector: &C) -> Result<(Switched, Driver), ConnectError> {
        let Self { asked, config, timeout } = self;
        let Asked { url, fields, subprotocols } = asked?;
        let mut time = timeout.map(|time| TotalTime::new(&connector.runtime(), time));
        let origin = url.origin();
        let connecting = Connection::dial(connector, &origin, &config);
        let (connection, mut driver) = match &mut time {
            None => connecting.await?,
            Some(time) => {
                let connected = before(poll_fn(|cx| time.poll_over(cx)), connecting).await;
                connected.unwrap_or_else(|| Err(late(&url, time)))?
            }
        };
        let mut offer = connection.offer(url.authority(), url.target()).map_err(InvalidUrl::Head)?;
        for name in &subprotocols {
            offer = offer.subprotocol(name).map_err(ConnectError::Subprotocol)?;
        }
        for (name, value) in fields.iter() {
            offer = offer.with(Field::new(name, value).map_err(ConnectError::Field)?);
        }
        let UpgradeFuture(asked) = connection.upgrade(offer);
        match driver.run(UpgradeFuture(asked.within(time))).await {
            Ok(switched) => Ok((switched, driver)),
            Err(NotUpgraded::Failed(failure)) => Err(ConnectError::Failed(failure)),
            Err(NotUpgraded::Refused(response)) => {
                spawn(connector, driver)?;
                Err(ConnectError::Refused(response))
            }
        }
    }
}

fn late(url: &Url, time: &TotalTime) -> io::Error {
    let text =
        format!("no connection to {} within {:?}, the time for the WebSocket", url.origin(), time.time());
    io::Error::new(io::ErrorKind::TimedOut, text)
}

impl From<Invalid> for ConnectError {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Url(invalid) => Self::Url(invalid),
            Invalid::Field(invalid) => Self::Field(invalid),
            Invalid::Subprotocol(invalid) => Self::Subprotocol(invalid),
        }
    }
}

impl fmt::Debug for SocketBuilder {
    /// Shows no values of fields: they may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SocketBuilder");
        if let Ok(Asked { url, fields, subprotocols }) = &self.asked {
            shown.field("origin", &url.origin()).field("fields", fields).field("subprotocols", subprotocols);
        }
        shown.finish_non_exhaustive()
    }
}
