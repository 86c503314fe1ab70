//! The server's side of the opening handshake. RFC 6455 4.2.

use alloc::sync::Arc;
use core::fmt;

use super::key::{Accept, Key, only};
use super::origin::Origins;
use super::subprotocol::{SUBPROTOCOLS, Subprotocol};
use crate::Outbox;
use crate::http::grammar::characters;
use crate::http::server;
use crate::http::server::Exchange;
use crate::http::{Date, Field, FieldSection, Response, StatusCode, Version};
use crate::ws::Role;
use crate::ws::Socket;
use crate::ws::limits::SocketLimits;
use crate::ws::receive::keep_alive::Jitter;

/// The terms on which a server accepts a handshake.
///
/// ```
/// use endwell_core::ws::{Acceptance, SocketLimits, Origins};
///
/// let acceptance = Acceptance::new(SocketLimits::default().into()).origins(Origins::Any);
/// # let _ = acceptance;
/// ```
#[derive(Clone, Debug)]
#[must_use = "give it to `Exchange::accept`"]
pub struct Acceptance {
    limits: Arc<SocketLimits>,
    origins: Origins,
    subprotocol: Option<Subprotocol>,
    fields: FieldSection,
    jitter: Jitter,
    #[cfg(feature = "deflate")]
    deflate: Option<Arc<crate::ws::Deflate>>,
}

impl Acceptance {
    /// Accepts the same Origin, without a subprotocol or further fields.
    pub fn new(limits: Arc<SocketLimits>) -> Self {
        Self {
            limits,
            origins: Origins::Same,
            subprotocol: None,
            fields: FieldSection::new(),
            jitter: Jitter::default(),
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// Sets which sites' pages may connect. Default [`Origins::Same`].
    pub fn origins(mut self, origins: Origins) -> Self {
        self.origins = origins;
        self
    }

    /// Sets the subprotocol: one of those that the request offers, [`Subprotocol::offered`]. Default: no subprotocol.
    pub fn subprotocol(mut self, subprotocol: Subprotocol) -> Self {
        self.subprotocol = Some(subprotocol);
        self
    }

    /// Sets fields for the 101, for example a cookie.
    pub fn fields(mut self, fields: FieldSection) -> Self {
        self.fields = fields;
        self
    }

    /// The fields for the 101, to change them.
    pub fn fields_mut(&mut self) -> &mut FieldSection {
        &mut self.fields
    }

    /// Spreads the keep-alive pings of many connections. Default: `Jitter(0)` for each.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }

    /// Sets how messages are compressed if the client offers it: permessage-deflate, RFC 7692. By default, and with
    /// `None`, they are not compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, deflate: Option<Arc<crate::ws::Deflate>>) -> Self {
        self.deflate = deflate;
        self
    }
}

#[cfg(feature = "deflate")]
impl Acceptance {
    /// Agrees on compression with the client.
    fn agree(
        &self,
        request: &crate::http::RequestHead,
    ) -> Result<Option<crate::ws::Agreement>, crate::ws::MalformedExtensions> {
        let Some(deflate) = &self.deflate else { return Ok(None) };
        crate::ws::Agreement::answer(request.fields().get_all("sec-websocket-extensions"), deflate)
    }
}

/// Why an exchange is not a handshake that can be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotAHandshake {
    /// The method is not GET. RFC 6455 4.1.
    Method,
    /// HTTP/1.0 does not have Upgrade. RFC 9110 7.8.
    HttpVersion,
    /// The request does not ask for a WebSocket. RFC 6455 4.2.1.
    NotAsked,
    /// The Connection field lacks the upgrade option, so the Upgrade field was not meant for us. RFC 9110 7.8.
    Connection,
    /// The version is missing, repeated, or not 13. RFC 6455 4.4.
    Version,
    /// The key is missing, repeated, or not sixteen bytes in base64. RFC 6455 4.1.
    Key,
    /// The request has content. A handshake has no content.
    Content,
    /// An offered subprotocol is not a token. RFC 6455 4.1.
    Subprotocols,
    /// The chosen subprotocol was offered by another request.
    SubprotocolNotOffered,
    /// The page's site may not connect. RFC 6455 10.2.
    Origin,
    /// The offered extensions are malformed. Checked only if messages may be compressed. RFC 6455 9.1.
    Extensions,
}

impl NotAHandshake {
    /// The status of the refusal: 400, 403, 405 or 426.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAsked | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::HttpVersion
            | Self::Connection
            | Self::Key
            | Self::Content
            | Self::Subprotocols
            | Self::SubprotocolNotOffered
            | Self::Extensions => StatusCode::BAD_REQUEST,
        }
    }

    /// The head of the refusal, with the fields that its status requires: Allow, or Upgrade and the version.
    ///
    /// The exchange came back, so it can also be answered in any other way.
    pub fn head(self) -> Response {
        match self {
            Self::Method => Response::new(self.status()).with(ALLOW),
            Self::NotAsked | Self::Version => Response::upgrade_required("websocket").with(VERSION_13),
            Self::HttpVersion
            | Self::Connection
            | Self::Key
            | Self::Content
            | Self::Subprotocols
            | Self::SubprotocolNotOffered
            | Self::Origin
            | Self::Extensions => Response::new(self.status()),
        }
    }

    /// Checks all that RFC 6455 4.2.1 requires. Returns the value of Sec-WebSocket-Accept.
    fn check(exchange: &Exchange, acceptance: &Acceptance) -> Result<Accept, Self> {
        // RFC 9110 15.5.22: 426 says that the same request can succeed after an upgrade, which holds for a GET alone.
        if !exchange.is_get() {
            return Err(Self::Method);
        }
        // RFC 9110 7.8: Upgrade is ignored in HTTP/1.0. An earlier check ensured that there is one Host.
        if exchange.version() != Version::Http11 {
            return Err(Self::HttpVersion);
        }
        let request = exchange.asks().ok_or(Self::NotAsked)?;
        let fields = request.fields();
        if !fields.list_contains("upgrade", "websocket") {
            return Err(Self::NotAsked);
        }
        if !fields.list_contains("connection", "upgrade") {
            return Err(Self::Connection);
        }
        if only(fields.get_all("sec-websocket-version")) != Some(b"13") {
            return Err(Self::Version);
        }
        let key = only(fields.get_all("sec-websocket-key")).ok_or(Self::Key)?;
        let accept = Key::parse(key).ok_or(Self::Key)?.accept();
        if exchange.has_content() {
            return Err(Self::Content);
        }
        if !fields.list(SUBPROTOCOLS).all(characters::is_token) {
            return Err(Self::Subprotocols);
        }
        let chosen = acceptance.subprotocol.as_ref();
        if chosen.is_some_and(|chosen| !chosen.is_offered(request)) {
            return Err(Self::SubprotocolNotOffered);
        }
        if !acceptance.origins.allow(request) {
            return Err(Self::Origin);
        }
        Ok(accept)
    }
}

impl fmt::Display for NotAHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Method => "expected the method GET (RFC 6455 4.1)",
            Self::HttpVersion => "expected HTTP/1.1 (RFC 6455 4.1)",
            Self::NotAsked => "expected `websocket` in Upgrade (RFC 6455 4.2.1)",
            Self::Connection => "expected `upgrade` in Connection (RFC 6455 4.2.1)",
            Self::Version => "expected Sec-WebSocket-Version: 13 (RFC 6455 4.4)",
            Self::Key => "expected one Sec-WebSocket-Key of sixteen bytes in base64 (RFC 6455 4.2.1)",
            Self::Content => "expected a request without content (RFC 6455 4.1)",
            Self::Subprotocols => "expected tokens in Sec-WebSocket-Protocol (RFC 6455 4.1)",
            Self::SubprotocolNotOffered => "expected a subprotocol that the request offers (RFC 6455 4.2.2)",
            Self::Origin => "expected a page of a site that may connect (RFC 6455 10.2)",
            Self::Extensions => {
                "expected tokens and their parameters in Sec-WebSocket-Extensions (RFC 6455 9.1)"
            }
        })
    }
}

impl core::error::Error for NotAHandshake {}

impl Acceptance {
    /// Writes the 101.
    fn write(&self, accept: &Accept, extensions: Option<&str>, date: Option<&Date>, out: &mut Outbox) {
        let mut section = FieldSection::new().with(Field::own("sec-websocket-accept", accept.as_bytes()));
        if let Some(subprotocol) = &self.subprotocol {
            section.push(Field::own(SUBPROTOCOLS, subprotocol.as_str().as_bytes()));
        }
        if let Some(extensions) = extensions {
            section.push(Field::own("sec-websocket-extensions", extensions.as_bytes()));
        }
        section.append(&self.fields);
        server::write_switch("websocket", &section, date, out);
    }
}

impl Exchange {
    /// Accepts a WebSocket handshake. Writes the 101. The socket receives the bytes after the request.
    ///
    /// # Errors
    ///
    /// Returns the exchange, to be answered, with the reason why the handshake cannot be accepted.
    /// [`NotAHandshake::head`] has the head of the matching refusal.
    pub fn accept(
        self,
        acceptance: Acceptance,
        date: Option<&Date>,
    ) -> Result<Socket, (NotAHandshake, Self)> {
        let accept = match NotAHandshake::check(&self, &acceptance) {
            Ok(accept) => accept,
            Err(reason) => return Err((reason, self)),
        };
        #[cfg(feature = "deflate")]
        let agreement = match self.asks().map_or(Ok(None), |head| acceptance.agree(head)) {
            Ok(agreement) => agreement,
            Err(crate::ws::MalformedExtensions) => return Err((NotAHandshake::Extensions, self)),
        };
        #[cfg(feature = "deflate")]
        let extensions = agreement.as_ref().map(crate::ws::Agreement::field);
        #[cfg(not(feature = "deflate"))]
        let extensions: Option<&str> = None;
        let mut conn = self.into_conn();
        acceptance.write(&accept, extensions.as_ref().map(AsRef::as_ref), date, &mut conn.outbox);
        let Acceptance { limits, subprotocol, jitter, .. } = acceptance;
        let socket = Socket::new(conn, Role::Server, limits, jitter, subprotocol.map(Subprotocol::into_text));
        #[cfg(feature = "deflate")]
        let socket = match &agreement {
            Some(agreement) => socket.deflate(agreement),
            None => socket,
        };
        Ok(socket)
    }
}

const ALLOW: Field<'_> = Field::from_static("allow", "GET");
const VERSION_13: Field<'_> = Field::own("sec-websocket-version", b"13");
