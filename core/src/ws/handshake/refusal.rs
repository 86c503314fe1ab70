//! Why a request is not a handshake that can be accepted. RFC 6455 4.2.1.

use core::fmt;

use super::acceptance::Acceptance;
use super::key::{Accept, Key, only};
use super::subprotocol::SUBPROTOCOLS;
use crate::http::grammar::characters;
use crate::http::{Field, RequestHead, Response, StatusCode, Version};

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
    /// An extended CONNECT asks for another protocol. RFC 8441 4.
    Protocol,
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
    /// The status of the refusal: 400, 403, 405, 426 or 501.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAsked | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::Protocol => StatusCode::NOT_IMPLEMENTED,
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
            | Self::Protocol
            | Self::Subprotocols
            | Self::SubprotocolNotOffered
            | Self::Origin
            | Self::Extensions => Response::new(self.status()),
        }
    }

    /// The head of the refusal over HTTP/2 and HTTP/3, which have neither Upgrade nor 426: 400 takes its place, and another
    /// `:protocol` gets 501. RFC 8441 3 and 4, RFC 9113 8.6.
    pub fn head_of_stream(self) -> Response {
        match self {
            Self::NotAsked => Response::new(StatusCode::BAD_REQUEST),
            Self::Version => Response::new(StatusCode::BAD_REQUEST).with(VERSION_13),
            Self::Method
            | Self::HttpVersion
            | Self::Connection
            | Self::Key
            | Self::Content
            | Self::Protocol
            | Self::Subprotocols
            | Self::SubprotocolNotOffered
            | Self::Origin
            | Self::Extensions => self.head(),
        }
    }

    /// Checks what the handshake over HTTP/1.1 requires. Returns the value of Sec-WebSocket-Accept.
    ///
    /// `request` is `None` if there is no Upgrade field. RFC 6455 4.2.1.
    pub(super) fn check_upgrade(
        is_get: bool,
        version: Version,
        request: Option<&RequestHead>,
        has_content: bool,
    ) -> Result<(Accept, &RequestHead), Self> {
        // RFC 9110 15.5.22: 426 says that the same request can succeed after an upgrade, which holds for a GET alone.
        if !is_get {
            return Err(Self::Method);
        }
        // RFC 9110 7.8: Upgrade is ignored in HTTP/1.0. An earlier check ensured that there is one Host.
        if version != Version::Http11 {
            return Err(Self::HttpVersion);
        }
        let request = request.ok_or(Self::NotAsked)?;
        let fields = request.fields();
        if !fields.list_contains("upgrade", "websocket") {
            return Err(Self::NotAsked);
        }
        if !fields.list_contains("connection", "upgrade") {
            return Err(Self::Connection);
        }
        Self::check_version(request)?;
        let key = only(fields.get_all("sec-websocket-key")).ok_or(Self::Key)?;
        let accept = Key::parse(key).ok_or(Self::Key)?.accept();
        if has_content {
            return Err(Self::Content);
        }
        Ok((accept, request))
    }

    /// RFC 6455 4.4.
    pub(super) fn check_version(request: &RequestHead) -> Result<(), Self> {
        match only(request.fields().get_all("sec-websocket-version")) {
            Some(b"13") => Ok(()),
            Some(_) | None => Err(Self::Version),
        }
    }

    /// Checks what each form of the handshake has.
    pub(super) fn check_terms(request: &RequestHead, terms: &Acceptance) -> Result<(), Self> {
        if !request.fields().list(SUBPROTOCOLS).all(characters::is_token) {
            return Err(Self::Subprotocols);
        }
        terms.allows(request)
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
            Self::Protocol => "expected `websocket` in :protocol (RFC 8441 4)",
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

const ALLOW: Field<'_> = Field::from_static("allow", "GET");
const VERSION_13: Field<'_> = Field::own("sec-websocket-version", b"13");
